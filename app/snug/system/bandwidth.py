"""How fast main memory is read: measured here, by Snug's native module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from snug.core.machine_words import MEASURED_HERE
from snug.core.words import size_text
from snug.system import container, memory, processor
from snug.system.environment import Environment, NotReadable
from snug.system.figures import real, whole
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
    """The rate of the fast read passes and, as its source, the threads, the passes and the median.

    Fast passes are what the memory can do, as in the STREAM benchmark: slower ones tell what else was running.
    """
    rate = measured.get("read")
    figures = rate if isinstance(rate, Mapping) else {}
    fastest, median = real(figures.get("high")), real(figures.get("median"))
    if fastest <= 0:
        return Reading(unread={"memory.bandwidth": "the measurement gave no usable figure"})
    threads, passes = whole(measured.get("threads")), whole(figures.get("passes"))
    source = f"{MEASURED_HERE} with {threads} thread{'' if threads == 1 else 's'}"
    source += f": the fast ones of {passes} passes, the median was {size_text(median)} a second"
    return Reading(bandwidth=fastest, sources={"memory.bandwidth": source})


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
