"""Where a model can live on a machine: main memory, graphics memory, or one memory for both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from snug.core.assumed_bandwidth import assumed_bandwidth
from snug.core.fit import Offload, Parts
from snug.core.gpu_bandwidths import bandwidth_by_name
from snug.core.machine import EngineDevice, Gpu, Machine

GIB = 2**30
MIB = 2**20
_NOT_USED = "is not used: this build runs on the processor"


@dataclass(frozen=True, slots=True)
class Place:
    """One memory that can hold weights. `free` is what a model may use: free now, and what a loaded model gives back,
    less `reserve`. All in bytes.

    `kind` is "memory" (processor), "unified" (processor and graphics share it) or "gpu". Bandwidth in bytes/s.
    `engine_name` is what the engine calls it, "" where it was not asked. `is_assumed` marks a bandwidth that
    nobody gave.
    """

    name: str
    kind: str
    total: int
    free: int
    reserve: int
    bandwidth: float | None
    engine_name: str = ""
    gives_back: int = 0
    is_assumed: bool = False


@dataclass(frozen=True, slots=True)
class Places:
    """Main (or unified) memory, and the groups of graphics cards that can work together, the fastest card first.

    `unused` says in words why graphics devices of this machine are left out.
    """

    main: Place
    groups: tuple[tuple[Place, ...], ...] = ()
    unused: tuple[str, ...] = ()

    @property
    def cards(self) -> tuple[Place, ...]:
        """Every card of every group."""
        return tuple(card for group in self.groups for card in group)


def places_of(machine: Machine) -> Places:
    """The memories of a machine. Borrowed (shared) memory is never counted as a card's own.

    Cards that one build of the engine can use together are a group: those that it lists, else those of one maker. A
    partition of a card works alone. Where the engine on this machine lists no graphics device, none is used.
    """
    main = _main(machine)
    is_for_processor = bool(machine.engine_devices) and not any(
        device.kind in ("gpu", "igpu") for device in machine.engine_devices
    )
    unified = next((gpu for gpu in machine.gpus if gpu.kind == "unified"), None)
    if unified is not None:
        if is_for_processor:
            return Places(main, (), (f"{unified.name} {_NOT_USED}",))
        return Places(_unified(machine, unified))
    names = engine_names(machine)
    discrete = [(index, gpu) for index, gpu in enumerate(machine.gpus) if gpu.kind == "discrete" and gpu.memory_total]
    if not discrete:
        return Places(main)
    if machine.engine_devices and not any(device.kind == "gpu" for device in machine.engine_devices):
        return Places(main, (), tuple(f"{gpu.name} {_NOT_USED}" for _, gpu in discrete))
    groups: dict[str, list[Place]] = {}
    for index, gpu in discrete:
        alone = f"alone {index}" if gpu.part_of else ""
        key = alone or ("listed" if names.get(index) else f"{_maker(gpu)} {bool(names)}")
        back = machine.gives_back.get(f"gpus.{index}", 0)
        groups.setdefault(key, []).append(_card(gpu, names.get(index, ""), back))
    return Places(main, tuple(tuple(sorted(cards, key=_slowness)) for cards in groups.values()))


def engine_names(machine: Machine) -> dict[int, str]:
    """The engine's own name for each graphics device, by its place in `machine.gpus`: told by the bus address, else by
    what the device is called (a driver may add words), else, where as many are left on both sides, by their order."""
    free = [device for device in machine.engine_devices if device.kind == "gpu"]
    found: dict[int, str] = {}
    discrete = [(index, gpu) for index, gpu in enumerate(machine.gpus) if gpu.kind == "discrete"]
    for is_same in (_same_address, _same_name, _similar_name):
        for index, gpu in discrete:
            device = next((device for device in free if index not in found and is_same(gpu, device)), None)
            if device is not None:
                found[index] = device.name
                free.remove(device)
    left = [index for index, _ in discrete if index not in found]
    if len(left) == len(free):
        found.update({index: device.name for index, device in zip(left, free, strict=True)})
    return found


def _same_address(gpu: Gpu, device: EngineDevice) -> bool:
    return bool(gpu.pci_id) and gpu.pci_id.casefold() == device.device_id.casefold()


def _same_name(gpu: Gpu, device: EngineDevice) -> bool:
    return gpu.name.casefold() == device.description.casefold()


def _similar_name(gpu: Gpu, device: EngineDevice) -> bool:
    ours, theirs = gpu.name.casefold(), device.description.casefold()
    return bool(ours and theirs) and (ours in theirs or theirs in ours)


def given_back(devices: Sequence[Parts], offload: Offload, machine: Machine) -> dict[str, int]:
    """What comes free when a loaded model goes, as `Machine.gives_back`; `devices` is what its load took.

    Linux counts weights that are mapped from the file as free already; other systems do not.
    """
    if not devices:
        return {}
    if any(gpu.kind == "unified" for gpu in machine.gpus):  # one memory for all of it
        return {"memory": sum(device.total for device in devices)}
    main, *cards = devices
    result = {"memory": main.total - (main.weights if machine.os == "linux" else 0)}
    by_name = {name: index for index, name in engine_names(machine).items()}
    for name, card in zip(offload.devices, cards, strict=False):
        if name in by_name:
            result[f"gpus.{by_name[name]}"] = card.total
    return result


def _slowness(card: Place) -> tuple[float, int]:
    return -(card.bandwidth or 0.0), -card.free


def _maker(gpu: Gpu) -> str:
    """Whose card it is: cards of two makers need two builds of the engine."""
    words = f"{gpu.vendor} {gpu.name}".casefold()
    names = (("amd", "amd"), ("radeon", "amd"), ("instinct", "amd"), ("intel", "intel"), ("arc ", "intel"))
    return next((maker for word, maker in names if word in words), "nvidia")


def _main(machine: Machine) -> Place:
    memory = machine.memory
    back = machine.gives_back.get("memory", 0)
    available = min(memory.available + back, memory.total)
    reserve = _reserve(available, 256 * MIB, GIB)
    return Place(
        "memory", "memory", memory.total, max(0, available - reserve), reserve, memory.bandwidth, gives_back=back
    )


def _reserve(free: int, least: int, most: int) -> int:
    """A sixteenth of what is free, within bounds, is left to the system: more free memory always leaves more."""
    return min(most, max(least, free // 16))


def _unified(machine: Machine, gpu: Gpu) -> Place:
    """One memory for all. Metal lets graphics use two thirds of it (three quarters above 36 GB), CUDA all."""
    memory = machine.memory
    back = machine.gives_back.get("memory", 0)
    available = min(memory.available + back, memory.total)
    reserve = _reserve(available, 512 * MIB, 2 * GIB)
    working_set = memory.total * 3 // 4 if memory.total > 36 * GIB else memory.total * 2 // 3
    if gpu.name.startswith("NVIDIA"):
        working_set = memory.total
    if 0 < gpu.memory_total < memory.total:
        working_set = gpu.memory_total
    free = max(0, min(available - reserve, working_set))
    bandwidth = gpu.bandwidth or bandwidth_by_name(gpu.name, memory.total) or memory.bandwidth
    return Place(gpu.name, "unified", memory.total, free, reserve, bandwidth, gives_back=back)


def _card(gpu: Gpu, engine_name: str, back: int) -> Place:
    """A graphics card keeps some for the display and the driver's own work."""
    available = min(gpu.memory_free + back, gpu.memory_total)
    reserve = _reserve(available, 256 * MIB, GIB)
    known = gpu.bandwidth or bandwidth_by_name(gpu.name, gpu.memory_total)
    bandwidth = known or assumed_bandwidth(gpu.memory_total)
    free = max(0, available - reserve)
    return Place(gpu.name, "gpu", gpu.memory_total, free, reserve, bandwidth, engine_name, back, not known)
