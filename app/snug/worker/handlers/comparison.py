"""Answers the request to compare a file that was made here with what it was made of."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from snug.convert.calibration_text import NEUTRAL, calibration_texts
from snug.convert.conversion import Report, Settings, convert
from snug.convert.pipeline import Stopped as ConversionStopped
from snug.core.errors import UserError
from snug.core.words import size_text
from snug.measure.measuring import measure_divergence
from snug.paths import user_paths
from snug.worker import protocol
from snug.worker.conversion_messages import CompareModels, ConversionSource, ModelsCompared
from snug.worker.handlers.conversion import open_source, threads_or
from snug.worker.loop import Job, Stopped
from snug.worker.sandbox import restrict

BYTES_A_WEIGHT = 2
MAKING_SHARE = 0.3
"""Of the progress, what making the original runnable takes; the rest is reading the text with both."""


def compare(request: CompareModels, job: Job) -> ModelsCompared:
    """Read a text with both and say how often they choose the same word. Raises UserError."""
    text = "\n".join(calibration_texts(request.text or NEUTRAL))
    made = Path(request.path)
    if not made.is_file():
        raise UserError(f"There is no file {made.name}.", "Make it again.", kind="no-file", bad_input=True)
    with _runnable(request.source, made.parent, job) as original:

        def on_chunk(done: int, total: int) -> None:
            job.check()
            share = MAKING_SHARE + (1 - MAKING_SHARE) * done / max(1, total)
            job.emit(protocol.Progress(done=share, total=1.0, unit="share", doing="Reading a text with both"))

        found = measure_divergence(made, original, text, most_tokens=request.most_tokens, on_chunk=on_chunk)
    return ModelsCompared(
        words_same=1000 * found.same_top,
        divergence=found.kl_mean,
        perplexity=found.perplexity,
        reference_perplexity=found.reference_perplexity,
        tokens=found.tokens,
    )


@contextmanager
def _runnable(source: ConversionSource, beside: Path, job: Job) -> Iterator[Path]:
    """The source as a GGUF: itself, or a 16-bit copy in the cache that goes when it was read.

    A source on the Hub is fetched for it, shard by shard.
    """
    if source.path and Path(source.path).is_file():
        restrict([Path(source.path).resolve().parent, beside.resolve()])
        yield Path(source.path)
        return
    folder = working_folder()
    try:
        with open_source(source, job, folder / "shards") as opened:
            _check_room(folder, BYTES_A_WEIGHT * opened.parameters + opened.largest_shard_bytes)
            places = [Path(place).resolve() for place in (source.path, source.adapter, source.base) if place]
            written = [folder] if source.path else [folder, user_paths().cache]
            restrict([*places, beside.resolve()], writable=written, network=not source.path)
            copy = folder / "original.gguf"
            settings = Settings(types=opened.original_type, threads=threads_or(0))
            try:
                convert(opened, copy, settings, on_progress=_teller(job), is_cancelled=job.is_cancelled)
            except ConversionStopped:
                raise Stopped from None
        yield copy
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < 1.02 * needed:
        raise UserError(
            "The disk has no room for the original in a form that can be run.",
            f"{size_text(needed)} are needed for a while; {size_text(free)} are free.",
            kind="disk-full",
        )


def working_folder() -> Path:
    """A folder of this process for a copy that is needed for a while; those of processes that are gone are removed."""
    parent = user_paths().cache / "comparing"
    for left in parent.glob("*"):
        if left.name.isdigit() and not psutil.pid_exists(int(left.name)):
            shutil.rmtree(left, ignore_errors=True)
    folder = parent / str(os.getpid())
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _teller(job: Job) -> Callable[[Report], None]:
    """Fetching, making and proving as one share that never falls, although they take turns."""
    shares: dict[str, float] = {}

    def tell(report: Report) -> None:
        shares[report.stage] = report.done_bytes / max(1, report.total_bytes)
        share = MAKING_SHARE * sum(shares.values()) / (3 if "fetching" in shares else 2)
        doing = "Fetching the original" if report.stage == "fetching" else "Making the original runnable"
        job.emit(protocol.Progress(done=share, total=1.0, unit="share", doing=doing))

    return tell
