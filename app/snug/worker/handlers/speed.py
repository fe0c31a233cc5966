"""Measures how fast this computer is: its memory, the bundled model, and made-up models of a real one's size.

Everything is timed where chats run: in the engine, in a child, with the layout that chats get.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from snug.core.errors import UserError
from snug.core.fit import Offload
from snug.core.speed_test import SpeedRow
from snug.engine.self_test import run_self_test
from snug.engine.speed_test import measure_pace
from snug.formats.gguf_facts import facts_from_header
from snug.formats.gguf_header import read_file_header
from snug.formats.speed_models import file_bytes, shape_named, write_speed_model
from snug.worker import protocol
from snug.worker.loop import Job
from snug.worker.speed_messages import MeasureSpeed, SpeedMeasured

log = logging.getLogger("snug.worker.speed")

WATCH_S = 0.5
"""How long others' use of the processor is watched before a model."""
WRITE_S = 0.7
LEFT_FREE_BYTES = 1 << 30
"""Memory and disk that a made-up model must leave to others."""
PREFIX = "speed-test-"
"""Folders with this name in the cache are left over from a test that was killed."""


def measure_speed(request: MeasureSpeed, job: Job) -> SpeedMeasured:
    """The whole test. What does not fit in time, memory or on the disk is left out and named."""
    started = time.monotonic()
    clock = _Clock(job, started, request.seconds)
    remove_leftovers(Path(request.folder))
    bandwidth = 0.0
    if request.measure_bandwidth:
        clock.say("Measuring the memory's speed")
        bandwidth = _bandwidth()
    clock.say("Trying the built-in model")
    pip = run_self_test(request.pip).tokens_per_s if request.pip else 0.0
    rows: list[SpeedRow] = []
    left_out: list[str] = []
    longest = 0.0
    for shape, file_type in request.models:
        began = time.monotonic()
        if clock.left() <= longest:
            left_out.append(f"{shape} {file_type}: no time left")
            continue
        clock.say(f"Reading and writing with a made-up model of {shape}")
        try:
            rows.append(_row(Path(request.folder), shape, file_type, request.offload, job))
        except (UserError, OSError) as error:
            log.info("left out %s %s", shape, file_type, exc_info=True)
            left_out.append(f"{shape} {file_type}: {error}")
        longest = max(longest, time.monotonic() - began)
    return SpeedMeasured(
        rows=rows, bandwidth=bandwidth, pip_tokens_per_s=pip, seconds=time.monotonic() - started,
        skipped="; ".join(left_out),
    )  # fmt: skip


class _Clock:
    """Says what is being done and how long it will still take."""

    def __init__(self, job: Job, started: float, seconds: float) -> None:
        self._job, self._started, self._seconds = job, started, seconds

    def left(self) -> float:
        return self._seconds - (time.monotonic() - self._started)

    def say(self, doing: str) -> None:
        self._job.check()
        done = self._seconds - max(0.0, self.left())
        self._job.emit(protocol.Progress(done=done, total=self._seconds, unit="seconds", doing=doing))


def remove_leftovers(folder: Path) -> None:
    """Remove made-up models of tests that were killed."""
    for left in folder.glob(f"{PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)


def _row(folder: Path, shape: str, file_type: str, offload: Offload, job: Job) -> SpeedRow:
    """One model, written, measured and removed. Raises UserError and OSError where there is no room for it."""
    size = file_bytes(shape_named(shape), file_type)
    if shutil.disk_usage(folder).free < size + LEFT_FREE_BYTES:
        raise UserError("the disk is too full")
    if psutil.virtual_memory().available < size + LEFT_FREE_BYTES:
        raise UserError("too little memory is free")
    with _scratch(folder) as place:
        path = place / "model.gguf"
        write_speed_model(path, shape_named(shape), file_type)
        job.check()
        busy = psutil.cpu_percent(interval=WATCH_S) / 100
        facts = facts_from_header(read_file_header(path), size, f"random {shape} {file_type}")
        pace = measure_pace(str(path), WRITE_S, offload, job.check)
    return SpeedRow(facts, pace.tokens_per_s, pace.prompt_tokens_per_s, busy)


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _bandwidth() -> float:
    """Bytes/s that main memory delivers to all cores; 0 where that cannot be measured."""
    from snug.engine.model import physical_cores

    try:
        from snug import _native

        return float(_native.memory_bandwidth(physical_cores(), seconds=1.0)["read"]["high"])
    except (ImportError, MemoryError, ValueError) as error:
        log.info("bandwidth not measured: %s", error)
        return 0.0
