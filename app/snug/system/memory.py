"""Main memory: how much there is, how much of it is free now, and swap."""

from __future__ import annotations

import re

from snug.core.machine import Memory
from snug.system.environment import Environment, NotReadable
from snug.system.figures import whole
from snug.system.reading import Reading

_LINE = re.compile(r"^(\w+(?:\(\w+\))?):\s+(\d{1,18})(?:\s+kB)?\s*$", re.MULTILINE | re.ASCII)
_KEYS = ("memory.total", "memory.available", "memory.swap_total")


def read(environment: Environment) -> Reading:
    """Memory as the kernel counts it on Linux, as psutil gives it elsewhere."""
    if environment.system == "linux":
        try:
            reading = parse(environment.text("/proc/meminfo"))
            if reading.memory:
                return reading
        except NotReadable:
            pass
    return _from_library(environment)


def parse(meminfo: str) -> Reading:
    """Memory from Linux' /proc/meminfo. Kernels before 3.14 have no MemAvailable: free and cached are added then."""
    kibibytes = {name: whole(value) for name, value in _LINE.findall(meminfo)}
    total = kibibytes.get("MemTotal", 0) * 1024
    if not total:
        return Reading(unread={"memory.total": "/proc/meminfo does not give the total"})
    if "MemAvailable" in kibibytes:
        available = kibibytes["MemAvailable"] * 1024
        source = "/proc/meminfo"
    else:
        available = sum(kibibytes.get(name, 0) for name in ("MemFree", "Buffers", "Cached")) * 1024
        source = "/proc/meminfo: free, buffers and cached"
    # The kernel does not count these as available; Hugetlb holds pages of all sizes, older kernels name one size.
    huge = kibibytes.get("Hugetlb", kibibytes.get("HugePages_Total", 0) * kibibytes.get("Hugepagesize", 0)) * 1024
    huge = min(huge, total)
    swap = kibibytes.get("SwapTotal", 0) * 1024
    memory = Memory(total, min(available, total - huge), swap_total=swap, huge_pages=huge)
    sources = dict.fromkeys((*_KEYS, "memory.huge_pages"), "/proc/meminfo") | {"memory.available": source}
    return Reading(memory=memory, sources=sources)


def _from_library(environment: Environment) -> Reading:
    try:
        figures = environment.library_figures()
    except NotReadable as reason:
        return Reading(unread={"memory.total": str(reason)})
    total = whole(figures.get("total"))
    if not total:
        return Reading(unread={"memory.total": "psutil does not give the total"})
    available = min(whole(figures.get("available")), total)
    memory = Memory(total, available, swap_total=whole(figures.get("swap_total")))
    return Reading(memory=memory, sources=dict.fromkeys(_KEYS, "psutil"))
