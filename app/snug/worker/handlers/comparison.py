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
from snug.convert.open_source import open_local
from snug.convert.pipeline import Stopped as ConversionStopped
from snug.core.errors import UserError
from snug.core.words import size_text
from snug.measure.measuring import measure_divergence
from snug.paths import user_paths
from snug.worker import protocol
from snug.worker.conversion_messages import CompareModels, ModelsCompared
from snug.worker.handlers.conversion import threads_or
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
    if not request.source.path:
        raise UserError(
            "The original is on the Hub; its weights are not kept here.",
            "Download it into a folder and pick that folder to compare with it.",
            kind="not-here",
        )
    with _runnable(Path(request.source.path), made.parent, job) as original:

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
def _runnable(source: Path, beside: Path, job: Job) -> Iterator[Path]:
    """The source as a GGUF: itself, or a 16-bit copy in the cache that goes when it was read."""
    if source.is_file():
        restrict([source.resolve().parent, beside.resolve()])
        yield source
        return
    with open_local(source) as opened:
        folder = working_folder()
        needed = BYTES_A_WEIGHT * opened.parameters
        free = shutil.disk_usage(folder).free
        if free < 1.02 * needed:
            raise UserError(
                "The disk has no room for the original in a form that can be run.",
                f"{size_text(needed)} are needed for a while; {size_text(free)} are free.",
                kind="disk-full",
            )
        try:
            restrict([source.resolve(), beside.resolve()], writable=[folder])
            settings = Settings(types=opened.original_type, threads=threads_or(0))
            copy = folder / "original.gguf"
            try:
                convert(opened, copy, settings, on_progress=_teller(job), is_cancelled=job.is_cancelled)
            except ConversionStopped:
                raise Stopped from None
            yield copy
        finally:
            shutil.rmtree(folder, ignore_errors=True)


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
    def tell(report: Report) -> None:
        share = MAKING_SHARE * report.done_bytes / max(1, report.total_bytes)
        job.emit(protocol.Progress(done=share, total=1.0, unit="share", doing="Making the original runnable"))

    return tell
