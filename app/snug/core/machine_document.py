"""The machine file: a computer as a JSON document, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from snug.core.document_figures import (
    LARGEST_MEMORY,
    LEAST_SIZE,
    bad_figure,
    count,
    items,
    mapping,
    number,
    optional_number,
    optional_rate,
    text,
    whole,
)
from snug.core.machine import (
    GPU_KINDS,
    Cpu,
    Disagreement,
    Disk,
    EngineDevice,
    Gpu,
    Holder,
    Machine,
    Memory,
    Npu,
)  # fmt: skip

T = TypeVar("T")


def machine_from_document(document: object) -> Machine:
    """The machine that a machine file describes; only what is known need be given.

    Raises UserError (bad_input) that names the first wrong figure: zero, negative, text for a number, a free
    figure above its total, an unknown kind of graphics device.
    """
    top = mapping(document, "the machine file")
    return Machine(
        os=text(top, "os", "os"),
        os_name=text(top, "os_name", "os_name"),
        model=text(top, "model", "model"),
        cpu=_cpu(mapping(top.get("cpu", {}), "cpu")),
        memory=_memory(mapping(top.get("memory", {}), "memory")),
        gpus=_each(top, "gpus", _gpu),
        disks=_each(top, "disks", _disk),
        npus=_each(top, "npus", _npu),
        engine_devices=_each(top, "engine_devices", _engine_device),
        memory_holders=_each(top, "memory_holders", _holder),
        disagreements=_each(top, "disagreements", _disagreement),
        sources=_notes(top, "sources"),
        unread=_notes(top, "unread"),
    )


def machine_document(machine: Machine) -> dict[str, Any]:
    """The machine file of this machine, ready for JSON: `machine_from_document` gives the same machine back.

    Figures that nobody knows are left out rather than written as zero.
    """
    return {
        "os": machine.os,
        "os_name": machine.os_name,
        "model": machine.model,
        "cpu": _known(machine.cpu, "cores", "threads"),
        "memory": _known(machine.memory, *_MEMORY_UNKNOWN),
        "gpus": [
            _known(gpu, *_GPU_UNKNOWN, *(("memory_total",) if gpu.kind == "discrete" else ())) for gpu in machine.gpus
        ],
        "disks": [asdict(disk) for disk in machine.disks],
        "npus": [asdict(npu) for npu in machine.npus],
        "engine_devices": [asdict(device) for device in machine.engine_devices],
        "memory_holders": [asdict(holder) for holder in machine.memory_holders],
        "disagreements": [asdict(disagreement) for disagreement in machine.disagreements],
        "sources": dict(machine.sources),
        "unread": dict(machine.unread),
    }


_MEMORY_UNKNOWN = ("total", "kind", "speed_mts", "channels")
_GPU_UNKNOWN = ("device_id", "memory_clock_mhz", "bus_width_bits", "part_of")


def _known(figures: Any, *unknown_as_nothing: str) -> dict[str, Any]:
    """A dataclass as a mapping without what is None, and without zero or "" of those where that means unknown."""
    return {
        key: value
        for key, value in asdict(figures).items()
        if value is not None and not (key in unknown_as_nothing and not value)
    }


def _each(owner: Mapping[str, Any], key: str, read: Callable[[object, str], T]) -> tuple[T, ...]:
    return tuple(read(item, f"{key}.{index}") for index, item in enumerate(items(owner, key, key)))


def _cpu(cpu: Mapping[str, Any]) -> Cpu:
    cores = whole(cpu, "cores", "cpu.cores", default=1)
    return Cpu(
        name=text(cpu, "name", "cpu.name"),
        cores=cores,
        threads=whole(cpu, "threads", "cpu.threads", default=cores),
        features=tuple(str(item).lower() for item in items(cpu, "features", "cpu.features")),
        architecture=text(cpu, "architecture", "cpu.architecture"),
        limit=optional_number(cpu, "limit", "cpu.limit", minimum=0),
    )


def _memory(memory: Mapping[str, Any]) -> Memory:
    total = number(memory, "total", "memory.total", required=True, minimum=LEAST_SIZE, maximum=LARGEST_MEMORY)
    available = number(memory, "available", "memory.available", default=total, minimum=0)
    if available > total:
        raise bad_figure("memory.available", "is more than memory.total")
    limit = optional_number(memory, "limit", "memory.limit")
    return Memory(
        total=int(total),
        available=int(available),
        bandwidth=optional_rate(memory, "bandwidth", "memory.bandwidth"),
        limit=None if limit is None else int(limit),
        swap_total=count(memory, "swap_total", "memory.swap_total"),
        huge_pages=count(memory, "huge_pages", "memory.huge_pages"),
        kind=text(memory, "kind", "memory.kind"),
        speed_mts=count(memory, "speed_mts", "memory.speed_mts"),
        channels=count(memory, "channels", "memory.channels"),
        rated_bandwidth=optional_rate(memory, "rated_bandwidth", "memory.rated_bandwidth"),
    )


def _gpu(document: object, where: str) -> Gpu:
    item = mapping(document, where)
    kind = text(item, "kind", f"{where}.kind") or "discrete"
    if kind not in GPU_KINDS:
        raise bad_figure(f"{where}.kind", f"is {kind!r}; it must be one of {', '.join(GPU_KINDS)}")
    least = LEAST_SIZE if kind == "discrete" else 0
    total = number(item, "memory_total", f"{where}.memory_total", default=0, minimum=least, maximum=LARGEST_MEMORY)
    free = number(item, "memory_free", f"{where}.memory_free", default=total, minimum=0)
    if free > total:
        raise bad_figure(f"{where}.memory_free", "is more than memory_total")
    return Gpu(
        name=text(item, "name", f"{where}.name") or "graphics card",
        kind=kind,
        memory_total=int(total),
        memory_free=int(free),
        bandwidth=optional_rate(item, "bandwidth", f"{where}.bandwidth"),
        vendor=text(item, "vendor", f"{where}.vendor"),
        driver=text(item, "driver", f"{where}.driver"),
        pci_id=text(item, "pci_id", f"{where}.pci_id"),
        device_id=text(item, "device_id", f"{where}.device_id"),
        part_of=text(item, "part_of", f"{where}.part_of"),
        holders=tuple(
            _holder(holder, f"{where}.holders.{index}")
            for index, holder in enumerate(items(item, "holders", f"{where}.holders"))
        ),
        **{key: count(item, key, f"{where}.{key}") for key in _GPU_COUNTS},
    )


_GPU_COUNTS = ("memory_shared", "memory_used", "memory_shared_used", "memory_clock_mhz", "bus_width_bits")


def _disk(document: object, where: str) -> Disk:
    item = mapping(document, where)
    return Disk(
        path=text(item, "path", f"{where}.path", longest=4096),
        free=count(item, "free", f"{where}.free"),
        total=count(item, "total", f"{where}.total"),
    )


def _engine_device(document: object, where: str) -> EngineDevice:
    item = mapping(document, where)
    return EngineDevice(
        name=text(item, "name", f"{where}.name"),
        description=text(item, "description", f"{where}.description"),
        kind=text(item, "kind", f"{where}.kind"),
        memory_total=count(item, "memory_total", f"{where}.memory_total"),
        memory_free=count(item, "memory_free", f"{where}.memory_free"),
        device_id=text(item, "device_id", f"{where}.device_id"),
    )


def _npu(document: object, where: str) -> Npu:
    item = mapping(document, where)
    return Npu(text(item, "name", f"{where}.name"), text(item, "driver", f"{where}.driver"))


def _holder(document: object, where: str) -> Holder:
    item = mapping(document, where)
    return Holder(text(item, "name", f"{where}.name"), count(item, "size_bytes", f"{where}.size_bytes"))


def _disagreement(document: object, where: str) -> Disagreement:
    item = mapping(document, where)
    return Disagreement(
        key=text(item, "key", f"{where}.key"),
        what=text(item, "what", f"{where}.what"),
        system_bytes=count(item, "system_bytes", f"{where}.system_bytes"),
        engine_bytes=count(item, "engine_bytes", f"{where}.engine_bytes"),
        is_engine_believed=item.get("is_engine_believed") is True,
        why=text(item, "why", f"{where}.why"),
    )


def _notes(owner: Mapping[str, Any], key: str) -> dict[str, str]:
    notes = mapping(owner.get(key, {}), key)
    if len(notes) > 1000:
        raise bad_figure(key, "has more than 1,000 entries")
    return {str(name): text(notes, name, f"{key}.{name}", longest=4096) for name in notes}
