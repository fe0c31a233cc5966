"""How fast main memory is read: measured here, by Snug's native module."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from snug.core.machine_words import MEASURED_HERE
from snug.core.words import size_text
from snug.system import container, memory, processor
from snug.system.environment import Environment, NotReadable
from snug.system.reading import Reading


def read(environment: Environment) -> Reading:
    """Bytes/s that all cores together read; takes about a second. Not measured unless asked for."""
    if not environment.measure_bandwidth:
        return Reading(unread={"memory.bandwidth": "it was not asked for"})
    try:
        return parse(environment.bandwidth(_threads(environment), _available(environment)))
    except NotReadable as reason:
        return Reading(unread={"memory.bandwidth": str(reason)})


def parse(measured: Mapping[str, Any]) -> Reading:
    """The median read rate and, as its source, the spread and the thread count."""
    rate = measured.get("read")
    median = rate.get("median") if isinstance(rate, Mapping) else None
    if not isinstance(rate, Mapping) or not isinstance(median, int | float) or not math.isfinite(median) or median <= 0:
        return Reading(unread={"memory.bandwidth": "the measurement gave no usable figure"})
    source = MEASURED_HERE
    low, high, threads = rate.get("low"), rate.get("high"), measured.get("threads")
    if isinstance(low, int | float) and isinstance(high, int | float) and isinstance(threads, int):
        cores = f"{threads} thread{'' if threads == 1 else 's'}"
        source = f"{MEASURED_HERE} with {cores}, between {size_text(low)} and {size_text(high)} a second"
    return Reading(bandwidth=float(median), sources={"memory.bandwidth": source})


def _threads(environment: Environment) -> int:
    """One thread a physical core, but no more than this process may run on."""
    cpu = processor.read(environment).cpu
    limit = container.read(environment).limit
    bounds = [cpu.cores if cpu else 0, environment.usable_threads()]
    if limit and limit.processors:
        bounds.append(max(1, round(limit.processors)))
    return min((bound for bound in bounds if bound > 0), default=1)


def _available(environment: Environment) -> int:
    main, limit = memory.read(environment).memory, container.read(environment).limit
    bounds = [main.available if main else 0]
    if limit and limit.memory_free is not None:
        bounds.append(max(1, limit.memory_free))
    return min((bound for bound in bounds if bound > 0), default=0)
