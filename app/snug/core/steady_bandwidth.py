"""One bandwidth for one computer: the best that was ever measured on it, whatever else was running at the time."""

from __future__ import annotations

from dataclasses import replace

from snug.core.machine import Machine
from snug.core.machine_words import MEASURED_HERE

EARLIER = "; at an earlier time, while less was running"


def with_best_bandwidth(reading: Machine, last: Machine | None) -> Machine:
    """`reading`, with the memory bandwidth of `last` where that was measured on the same computer and is higher.

    Other programs only ever slow a measurement down, so the highest is nearest to what the memory can do.
    """
    if last is None or last.memory.bandwidth is None or not _is_same_computer(reading, last):
        return reading
    source = last.sources.get("memory.bandwidth", "")
    is_measured_now = reading.sources.get("memory.bandwidth", "").startswith(MEASURED_HERE)
    now = reading.memory.bandwidth if is_measured_now else None
    if not source.startswith(MEASURED_HERE) or last.memory.bandwidth <= (now or 0.0):
        return reading
    return replace(
        reading,
        memory=replace(reading.memory, bandwidth=last.memory.bandwidth),
        sources={**reading.sources, "memory.bandwidth": source.removesuffix(EARLIER) + EARLIER},
        unread={key: why for key, why in reading.unread.items() if key != "memory.bandwidth"},
    )


def _is_same_computer(one: Machine, other: Machine) -> bool:
    return (one.os, one.cpu.name, one.cpu.cores, one.memory.total) == (
        other.os, other.cpu.name, other.cpu.cores, other.memory.total,
    )  # fmt: skip
