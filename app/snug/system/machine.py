"""Reads the whole computer: every probe in the list, then one answer out of all readings."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from snug.core.gpu_bandwidths import device_by_pci_id, known_device
from snug.core.known_machines import SUSTAINED_SHARE
from snug.core.machine import Cpu, Gpu, Machine, Memory
from snug.core.machine_words import name_words
from snug.core.words import size_text
from snug.system import (
    amd,
    apple,
    bandwidth,
    container,
    disks,
    memory,
    memory_holders,
    memory_modules,
    npus,
    nvidia,
    operating_system,
    other_graphics,
    processor,
    windows_graphics,
)  # fmt: skip
from snug.system.environment import Environment
from snug.system.reading import Reading

CALCULATED = "from the speed of the memory modules"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Probe:
    """One source of figures: what it looks at, in words for a progress line, and how it is read."""

    name: str
    doing: str
    read: Callable[[Environment], Reading]


# A probe earlier in the list is believed where two describe the same graphics device.
PROBES = (
    Probe("operating_system", "Reading the system's name", operating_system.read),
    Probe("processor", "Looking at the processor", processor.read),
    Probe("memory", "Counting the memory", memory.read),
    Probe("memory_modules", "Looking at the memory modules", memory_modules.read),
    Probe("memory_holders", "Looking at who holds memory", memory_holders.read),
    Probe("container", "Looking for a container's limits", container.read),
    Probe("disks", "Looking at the disk for models", disks.read),
    Probe("nvidia", "Looking for NVIDIA graphics", nvidia.read),
    Probe("amd", "Looking for AMD graphics", amd.read),
    Probe("apple", "Looking for Apple graphics", apple.read),
    Probe("windows_graphics", "Asking Windows for graphics devices", windows_graphics.read),
    Probe("other_graphics", "Looking for other graphics", other_graphics.read),
    Probe("npus", "Looking for neural processors", npus.read),
    Probe("bandwidth", "Measuring how fast the memory is read", bandwidth.read),
)


def read_machine(
    models_folder: str,
    measure_bandwidth: bool = True,
    *,
    environment: Environment | None = None,
    say: Callable[[int, int, str], None] = lambda done, total, doing: None,
) -> Machine:
    """This computer. `say` hears before each probe how many are done, of how many, and what comes now.

    A probe that fails costs its own figures only; the reason stands in `Machine.unread`.
    """
    environment = environment or Environment(models_folder, measure_bandwidth)
    readings = []
    for done, probe in enumerate(PROBES):
        say(done, len(PROBES), probe.doing)
        readings.append(read_safely(probe, environment))
    return combined(environment.system, readings)


def read_safely(probe: Probe, environment: Environment) -> Reading:
    """The probe's reading; a fault in the probe becomes a reason instead of the end of all others."""
    try:
        return probe.read(environment)
    except Exception as error:
        logger.exception("the probe %s failed", probe.name)
        return Reading(unread={probe.name: f"Snug's own probe failed ({type(error).__name__}: {error})"})


def combined(system: str, readings: Iterable[Reading]) -> Machine:
    """One machine out of all readings. A container's limit below the memory's total takes its place."""
    machine = Machine(os=system)
    sources: dict[str, str] = {}
    unread: dict[str, str] = {}
    for reading in readings:
        machine = replace(
            machine,
            os_name=reading.os_name or machine.os_name,
            cpu=reading.cpu or machine.cpu,
            memory=_memory(reading, machine.memory),
            disks=machine.disks + reading.disks,
            model=reading.model or machine.model,
            npus=machine.npus + reading.npus,
            memory_holders=reading.memory_holders or machine.memory_holders,
        )
        machine = _with_holders(machine, reading, sources)
        numbers = _new_devices(machine.gpus, reading.gpus)
        machine = replace(machine, gpus=machine.gpus + tuple(reading.gpus[index] for index in numbers))
        sources |= _renumbered(reading.sources, numbers)
        unread |= _renumbered(reading.unread, numbers)
        if reading.limit:
            machine = _limited(machine, reading, sources)
    machine = _with_known_bandwidths(machine, sources)
    unread = {key: why for key, why in unread.items() if key not in sources}
    if machine.gpus:
        silent = unread.get("gpus.nvidia")
        for index, gpu in enumerate(machine.gpus):
            if silent and gpu.vendor == "nvidia" and f"gpus.{index}.memory_total" in unread:
                unread[f"gpus.{index}.memory_total"] = silent
        # That other makers' drivers are missing is no news once a device was found.
        unread = {key: why for key, why in unread.items() if key not in ("gpus", "gpus.nvidia")}
    return replace(machine, sources=sources, unread=unread)


def _limited(machine: Machine, reading: Reading, sources: dict[str, str]) -> Machine:
    limit, main = reading.limit, machine.memory
    if limit is None:
        return machine
    cpu: Cpu = replace(machine.cpu, limit=limit.processors)
    if limit.memory is None or (main.total and limit.memory >= main.total):
        sources.pop("memory.limit", None)
        return replace(machine, cpu=cpu)
    free = limit.memory if limit.memory_free is None else limit.memory_free
    available = min(free, main.available) if main.total else free
    source = f"container limit ({sources.get('memory.limit', 'control group')})"
    sources["memory.total"] = source
    if available < main.available or not main.total:
        sources["memory.available"] = source
    limited: Memory = replace(main, total=limit.memory, available=available, limit=limit.memory)
    return replace(machine, cpu=cpu, memory=limited)


def _memory(reading: Reading, known: Memory) -> Memory:
    main = reading.memory or known
    if reading.modules:
        modules = reading.modules
        main = replace(
            main,
            kind=modules.kind,
            speed_mts=modules.speed_mts,
            channels=modules.channels,
            rated_bandwidth=modules.rated_bandwidth,
        )
    return main if reading.bandwidth is None else replace(main, bandwidth=reading.bandwidth)


def _with_known_bandwidths(machine: Machine, sources: dict[str, str]) -> Machine:
    """The machine with bandwidths that follow where nothing gave or measured them: a graphics device's from the
    table of exact products, main memory's from the speed of its modules."""
    gpus = []
    for index, gpu in enumerate(machine.gpus):
        row = None
        if gpu.bandwidth is None and gpu.kind != "integrated":
            row = device_by_pci_id(gpu.device_id) or known_device(
                gpu.name, machine.memory.total if gpu.kind == "unified" else gpu.memory_total
            )
        if row:
            sources[f"gpus.{index}.bandwidth"] = f"Snug's table: {row.source}"
            gpu = replace(gpu, bandwidth=row.bandwidth_bytes_per_s)
        gpus.append(gpu)
    main = machine.memory
    if main.bandwidth is None and main.rated_bandwidth:
        sources["memory.bandwidth"] = f"{CALCULATED}: four fifths of {size_text(main.rated_bandwidth)} a second"
        main = replace(main, bandwidth=SUSTAINED_SHARE * main.rated_bandwidth)
    return replace(machine, gpus=tuple(gpus), memory=main)


def _new_devices(known: tuple[Gpu, ...], read: tuple[Gpu, ...]) -> dict[int, int]:
    """The devices of a reading that no earlier probe described: number in the reading to number in the machine."""
    new = [index for index, gpu in enumerate(read) if not any(_is_same(gpu, other) for other in known)]
    return {index: len(known) + place for place, index in enumerate(new)}


def _with_holders(machine: Machine, reading: Reading, sources: dict[str, str]) -> Machine:
    """The machine with who holds a card's memory, where only this second description of the card tells it, as on
    Windows for NVIDIA's. Of twins that only their names describe nobody knows which is meant."""
    gpus = list(machine.gpus)
    for number, read in enumerate(reading.gpus):
        same = [index for index, gpu in enumerate(gpus) if _is_same(gpu, read)]
        if len(same) != 1 or sum(_is_same(gpus[same[0]], other) for other in reading.gpus) != 1:
            continue
        index = same[0]
        if read.holders and not gpus[index].holders:
            gpus[index] = replace(gpus[index], holders=read.holders)
            if f"gpus.{number}.holders" in reading.sources:
                sources[f"gpus.{index}.holders"] = reading.sources[f"gpus.{number}.holders"]
    return replace(machine, gpus=tuple(gpus))


def _is_same(first: Gpu, second: Gpu) -> bool:
    if first.pci_id and second.pci_id:
        return first.pci_id == second.pci_id
    return first.vendor == second.vendor and name_words(first.name) == name_words(second.name)


def _renumbered(notes: Mapping[str, str], numbers: dict[int, int]) -> dict[str, str]:
    """Notes whose "gpus.N." paths count as the machine counts; those of devices already known are dropped."""
    renumbered = {}
    for key, words in notes.items():
        parts = key.split(".")
        if len(parts) > 2 and parts[0] == "gpus" and parts[1].isdigit():
            if int(parts[1]) not in numbers:
                continue
            key = ".".join(["gpus", str(numbers[int(parts[1])]), *parts[2:]])
        renumbered[key] = words
    return renumbered
