"""The person's own figures in place of what was read: which may be corrected, and the machine with them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from snug.core.errors import UserError
from snug.core.machine import Disk, Gpu, Machine, Memory
from snug.core.machine_words import CORRECTED
from snug.core.words import rate_text, size_text, sold_text

FOLLOWS = "your total less what is in use"
OF_THE_LIMIT = "your limit for this container"
_TURNS = {"total": 0, "memory_total": 0, "limit": 1}
"""Totals first, then the limit on them, then what is free of it."""
_FREE_OF_TOTAL = {"total": "available", "memory_total": "memory_free"}
GIGA = 1_000_000_000
"""Rates and what is free are counted in powers of ten, as models and files are."""
GIB = 2**30
"""Totals are asked for as memory is sold: 16 GB are 16 x 2^30 bytes."""


@dataclass(frozen=True, slots=True)
class Correctable:
    """A figure that a person may know better: its dotted name, the unit it is asked in, and its bounds there."""

    key: str
    unit: str
    scale: float
    lowest: float
    highest: float


_SIZE = ("GB", GIB, 0.1, 4096.0)
_FREE = ("GB", GIGA, 0.0, 4096.0)
_PROCESSORS = ("processors", 1, 0.1, 1024.0)
_RATE = ("GB a second", GIGA, 0.5, 20_000.0)
_OTHER = ("GB", GIGA, 0.1, 4096.0)
_DISK = ("GB", GIGA, 0.0, 1_000_000.0)
_CLOCK = ("MHz", 1, 1.0, 100_000.0)


def correctable(machine: Machine) -> dict[str, Correctable]:
    """The figures of this machine that may be corrected, by their dotted names: all that its card shows, also those
    that no estimate counts. A disk's figure is what is free there."""
    keys = {"memory.total": _SIZE, "memory.available": _FREE, "memory.bandwidth": _RATE, "cpu.cores": ("", 1, 1, 1024)}
    memory = machine.memory
    keys |= {"cpu.limit": _PROCESSORS} if machine.cpu.limit is not None else {}
    keys |= {"memory.limit": _SIZE} if memory.limit is not None else {}
    keys |= {"memory.huge_pages": _OTHER} if memory.huge_pages else {}
    keys |= {"memory.swap_total": _OTHER} if memory.swap_total else {}
    keys |= {"memory.rated_bandwidth": _RATE} if memory.rated_bandwidth else {}
    for index, gpu in enumerate(machine.gpus):
        here = f"gpus.{index}"
        has_own = gpu.kind != "integrated"
        keys |= {f"{here}.memory_total": _SIZE} if has_own or gpu.memory_total else {}
        keys |= {f"{here}.memory_free": _FREE} if gpu.memory_total else {}
        keys |= {f"{here}.bandwidth": _RATE} if has_own or gpu.bandwidth else {}
        keys |= {f"{here}.memory_shared": _OTHER} if gpu.memory_shared else {}
        keys |= {f"{here}.memory_clock_mhz": _CLOCK} if gpu.memory_clock_mhz else {}
    keys |= {disk.key: _DISK for disk in machine.disks}
    return {key: Correctable(key, *bounds) for key, bounds in keys.items()}


def checked_correction(machine: Machine, key: str, amount: object) -> float:
    """`amount` in the figure's unit as bytes, bytes/s or a count. Raises UserError (bad_input) that says its bounds."""
    known = correctable(machine)
    figure = known.get(key)
    if figure is None:
        advice = f"These can be: {', '.join(known)}."
        raise UserError("This figure cannot be corrected.", advice, kind="bad-correction", bad_input=True)
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not math.isfinite(amount):
        raise UserError("That is not a number.", "Write it in figures.", kind="bad-correction", bad_input=True)
    if not figure.lowest <= amount <= figure.highest:
        words = f"It must be between {figure.lowest:g} and {figure.highest:,g} {figure.unit}".strip()
        raise UserError("No computer has that.", f"{words}.", kind="bad-correction", bad_input=True)
    if not figure.unit and amount != int(amount):
        advice = "Write a whole number."
        raise UserError("There is no part of a core.", advice, kind="bad-correction", bad_input=True)
    return amount * figure.scale


def with_corrections(machine: Machine, corrections: Mapping[str, object]) -> Machine:
    """`machine` with the person's figures in place of those that were read; each source says what was read.

    What is in use stays in use: with another total, so much more or less is free, unless the person knows that too.
    Figures for a part that this machine does not have any more, and nonsense, are left alone.
    """
    reading, allowed = machine, correctable(machine)
    for key, value in sorted(corrections.items(), key=lambda item: _TURNS.get(item[0].rpartition(".")[2], 2)):
        figure = allowed.get(key)
        if figure is None or isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            continue
        if figure.lowest * figure.scale <= value <= figure.highest * figure.scale:
            words = _words_now(reading, key)
            source = f"{CORRECTED}; Snug read {words}" if words else f"{CORRECTED}; Snug could not read it"
            machine = _with_one(machine, key, float(value), source)
    return machine


def _with_one(machine: Machine, key: str, value: float, source: str) -> Machine:
    owner, _, field = key.rpartition(".")
    follows = {f"{owner}.{_FREE_OF_TOTAL[field]}": FOLLOWS} if field in _FREE_OF_TOTAL else {}
    if key == "memory.limit" and _limited_total(machine.memory, int(value)) != machine.memory.total:
        follows = {"memory.total": OF_THE_LIMIT, "memory.available": FOLLOWS}
    changed = replace(
        machine,
        sources={**machine.sources, key: source, **follows},
        unread={name: why for name, why in machine.unread.items() if name != key},
    )
    first, *rest = key.split(".")
    if first == "gpus":
        index, field = int(rest[0]), rest[1]
        gpus = list(machine.gpus)
        gpus[index] = _gpu_with(gpus[index], field, value)
        return replace(changed, gpus=tuple(gpus))
    if first == "cpu":
        cpu = replace(machine.cpu, cores=int(value)) if field == "cores" else replace(machine.cpu, limit=value)
        return replace(changed, cpu=cpu)
    if first == "disks":
        return replace(changed, disks=tuple(_disk_with(disk, int(value), key) for disk in machine.disks))
    return replace(changed, memory=_memory_with(machine.memory, rest[0], value))


def _memory_with(memory: Memory, field: str, value: float) -> Memory:
    if field == "total":
        return replace(memory, total=int(value), available=_free_of(memory.available, memory.total, int(value)))
    if field == "available":
        return replace(memory, available=min(int(value), memory.total))
    if field == "limit":
        return replace(_memory_with(memory, "total", _limited_total(memory, int(value))), limit=int(value))
    figure: dict[str, Any] = {field: value if field.endswith("bandwidth") else int(value)}
    return replace(memory, **figure)


def _limited_total(memory: Memory, limit: int) -> int:
    """The total that another limit leaves: all of the limit where the old one was what counted."""
    return limit if memory.total == memory.limit else min(memory.total, limit)


def _disk_with(disk: Disk, free: int, key: str) -> Disk:
    if disk.key != key:
        return disk
    return replace(disk, free=min(free, disk.total) if disk.total else free)


def _gpu_with(gpu: Gpu, field: str, value: float) -> Gpu:
    if field in ("bandwidth", "memory_shared", "memory_clock_mhz"):
        figure: dict[str, Any] = {field: value if field == "bandwidth" else int(value)}
        return replace(gpu, **figure)
    if field == "memory_free":
        return replace(gpu, memory_free=min(int(value), gpu.memory_total))
    free = _free_of(gpu.memory_free, gpu.memory_total, int(value))
    return replace(gpu, memory_total=int(value), memory_free=free)


def _free_of(free: int, total: int, corrected: int) -> int:
    """What is free of `corrected` bytes where programs hold the rest of `total`. Where nobody could read the total,
    nothing is known to be in use."""
    return max(0, corrected - max(0, total - free))


def amount_now(machine: Machine, key: str) -> float:
    """What stands there now, in bytes, bytes/s or as a count; 0 where it is not known."""
    first, *rest = key.split(".")
    if first == "disks":
        return float(next(disk.free for disk in machine.disks if disk.key == key))
    owner: object = machine.memory
    if first != "memory":
        owner = machine.cpu if first == "cpu" else machine.gpus[int(rest[0])]
    return float(getattr(owner, rest[-1]) or 0)


def _words_now(machine: Machine, key: str) -> str:
    value = amount_now(machine, key)
    if not value:
        return ""
    if key.startswith("cpu."):
        return f"{value:g}"
    if key.endswith("mhz"):
        return f"{value:,.0f} MHz"
    if key.endswith("bandwidth"):
        return rate_text(value)
    is_sold = key.endswith(("memory.total", "memory_total", "limit"))
    return sold_text(value) if is_sold else size_text(value)
