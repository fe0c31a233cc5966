"""A computer in calm words: the lines of the machine card and its figures, each with where it came from."""

from __future__ import annotations

import re
from dataclasses import dataclass

from snug.core.devices import places_of
from snug.core.machine import Cpu, Disagreement, Gpu, Holder, Machine, Memory
from snug.core.words import free_of_text, size_text, sold_text

OWN_NAME = "Snug"
TAKEN_AS_ALL = "taken as all of it"
AS_PROGRAMS_SAY = "as programs say"
"""What is free, where only the use of this person's own programs is known."""
MEASURED_HERE = "measured here"
CORRECTED = "corrected by you"

_NOISE = (
    (re.compile(r"\((?:R|TM|C)\)|[®™©]", re.IGNORECASE), ""),
    (re.compile(r"\b\d+(?:th|st|nd|rd) Gen(?:eration)?\b", re.IGNORECASE), ""),
    (re.compile(r"\s+@\s+[\d.]+\s*[GM]Hz.*$", re.IGNORECASE), ""),
    (re.compile(r"\s+(?:w/|with)\s+.*\b(?:Graphics|Radeon)\b.*$", re.IGNORECASE), ""),
    (re.compile(r"\s+(?:\d+|Dual|Triple|Quad|Six|Eight|Twelve|Sixteen)-Core(?: Processor)?\s*$", re.IGNORECASE), ""),
    (re.compile(r"\s+(?:CPU|Processor)\s*$", re.IGNORECASE), ""),
    (re.compile(r"\bCPU\b(?=\s)", re.IGNORECASE), ""),
)
_OS_NAMES = {"linux": "Linux", "darwin": "macOS", "windows": "Windows"}


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One figure for people: what it is, its value in words, and where it came from or why it is missing.

    `key` is the dotted path of `Machine.sources`; `is_known` is False where `source` says why there is no value.
    """

    key: str
    label: str
    value: str
    source: str
    is_known: bool = True


def machine_line(machine: Machine) -> str:
    """This computer in one line: the processor, the graphics, how fast memory is read; the person's figures marked."""
    parts = [_processor_words(machine.cpu) + _mark(machine, "cpu.cores"), *_graphics_words(machine)]
    if machine.memory.bandwidth:
        measured = ", measured" if machine.sources.get("memory.bandwidth", "").startswith(MEASURED_HERE) else ""
        mark = measured or _mark(machine, "memory.bandwidth")
        parts.append(f"reads {size_text(machine.memory.bandwidth)} a second{mark}")
    return " · ".join(part for part in parts if part) or "This computer could not be read"


WORTH_SAYING_BYTES = 100_000_000


def memory_line(machine: Machine) -> str:
    """What a model may use, in one line: "21 GB of 32 GB free for a model"; the same figures as in every answer.

    What the loaded model holds is free for the next one; what is kept for the system and the display is not.
    """
    memory = machine.memory
    if not memory.total:
        return "How much memory this computer has could not be read"
    places = places_of(machine)
    words = f"{free_of_text(places.main.free, memory.total)} free for a model"
    if memory.limit is not None and memory.limit <= memory.total:
        words += " (the limit of this container)"
    words += _mark(machine, "memory.total", "memory.available")
    for card in places.cards:
        words += f", and {free_of_text(card.free, card.total)} on the {name_words(card.name)}"
    if places.cards:
        frees = (f"gpus.{index}.memory_free" for index in range(len(machine.gpus)))
        words += _mark(machine, *frees)
    return words


def used_line(machine: Machine) -> str:
    """How much memory other programs hold and who the largest are, and what is kept for the system:
    "12 GB in use by other programs (Steam: 2.1 GB), 1.1 GB stay with the system". With what `memory_line` calls free
    that is all of the memory."""
    own = max((holder.size_bytes for holder in machine.memory_holders if holder.name == OWN_NAME), default=0)
    own = max(own, machine.gives_back.get("memory", 0))
    used = machine.memory.total - machine.memory.available - machine.memory.huge_pages - own
    said = [f"{size_text(used)} in use by other programs{_who(machine.memory_holders)}"] if used > 0 else []
    for gpu in machine.gpus:
        who = _who(gpu.holders) if gpu.kind == "discrete" else ""
        if who:
            said.append(f"on the {name_words(gpu.name)}{who}")
    main, back = places_of(machine).main, machine.gives_back.get("memory", 0)
    left = max(0, min(machine.memory.available + back, machine.memory.total) - main.free)
    kept = min(main.reserve, left)
    said += [f"{size_text(kept)} stay with the system"] if kept > 0 else []
    said += [f"graphics cannot use {size_text(left - kept)}"] if left - kept > WORTH_SAYING_BYTES else []
    return ", ".join(said)


def _who(holders: tuple[Holder, ...]) -> str:
    """The two largest but Snug, in brackets."""
    who = holders_words(tuple(holder for holder in holders if holder.name != OWN_NAME), most=2)
    return f" ({who})" if who else ""


def holders_words(holders: tuple[Holder, ...], most: int = 3) -> str:
    """Who holds memory, the largest first: "Firefox: 2.1 GB, Steam: 0.9 GB"; "" where nobody is known."""
    return ", ".join(f"{holder.name}: {size_text(holder.size_bytes)}" for holder in holders[:most])


def disagreement_words(disagreement: Disagreement) -> str:
    """One sentence: what both say, which is believed, and why."""
    is_free = disagreement.key.endswith(("memory_free", "available"))
    say = size_text if is_free else sold_text
    system, engine = say(disagreement.system_bytes), say(disagreement.engine_bytes)
    believed = engine if disagreement.is_engine_believed else system
    free = " free" if is_free else ""
    return (
        f"{disagreement.what}: the system says {system}{free}, the engine {engine}. "
        f"Snug counts with {believed}: {disagreement.why}."
    )


def name_words(name: str) -> str:
    """A device's name as people say it: "Intel(R) Core(TM) i7-1185G7 @ 3.00GHz" is "Intel Core i7-1185G7"."""
    words = " ".join(name.split())
    for pattern, instead in _NOISE:
        words = pattern.sub(instead, words)
    return " ".join(words.split()).strip(" ,") or " ".join(name.split())


def figure_rows(machine: Machine) -> tuple[FigureRow, ...]:
    """Every figure of this computer, in reading order, then what could not be read and why."""
    rows = _processor_rows(machine) + _memory_rows(machine)
    for index, gpu in enumerate(machine.gpus):
        rows += _graphics_rows(machine, index, gpu)
    for index, npu in enumerate(machine.npus):
        driver = f", driver {npu.driver}" if npu.driver else ""
        rows.append(_row(machine, f"npus.{index}", "Neural processor", f"{npu.name}{driver}: present, not used"))
    for disk in machine.disks:
        value = f"{size_text(disk.free)} free of {size_text(disk.total)} ({disk.path})"
        rows.append(_row(machine, disk.key, "Disk for models", value))
    for index, device in enumerate(machine.engine_devices):
        value = f"{device.name}: {name_words(device.description)}"
        if device.memory_total:
            value += f", {free_of_text(device.memory_free, device.memory_total)} free"
        rows.append(_row(machine, f"engine_devices.{index}", "The engine sees", value))
    for disagreement in machine.disagreements:
        words = disagreement_words(disagreement)
        rows.append(FigureRow(f"differs.{disagreement.key}", "Two sources differ", words, "the system and llama.cpp"))
    said = {row.key for row in rows if not row.is_known}
    rows += [
        FigureRow(
            key,
            _unread_label(key),
            "none found" if key in ("gpus", "gpus.nvidia") else "not known",
            why,
            is_known=False,
        )
        for key, why in machine.unread.items()
        if key not in said
    ]
    return tuple(rows)


def _processor_words(cpu: Cpu) -> str:
    name = name_words(cpu.name)
    cores = f"{cpu.cores} core{'' if cpu.cores == 1 else 's'}" if cpu.cores else ""
    return ", ".join(part for part in (name, cores) if part)


def _graphics_words(machine: Machine) -> list[str]:
    words = []
    for index, gpu in enumerate(machine.gpus):
        name = name_words(gpu.name)
        if gpu.kind == "discrete":
            said = f"{name}, {sold_text(gpu.memory_total)} of its own" if gpu.memory_total else name
        else:
            said = "graphics share the memory" if gpu.name.startswith("Apple") else f"{name}, shares the memory"
        words.append(said + _mark(machine, f"gpus.{index}.memory_total", f"gpus.{index}.bandwidth"))
    return words


def _mark(machine: Machine, *keys: str) -> str:
    """Says of figures that one of them is the person's own."""
    is_theirs = any(machine.sources.get(key, "").startswith(CORRECTED) for key in keys)
    return f", {CORRECTED}" if is_theirs else ""


def _processor_rows(machine: Machine) -> list[FigureRow]:
    cpu = machine.cpu
    rows = [_row(machine, "model", "Computer", machine.model)] if machine.model else []
    rows.append(_row(machine, "os", "System", machine.os_name))
    if machine.os and not machine.os_name:
        why = f"its version is not known: {machine.unread.get('os', 'nothing says it')}"
        rows[-1] = FigureRow("os", "System", _OS_NAMES.get(machine.os, machine.os), why)
    rows.append(_row(machine, "cpu.name", "Processor", name_words(cpu.name)))
    cores = f"{cpu.cores} cores" if cpu.cores == cpu.threads else f"{cpu.cores} cores, {cpu.threads} threads"
    rows.append(_row(machine, "cpu.cores", "Cores", cores if cpu.cores else ""))
    if cpu.limit is not None:
        rows.append(_row(machine, "cpu.limit", "Processor limit", f"{cpu.limit:g} processors' worth of time"))
    features = ", ".join(feature.upper().replace("_", "-") for feature in cpu.features)
    rows.append(_row(machine, "cpu.features", "Fast instructions", features))
    return rows


def _memory_rows(machine: Machine) -> list[FigureRow]:
    memory = machine.memory
    total = f"{sold_text(memory.total)} ({memory.total / 2**30:.1f} GiB)" if memory.total else ""
    free = free_of_text(memory.available, memory.total)
    rows = [
        _row(machine, "memory.total", "Memory", total),
        _row(machine, "memory.available", "Free now", free if memory.total else ""),
    ]
    if machine.memory_holders:
        rows.append(_row(machine, "memory_holders", "Held by", holders_words(machine.memory_holders, most=8)))
    if memory.huge_pages:
        value = f"{size_text(memory.huge_pages)}, not free for a model"
        rows.append(_row(machine, "memory.huge_pages", "Set aside as huge pages", value))
    if memory.limit is not None:
        rows.append(_row(machine, "memory.limit", "Limit of this container", sold_text(memory.limit)))
    if memory.swap_total:
        rows.append(_row(machine, "memory.swap_total", "Swap (not counted)", size_text(memory.swap_total)))
    speed = f"{size_text(memory.bandwidth)} a second" if memory.bandwidth else ""
    rows.append(_row(machine, "memory.bandwidth", "Memory is read at", speed))
    if memory.kind or memory.rated_bandwidth:
        key = "memory.rated_bandwidth"
        rows.append(_row(machine, key, "Memory modules", _module_words(memory)))
    return rows


def _module_words(memory: Memory) -> str:
    """ "DDR5, 5,600 MT/s, 2 channels: at most 90 GB a second"."""
    channels = f"{memory.channels} channel{'' if memory.channels == 1 else 's'}" if memory.channels else ""
    speed = f"{memory.speed_mts:,} MT/s" if memory.speed_mts else ""
    words = ", ".join(part for part in (memory.kind, speed, channels) if part)
    most = f"at most {size_text(memory.rated_bandwidth)} a second" if memory.rated_bandwidth else ""
    return ": ".join(part for part in (words, most) if part)


def _graphics_rows(machine: Machine, index: int, gpu: Gpu) -> list[FigureRow]:
    here = f"gpus.{index}"
    kind = {"discrete": "", "integrated": " (shares the memory)", "unified": " (shares the memory)"}[gpu.kind]
    part = f" (a part of {name_words(gpu.part_of)})" if gpu.part_of else ""
    rows = [_row(machine, f"{here}.name", "Graphics", name_words(gpu.name) + kind + part)]
    if gpu.memory_total or gpu.kind == "discrete":
        labels = {
            "discrete": "Graphics memory",
            "integrated": "Set aside for graphics",
            "unified": "Usable by graphics",
        }
        total = sold_text(gpu.memory_total) if gpu.memory_total else ""
        rows.append(_row(machine, f"{here}.memory_total", labels[gpu.kind], total))
        if total:
            used = f", {size_text(gpu.memory_used)} in use" if gpu.memory_used else ""
            free = free_of_text(gpu.memory_free, gpu.memory_total)
            rows.append(_row(machine, f"{here}.memory_free", "Free of it now", free + used))
    if gpu.holders:
        key = f"{here}.holders"
        held = holders_words(gpu.holders, most=5)
        source = machine.sources.get(key) or machine.sources.get(f"{here}.memory_free", "its driver")
        rows.append(FigureRow(key, "Held on it by", held, source))
    if gpu.memory_shared:
        value = size_text(gpu.memory_shared)
        value += f", {size_text(gpu.memory_shared_used)} of it in use" if gpu.memory_shared_used else ""
        rows.append(_row(machine, f"{here}.memory_shared", "May borrow (not added)", value))
    if gpu.bandwidth:
        speed = f"{size_text(gpu.bandwidth)} a second"
        rows.append(_row(machine, f"{here}.bandwidth", "Graphics memory is read at", speed))
    if gpu.memory_clock_mhz:
        clock = f"{gpu.memory_clock_mhz:,} MHz" + (f", {gpu.bus_width_bits:,} bits wide" if gpu.bus_width_bits else "")
        key = f"{here}.memory_clock_mhz"
        source = machine.sources.get(key) or machine.sources.get(f"{here}.name", "its driver")
        rows.append(FigureRow(key, "Graphics memory clock", clock, source))
    if gpu.driver:
        rows.append(_row(machine, f"{here}.driver", "Graphics driver", gpu.driver))
    return rows


def _row(machine: Machine, key: str, label: str, value: str) -> FigureRow:
    if value:
        return FigureRow(key, label, value, machine.sources.get(key, ""))
    return FigureRow(
        key, label, "not known", machine.unread.get(key, "nothing on this computer says so"), is_known=False
    )


_UNREAD_LABELS = {
    "gpus.nvidia": "NVIDIA graphics",
    "gpus": "Other graphics",
    "engine_devices": "The engine",
    "disks": "Disk for models",
    "memory.rated_bandwidth": "Memory modules",
    "memory_holders": "Who holds memory",
    "memory.limit": "Container",
}


def _unread_label(key: str) -> str:
    if key.startswith("gpus.") and key.endswith(".bandwidth"):
        return "Graphics memory is read at"
    return _UNREAD_LABELS.get(key, key)
