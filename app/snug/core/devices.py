"""Where a model can live on a machine: main memory, graphics memory, or one memory for both."""

from __future__ import annotations

from dataclasses import dataclass

from snug.core.gpu_bandwidths import bandwidth_by_name
from snug.core.machine import Gpu, Machine

GIB = 2**30
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Place:
    """One memory that can hold weights. `free` is what a model may use: free now, less `reserve`. All in bytes.

    `kind` is "memory" (processor), "unified" (processor and graphics share it) or "gpu". Bandwidth in bytes/s.
    """

    name: str
    kind: str
    total: int
    free: int
    reserve: int
    bandwidth: float | None


@dataclass(frozen=True, slots=True)
class Places:
    """Main (or unified) memory, and the graphics cards that work together, largest free memory first.

    `unused` says in words why a graphics device of this machine is left out.
    """

    main: Place
    cards: tuple[Place, ...] = ()
    unused: tuple[str, ...] = ()


def places_of(machine: Machine) -> Places:
    """The memories of a machine. Borrowed (shared) memory is never counted as a card's own.

    Cards of different kinds are not pooled: the kind with the most free memory is used, the others are named.
    Where the engine on this machine lists no graphics device, none is used.
    """
    unified = next((gpu for gpu in machine.gpus if gpu.kind == "unified"), None)
    if unified is not None:
        return Places(_unified(machine, unified))
    discrete = [gpu for gpu in machine.gpus if gpu.kind == "discrete" and gpu.memory_total > 0]
    main = _main(machine)
    if not discrete:
        return Places(main)
    if machine.engine_devices and not any(device.kind == "gpu" for device in machine.engine_devices):
        return Places(main, (), tuple(f"{gpu.name} is not used: this build runs on the processor" for gpu in discrete))
    groups: dict[tuple[str, int], list[Gpu]] = {}
    for gpu in discrete:
        groups.setdefault((gpu.name, gpu.memory_total), []).append(gpu)
    chosen = max(groups.values(), key=lambda group: sum(_card(gpu).free for gpu in group))
    cards = sorted((_card(gpu) for gpu in chosen), key=lambda card: -card.free)
    others = [gpu.name for group in groups.values() if group is not chosen for gpu in group]
    return Places(
        main, tuple(cards), tuple(f"{name} is not used together with another kind of card" for name in others)
    )


def _main(machine: Machine) -> Place:
    memory = machine.memory
    reserve = _reserve(memory.available, 256 * MIB, GIB)
    free = max(0, min(memory.available, memory.total) - reserve)
    return Place("memory", "memory", memory.total, free, reserve, memory.bandwidth)


def _reserve(free: int, least: int, most: int) -> int:
    """A sixteenth of what is free, within bounds, is left to the system: more free memory always leaves more."""
    return min(most, max(least, free // 16))


def _unified(machine: Machine, gpu: Gpu) -> Place:
    """Apple's shared memory: graphics may use two thirds of it (three quarters above 36 GB), as Metal reports."""
    memory = machine.memory
    reserve = _reserve(memory.available, 512 * MIB, 2 * GIB)
    working_set = memory.total * 3 // 4 if memory.total > 36 * GIB else memory.total * 2 // 3
    if 0 < gpu.memory_total < memory.total:
        working_set = gpu.memory_total
    free = max(0, min(memory.available - reserve, working_set))
    bandwidth = gpu.bandwidth or bandwidth_by_name(gpu.name, memory.total) or memory.bandwidth
    return Place(gpu.name, "unified", memory.total, free, reserve, bandwidth)


def _card(gpu: Gpu) -> Place:
    """A graphics card keeps some for the display and the driver's own work."""
    reserve = _reserve(gpu.memory_free, 256 * MIB, GIB)
    free = max(0, min(gpu.memory_free, gpu.memory_total) - reserve)
    bandwidth = gpu.bandwidth or bandwidth_by_name(gpu.name, gpu.memory_total)
    return Place(gpu.name, "gpu", gpu.memory_total, free, reserve, bandwidth)
