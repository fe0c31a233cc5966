"""`snug measure`: how good a model file is, and how near it stays to the original that it was made from."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

from snug.commands.command import Command, Context
from snug.commands.find_model import find_model
from snug.commands.measured_quality import keep_divergence, repo_of
from snug.core.errors import UserError
from snug.paths import resources_folder
from snug.worker.client import WorkerClient
from snug.worker.measure_messages import CollectImportance, ImportanceCollected, MeasureModel, ModelMeasured
from snug.worker.protocol import Event, FileInspected, InspectFile, Progress

SILENCE_LIMIT_S = 1800.0
ORIGINALS = ("F32", "F16", "BF16")
ENOUGH_TOKENS = 1000
"""A divergence over fewer tokens is too rough to be counted with."""


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a library model's name, or a GGUF file")
    parser.add_argument("--against", metavar="REFERENCE", default="", help="the original to compare it with")
    parser.add_argument("--text", metavar="FILE", default="", help="the text to read (the mix that comes with Snug)")
    parser.add_argument("--questions", metavar="FILE", default="", help='a {"question": …, "answer": …} a line')
    parser.add_argument("--context", metavar="N", type=int, default=512, help="tokens of a chunk of text (512)")
    parser.add_argument("--tokens", metavar="N", type=int, default=0, help="read no more than so many tokens (all)")
    parser.add_argument("--threads", metavar="N", type=int, default=0, help="processor threads (all cores)")


def run(arguments: Namespace, context: Context) -> int:
    """Measure in a child, and say what was found."""
    request = MeasureModel(
        path=find_model(arguments.model, context).path,
        reference=find_model(arguments.against, context).path if arguments.against else "",
        text=_file(arguments.text) if arguments.text or arguments.questions else str(neutral_text()),
        questions=_file(arguments.questions),
        context=arguments.context,
        most_tokens=arguments.tokens,
        threads=arguments.threads,
    )
    with context.child() as child:
        measured = child.request(request, _shower(), timeout=SILENCE_LIMIT_S)
        assert isinstance(measured, ModelMeasured)
        if request.reference and measured.kl_mean >= 0 and measured.tokens >= ENOUGH_TOKENS:
            keep(child, request, measured, context)
    if context.json:
        context.print_document({"model": request.path, "reference": request.reference, "measured": measured})
        return 0
    for line in lines(measured):
        context.say(line)
    return 0


def keep(child: WorkerClient, request: MeasureModel, measured: ModelMeasured, context: Context) -> None:
    """Let recommendations count with it, where the reference is an original in 16 bits or more."""
    found = [child.request(InspectFile(path=path)) for path in (request.path, request.reference)]
    file_type, original = (answer.facts.file_type if isinstance(answer, FileInspected) else "" for answer in found)
    if original in ORIGINALS:
        keep_divergence(context, repo_of(context, request.path), request.path, file_type, measured.kl_mean)


def neutral_text() -> Path:
    """The prose of the text that comes with Snug."""
    return resources_folder() / "calibration" / "prose.txt"


def lines(measured: ModelMeasured) -> list[str]:
    """The figures in words, the raw ones behind."""
    said = []
    if measured.kl_mean >= 0:
        said.append(
            f"The next word is the same as the original's {round(measured.same_top * 1000)} times in 1,000 "
            f"({measured.tokens:,} tokens judged)."
        )
        said.append(
            f"KL divergence: mean {measured.kl_mean:.6f} ± {measured.kl_error:.6f}, median {measured.kl_median:.6f}, "
            f"99 % below {measured.kl_p99:.6f}, largest {measured.kl_max:.6f}"
        )
    if measured.perplexity >= 0:
        against = f"; the original's {measured.reference_perplexity:.4f}" if measured.reference_perplexity >= 0 else ""
        said.append(f"Perplexity: {measured.perplexity:.4f} ± {measured.perplexity_error:.4f}{against}")
    if measured.right >= 0:
        said.append(f"Questions answered right: {measured.right} of {measured.asked}")
        said += [f"  {kind.kind or 'without a kind'}: {kind.right} of {kind.asked}" for kind in measured.by_kind]
    return said


def _file(name: str) -> str:
    if not name:
        return ""
    path = Path(name).expanduser()
    if not path.is_file():
        raise UserError(f"There is no file {name}.", "Check the path.", kind="no-file", bad_input=True)
    return str(path.absolute())


def _shower() -> Callable[[Event], None] | None:
    if not sys.stderr.isatty():
        return None

    def show(event: Event) -> None:
        if isinstance(event, Progress):
            sys.stderr.write(f"\r{event.doing}: {event.done:.0f} of {event.total:.0f} {event.unit} ")
            sys.stderr.flush()

    return show


def add_imatrix_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="a library model's name, or a GGUF file")
    parser.add_argument("out", metavar="OUT", help="the file to write")
    parser.add_argument("--text", metavar="FILE", default="", help="the text to read (the mix that comes with Snug)")
    parser.add_argument("--threads", metavar="N", type=int, default=0, help="processor threads (all cores)")


def write_importance(arguments: Namespace, context: Context) -> int:
    """Collect an importance matrix in a child, for `snug convert --imatrix` or llama-quantize."""
    request = CollectImportance(
        path=find_model(arguments.model, context).path,
        out=str(Path(arguments.out).expanduser().absolute()),
        text=_file(arguments.text) or "neutral",
        threads=arguments.threads,
    )
    with context.child() as child:
        done = child.request(request, _shower(), timeout=SILENCE_LIMIT_S)
    assert isinstance(done, ImportanceCollected)
    if context.json:
        context.print_document({"path": done.path, "tensors": done.tensors, "chunks": done.chunks})
    else:
        context.say(f"{done.path}: what {done.tensors} tensors took in while reading {done.chunks} chunks of text.")
    return 0


COMMANDS = (
    Command("measure", "say how good a model is, or how near to its original", add_arguments, run),
    Command("imatrix", "write a model's importance matrix from a text", add_imatrix_arguments, write_importance),
)
