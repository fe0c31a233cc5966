"""The messages of the speed test."""

from __future__ import annotations

from snug.core.fit import NO_OFFLOAD, Offload
from snug.core.speed_test import SpeedRow
from snug.worker.message import Event, Request


class MeasureSpeed(Request, frozen=True, kw_only=True):
    """Measure memory bandwidth, the bundled model at `pip` and made-up `models` (shape and type) in about `seconds`.

    A model is written to `folder`, read, and removed again, one after the other, as long as time and room allow.
    `offload` is where a model of that size is laid out in chats.
    """

    folder: str
    pip: str
    models: list[tuple[str, str]]
    seconds: float
    offload: Offload = NO_OFFLOAD
    measure_bandwidth: bool = True


class SpeedMeasured(Event, frozen=True, kw_only=True):
    """`bandwidth` in bytes/s, 0 where it could not be measured; `skipped` says in words what was left out."""

    rows: list[SpeedRow]
    bandwidth: float
    pip_tokens_per_s: float
    seconds: float
    skipped: str = ""


REQUESTS = MeasureSpeed
EVENTS = SpeedMeasured
FINAL_EVENTS = (SpeedMeasured,)
