"""The system's figures beside the engine's: where they are more than a tenth apart, one is believed and it says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from snug.core.machine import Disagreement, EngineDevice, Gpu, Machine
from snug.core.machine_words import AS_PROGRAMS_SAY, TAKEN_AS_ALL, name_words

ENGINE_SOURCE = "llama.cpp"
TOLERANCE = 0.10
_NOT_ALL_KNOWN = (TAKEN_AS_ALL, AS_PROGRAMS_SAY)

# Devices that the processor only pretends to be.
_SOFTWARE = ("llvmpipe", "lavapipe", "swiftshader", "microsoft basic render", "software rasterizer")

BORROWED = "the rest is main memory that the card may borrow"
FINDS_ROOM = "it is the engine that has to find room there"
ALL_FREE = "only the driver knows what other programs hold"
METAL = "Metal itself decides how much graphics may use"
CONTAINER = "the engine does not see this container's limit, and the system ends what goes beyond it"
KERNEL = "it is the system that hands the memory out"
COUNTED_ONCE = "what it borrows is main memory, which is counted once"


@dataclass
class _Both:
    """What has been found out so far, while one device after the other is compared."""

    machine: Machine
    gpus: list[Gpu]
    sources: dict[str, str]
    unread: dict[str, str]
    disagreements: list[Disagreement] = field(default_factory=list)


def with_engine_devices(machine: Machine, devices: tuple[EngineDevice, ...]) -> Machine:
    """The machine with the engine's list of devices, each figure that differs by more than a tenth decided.

    A device that only the engine sees is added; what only the engine knows of a device is taken from it. The engine's
    view of memory that a device borrows is never added to the device's own.
    """
    sources = {**machine.sources, **{f"engine_devices.{index}": ENGINE_SOURCE for index in range(len(devices))}}
    both = _Both(replace(machine, engine_devices=devices), list(machine.gpus), sources, dict(machine.unread))
    waiting = [device for device in devices if device.kind in ("gpu", "igpu") and not _is_software(device)]
    rules: dict[str, Callable[[_Both, int, EngineDevice], None]] = {
        "discrete": _discrete, "integrated": _integrated, "unified": _unified,
    }  # fmt: skip
    for index, gpu in enumerate(machine.gpus):
        device = _same_device(gpu, machine.gpus, waiting)
        if device is not None:
            waiting = [other for other in waiting if other is not device and not _is_view_of(other, device)]
            rules[gpu.kind](both, index, device)
    known = {gpu.pci_id for gpu in machine.gpus if gpu.pci_id}
    for device in waiting:
        if device.device_id not in known:
            _add(both, device)
    _main_memory(both, devices)
    unread = {key: why for key, why in both.unread.items() if key not in both.sources}
    return replace(
        both.machine,
        gpus=tuple(both.gpus),
        sources=both.sources,
        unread=unread,
        disagreements=tuple(both.disagreements),
    )


def _same_device(gpu: Gpu, gpus: tuple[Gpu, ...], waiting: list[EngineDevice]) -> EngineDevice | None:
    """The engine's entry for a device: by bus address, else by name, else the only one of both lists."""
    by_address = [device for device in waiting if gpu.pci_id and device.device_id == gpu.pci_id]
    if gpu.part_of:
        # All partitions of a card have its address; one is known by its memory alone, or not at all.
        return next((device for device in by_address if _is_alike(device, gpu)), None)
    if by_address:
        return by_address[0]
    unknown = [device for device in waiting if not device.device_id or not gpu.pci_id]
    name = _plain(gpu.name)
    for is_same in (str.__eq__, str.__contains__):  # "RTX 3060" is part of "RTX 3060 Ti", so equal names come first
        for device in unknown:
            theirs = _plain(device.description)
            if name and theirs and (is_same(theirs, name) or is_same(name, theirs)):
                return device
    return unknown[0] if len(gpus) == len(waiting) == len(unknown) == 1 else None


def _is_view_of(other: EngineDevice, device: EngineDevice) -> bool:
    """Whether two back-ends list one device (CUDA0 and Vulkan0)."""
    if other.device_id and device.device_id:
        return other.device_id == device.device_id and other.name.rstrip("0123456789") != device.name.rstrip(
            "0123456789"
        )
    same = _plain(other.description) in _plain(device.description) or _plain(device.description) in _plain(
        other.description
    )
    return same and other.name.rstrip("0123456789") != device.name.rstrip("0123456789")


def _plain(name: str) -> str:
    words = name_words(name).lower().split(" (")[0]
    for maker in ("nvidia ", "amd ", "intel ", "geforce ", "radeon ", " graphics"):
        words = words.replace(maker, " " if maker.startswith(" ") else "")
    return " ".join(words.split())


def _is_software(device: EngineDevice) -> bool:
    return any(word in device.description.lower() for word in _SOFTWARE)


def _differ(first: int, second: int) -> bool:
    return abs(first - second) > TOLERANCE * max(first, second)


def _is_alike(device: EngineDevice, gpu: Gpu) -> bool:
    is_free_alike = abs(device.memory_free - gpu.memory_free) <= TOLERANCE * gpu.memory_total
    return is_free_alike and not _differ(device.memory_total, gpu.memory_total)


def _discrete(both: _Both, index: int, device: EngineDevice) -> None:
    gpu, here = both.gpus[index], f"gpus.{index}"
    if not gpu.memory_total and device.memory_total:
        gpu = replace(gpu, memory_total=device.memory_total, memory_free=device.memory_free)
        both.sources |= dict.fromkeys((f"{here}.memory_total", f"{here}.memory_free"), _engine(device))
    elif device.memory_total and _differ(gpu.memory_total, device.memory_total):
        smaller = device.memory_total < gpu.memory_total
        why = FINDS_ROOM if smaller else BORROWED
        _disagree(both, f"{here}.memory_total", gpu.name, gpu.memory_total, device.memory_total, smaller, why)
        if smaller:
            free = min(gpu.memory_free, device.memory_free)
            gpu = replace(gpu, memory_total=device.memory_total, memory_free=free)
            both.sources[f"{here}.memory_total"] = _engine(device)
    elif device.memory_total and both.sources.get(f"{here}.memory_free", "").startswith(_NOT_ALL_KNOWN):
        if device.memory_free < gpu.memory_free:
            both.sources[f"{here}.memory_free"] = _engine(device)
        gpu = replace(gpu, memory_free=min(device.memory_free, gpu.memory_free))
    elif device.memory_total and abs(gpu.memory_free - device.memory_free) > TOLERANCE * gpu.memory_total:
        smaller = device.memory_free < gpu.memory_free
        why = FINDS_ROOM if smaller else ALL_FREE
        _disagree(both, f"{here}.memory_free", gpu.name, gpu.memory_free, device.memory_free, smaller, why)
        if smaller:
            gpu = replace(gpu, memory_free=device.memory_free)
            both.sources[f"{here}.memory_free"] = _engine(device)
    both.gpus[index] = gpu


def _unified(both: _Both, index: int, device: EngineDevice) -> None:
    gpu, here = both.gpus[index], f"gpus.{index}"
    if not device.memory_total:
        return
    if gpu.memory_total and _differ(gpu.memory_total, device.memory_total):
        _disagree(both, f"{here}.memory_total", gpu.name, gpu.memory_total, device.memory_total, True, METAL)
    total = device.memory_total
    both.gpus[index] = replace(gpu, memory_total=total, memory_free=min(gpu.memory_free or device.memory_free, total))
    both.sources[f"{here}.memory_total"] = f"{ENGINE_SOURCE} ({device.name}'s recommended working set)"


def _integrated(both: _Both, index: int, device: EngineDevice) -> None:
    gpu = both.gpus[index]
    may_use = gpu.memory_total + gpu.memory_shared
    if may_use and device.memory_total and _differ(may_use, device.memory_total):
        key = f"gpus.{index}.memory_shared"
        _disagree(both, key, gpu.name, may_use, device.memory_total, False, COUNTED_ONCE)


def _add(both: _Both, device: EngineDevice) -> None:
    """A device that only the engine sees. What an integrated one has is main memory, so it gets none of its own."""
    index = len(both.gpus)
    is_card = device.kind == "gpu" and device.memory_total > 0
    both.gpus.append(
        Gpu(
            name=device.description or device.name,
            kind="discrete" if is_card else "integrated",
            memory_total=device.memory_total if is_card else 0,
            memory_free=device.memory_free if is_card else 0,
            pci_id=device.device_id,
        )
    )
    both.sources |= {f"gpus.{index}.{name}": _engine(device) for name in ("name", "memory_total", "memory_free")}


def _main_memory(both: _Both, devices: tuple[EngineDevice, ...]) -> None:
    main = both.machine.memory
    device = next((device for device in devices if device.kind == "cpu" and device.memory_total), None)
    if device and main.total and _differ(main.total, device.memory_total):
        why = CONTAINER if main.limit is not None else KERNEL
        _disagree(both, "memory.total", "Memory", main.total, device.memory_total, False, why)


def _disagree(
    both: _Both, key: str, what: str, system: int, engine: int, is_engine_believed: bool, why: str
) -> None:  # fmt: skip
    both.disagreements.append(Disagreement(key, name_words(what), system, engine, is_engine_believed, why))


def _engine(device: EngineDevice) -> str:
    return f"{ENGINE_SOURCE} ({device.name})"
