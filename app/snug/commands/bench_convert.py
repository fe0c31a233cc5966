"""`snug bench convert`: a generated checkpoint to Q4_K_M, by Snug and by llama.cpp's own two tools, in turns."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from snug.commands.command import Context
from snug.commands.samples import processor_name
from snug.core.errors import UserError
from snug.core.words import parameters_text, size_text
from snug.worker.client import WorkerClient
from snug.worker.conversion_messages import ConversionDone, ConversionSource, Convert

TYPE = "Q4_K_M"
LIMIT_S = 3600.0
TARGET_SPEED, TARGET_MEMORY = 4.0, 0.25


@dataclass(frozen=True, slots=True)
class Cost:
    """One way's cost: seconds, the most memory of any of its processes, and disk beside the result."""

    seconds: float
    memory_bytes: int
    temporary_bytes: int
    result_bytes: int


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--reference", metavar="FOLDER", default="", help="where llama.cpp's own tools were built")
    parser.add_argument("--python", metavar="FILE", default="", help="a Python with PyTorch, for convert_hf_to_gguf.py")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="processor threads of both (all cores)")
    parser.add_argument("--tiny", action="store_true", help="a tiny checkpoint instead of one of a billion weights")
    parser.add_argument("--folder", metavar="FOLDER", default="", help="where 6 GB may be written for a while")


def run(arguments: Namespace, context: Context) -> int:
    """Make the checkpoint, convert it both ways, print what each took; exit code 1 where a target is missed."""
    from snug.formats.random_checkpoint import ONE_BILLION, TINY, write_checkpoint

    tools = _tools(arguments)
    shape = TINY if arguments.tiny else ONE_BILLION
    threads = arguments.threads or os.cpu_count() or 1
    processor = processor_name(context)
    context.say(f"{processor}, {threads} threads, {parameters_text(shape.parameters)} weights in BF16 to {TYPE}")
    with tempfile.TemporaryDirectory(prefix="snug-bench-", dir=arguments.folder or None) as name:
        folder = write_checkpoint(Path(name) / "checkpoint", shape)
        own = convert_here(folder, Path(name) / "own.gguf", threads, context)
        context.say(line("Snug", own))
        other = None if tools is None else convert_there(tools, folder, Path(name), threads)
    ratios: dict[str, float] = {}
    if other is not None:
        context.say(line("llama.cpp's tools", other))
        ratios = {"speed": other.seconds / own.seconds, "memory": own.memory_bytes / other.memory_bytes}
        context.say(
            f"Snug is {ratios['speed']:.1f} times as fast (target {TARGET_SPEED:.0f}) with {ratios['memory']:.2f} "
            f"of the memory (target {TARGET_MEMORY}) and {size_text(own.temporary_bytes)} of temporary disk."
        )
    if context.json:
        document = {"processor": processor, "threads": threads, "parameters": shape.parameters, "snug": own}
        context.print_document(document | {"reference": other, "ratios": ratios})
    missed = ratios and (ratios["speed"] < TARGET_SPEED or ratios["memory"] > TARGET_MEMORY or own.temporary_bytes)
    return 1 if missed and not arguments.tiny else 0


def line(name: str, cost: Cost) -> str:
    return (
        f"{name}: {cost.seconds:.1f} s, at most {size_text(cost.memory_bytes)} of memory, "
        f"{size_text(cost.temporary_bytes)} of temporary disk, result {size_text(cost.result_bytes)}"
    )


@dataclass(frozen=True, slots=True)
class Tools:
    """llama.cpp's own: the converter with the Python that can run it, and llama-quantize."""

    python: str
    converter: Path
    quantize: Path


def _tools(arguments: Namespace) -> Tools | None:
    if not arguments.reference:
        return None
    folder = Path(arguments.reference)
    tools = Tools(arguments.python, folder / "src" / "convert_hf_to_gguf.py", folder / "bin" / "llama-quantize")
    missing = [path for path in (Path(tools.python), tools.converter, tools.quantize) if not path.is_file()]
    if missing or not tools.python:
        raise UserError(
            f"There is no {missing[0] if missing else '--python'}.",
            "Give the folder of the tools with --reference and a Python that has PyTorch with --python.",
            kind="no-tools",
            bad_input=True,
        )
    return tools


def convert_here(folder: Path, out: Path, threads: int, context: Context) -> Cost:
    """Snug's conversion in a child of its own, from its start to its end."""
    request = Convert(
        source=ConversionSource(path=str(folder)), out=str(out), type_name=TYPE, threads=threads, check=False
    )
    most = 0

    def look(_: object) -> None:
        nonlocal most
        most = max(most, _bytes_in(out.parent, but=folder))

    started = time.monotonic()
    with WorkerClient(context.paths.logs) as child:
        done = child.request(request, on_event=look, timeout=LIMIT_S)
        seconds = time.monotonic() - started
    assert isinstance(done, ConversionDone)
    result = out.stat().st_size
    out.unlink()
    beside = max(0, most - result)
    return Cost(seconds, done.peak_memory_bytes, beside if beside > result // 100 else 0, result)


def convert_there(tools: Tools, folder: Path, place: Path, threads: int) -> Cost:
    """convert_hf_to_gguf.py into a file of 16 bits, then llama-quantize from it."""
    half, out = place / "half.gguf", place / "reference.gguf"
    convert = [tools.python, str(tools.converter), str(folder), "--outfile", str(half), "--outtype", "bf16"]
    first, first_memory = _timed(convert, threads)
    second, second_memory = _timed([str(tools.quantize), str(half), str(out), TYPE, str(threads)], threads)
    cost = Cost(first + second, max(first_memory, second_memory), half.stat().st_size, out.stat().st_size)
    half.unlink()
    out.unlink()
    return cost


def _timed(command: Sequence[str], threads: int) -> tuple[float, int]:
    """Seconds and peak memory of a program. Raises UserError where it fails."""
    environment = os.environ | {"OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    with tempfile.TemporaryFile() as said:
        started = time.monotonic()
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise UserError(
                f"{Path(command[0]).name} failed.",
                "See the details.",
                kind="tool-failed",
                details=said.read()[-2000:].decode("utf-8", "replace"),
            )
    return seconds, usage.ru_maxrss * 1024


def _bytes_in(folder: Path, but: Path) -> int:
    """The bytes on the disk below a folder, without what is in `but`."""
    total = 0
    for path in folder.rglob("*"):
        if path.is_relative_to(but):
            continue
        try:
            status = path.stat()
        except OSError:  # it was renamed meanwhile
            continue
        total += min(status.st_size, status.st_blocks * 512) if path.is_file() else 0
    return total
