"""What a computer is: figures with their sources, and the machine file that carries them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from snug.core.errors import UserError
from snug.core.speed_correction import UNCORRECTED, Correction

GPU_KINDS = ("discrete", "integrated", "unified")
LARGEST_FIGURE = 2**60


@dataclass(frozen=True, slots=True)
class Cpu:
    """The processor. `cores` are physical, `threads` logical; `features` are lower-case names such as "avx2".

    `limit` is how many processors' worth of time a container allows (2.5 means two and a half), if any.
    """

    name: str = ""
    cores: int = 0
    threads: int = 0
    features: tuple[str, ...] = ()
    architecture: str = ""
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """Main memory in bytes; bandwidth in bytes/s (None: not known). `limit` is a container's limit, if any.

    `total` and `available` already respect the limit. Swap is shown, never counted.
    """

    total: int = 0
    available: int = 0
    bandwidth: float | None = None
    limit: int | None = None
    swap_total: int = 0


@dataclass(frozen=True, slots=True)
class Gpu:
    """One graphics device. Memory in bytes, bandwidth in bytes/s; `kind` is one of `GPU_KINDS`.

    "discrete" has memory of its own; "integrated" borrows main memory; "unified" is Apple's shared memory.
    `memory_shared` is what it may borrow of main memory beyond its own: never to be added to `memory_total`.
    `pci_id` is the bus address ("0000:01:00.0"), by which two sources know the same device.
    """

    name: str
    kind: str
    memory_total: int = 0
    memory_free: int = 0
    bandwidth: float | None = None
    vendor: str = ""
    driver: str = ""
    memory_shared: int = 0
    pci_id: str = ""


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk that holds `path`: free and total bytes."""

    path: str
    free: int
    total: int


@dataclass(frozen=True, slots=True)
class EngineDevice:
    """A device as llama.cpp itself lists it. Memory in bytes; `kind` is "cpu", "gpu", "igpu" or "accel"."""

    name: str
    description: str
    kind: str
    memory_total: int
    memory_free: int


@dataclass(frozen=True, slots=True)
class Machine:
    """A computer. `sources` says where a figure came from, `unread` why one could not be read.

    Keys of both are dotted paths such as "memory.total" or "gpus.0.memory_free". `speed_correction` is what chats on
    it taught about its speed; it belongs to the library, not to a reading, and no machine file carries it.
    """

    os: str = ""
    os_name: str = ""
    cpu: Cpu = Cpu()
    memory: Memory = Memory()
    gpus: tuple[Gpu, ...] = ()
    disks: tuple[Disk, ...] = ()
    engine_devices: tuple[EngineDevice, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
    speed_correction: Correction = UNCORRECTED


def machine_from_document(document: object) -> Machine:
    """The machine that a machine file describes; only what is known need be given.

    Raises UserError (bad_input) that names the first wrong figure: zero, negative, text for a number, a free
    figure above its total, an unknown kind of graphics device.
    """
    top = _mapping(document, "the machine file")
    cpu = _mapping(top.get("cpu", {}), "cpu")
    memory = _mapping(top.get("memory", {}), "memory")
    total = _number(memory, "total", "memory.total", required=True)
    available = _number(memory, "available", "memory.available", default=total, minimum=0)
    if available > total:
        raise _bad("memory.available", "is more than memory.total")
    cores = int(_number(cpu, "cores", "cpu.cores", default=1))
    return Machine(
        os=_text(top, "os", "os"),
        os_name=_text(top, "os_name", "os_name"),
        cpu=Cpu(
            name=_text(cpu, "name", "cpu.name"),
            cores=cores,
            threads=int(_number(cpu, "threads", "cpu.threads", default=cores)),
            features=tuple(str(item).lower() for item in _list(cpu, "features", "cpu.features")),
            architecture=_text(cpu, "architecture", "cpu.architecture"),
            limit=_optional_number(cpu, "limit", "cpu.limit", minimum=0),
        ),
        memory=Memory(
            total=int(total),
            available=int(available),
            bandwidth=_optional_number(memory, "bandwidth", "memory.bandwidth"),
            limit=_optional_whole(memory, "limit", "memory.limit"),
            swap_total=int(_number(memory, "swap_total", "memory.swap_total", default=0, minimum=0)),
        ),
        gpus=tuple(_gpu(item, f"gpus.{index}") for index, item in enumerate(_list(top, "gpus", "gpus"))),
        disks=tuple(_disk(item, f"disks.{index}") for index, item in enumerate(_list(top, "disks", "disks"))),
        engine_devices=tuple(
            _engine_device(item, f"engine_devices.{index}")
            for index, item in enumerate(_list(top, "engine_devices", "engine_devices"))
        ),
        sources=_notes(top, "sources"),
        unread=_notes(top, "unread"),
    )


def machine_document(machine: Machine) -> dict[str, Any]:
    """The machine file of this machine, ready for JSON: `machine_from_document` gives the same machine back.

    Figures that nobody knows are left out rather than written as zero.
    """
    memory = asdict(machine.memory)
    if not machine.memory.total:
        memory.pop("total")
    return {
        "os": machine.os,
        "os_name": machine.os_name,
        "cpu": _known(asdict(machine.cpu), whole=("cores", "threads")),
        "memory": {key: value for key, value in memory.items() if value is not None},
        "gpus": [
            _known(asdict(gpu), whole=("memory_total",) if gpu.kind == "discrete" else ()) for gpu in machine.gpus
        ],
        "disks": [asdict(disk) for disk in machine.disks],
        "engine_devices": [asdict(device) for device in machine.engine_devices],
        "sources": dict(machine.sources),
        "unread": dict(machine.unread),
    }


def _known(figures: dict[str, Any], whole: tuple[str, ...]) -> dict[str, Any]:
    """`figures` without what is None, and without the zeros of those in `whole`, where zero means unknown."""
    return {key: value for key, value in figures.items() if value is not None and not (key in whole and not value)}


def _gpu(document: object, where: str) -> Gpu:
    item = _mapping(document, where)
    kind = _text(item, "kind", f"{where}.kind") or "discrete"
    if kind not in GPU_KINDS:
        raise _bad(f"{where}.kind", f"is {kind!r}; it must be one of {', '.join(GPU_KINDS)}")
    least = 1 if kind == "discrete" else 0
    total = _number(item, "memory_total", f"{where}.memory_total", default=0, minimum=least)
    free = _number(item, "memory_free", f"{where}.memory_free", default=total, minimum=0)
    if free > total:
        raise _bad(f"{where}.memory_free", "is more than memory_total")
    return Gpu(
        name=_text(item, "name", f"{where}.name") or "graphics card",
        kind=kind,
        memory_total=int(total),
        memory_free=int(free),
        bandwidth=_optional_number(item, "bandwidth", f"{where}.bandwidth"),
        vendor=_text(item, "vendor", f"{where}.vendor"),
        driver=_text(item, "driver", f"{where}.driver"),
        memory_shared=int(_number(item, "memory_shared", f"{where}.memory_shared", default=0, minimum=0)),
        pci_id=_text(item, "pci_id", f"{where}.pci_id"),
    )


def _disk(document: object, where: str) -> Disk:
    item = _mapping(document, where)
    return Disk(
        path=_text(item, "path", f"{where}.path", longest=4096),
        free=int(_number(item, "free", f"{where}.free", default=0, minimum=0)),
        total=int(_number(item, "total", f"{where}.total", default=0, minimum=0)),
    )


def _engine_device(document: object, where: str) -> EngineDevice:
    item = _mapping(document, where)
    return EngineDevice(
        name=_text(item, "name", f"{where}.name"),
        description=_text(item, "description", f"{where}.description"),
        kind=_text(item, "kind", f"{where}.kind"),
        memory_total=int(_number(item, "memory_total", f"{where}.memory_total", default=0, minimum=0)),
        memory_free=int(_number(item, "memory_free", f"{where}.memory_free", default=0, minimum=0)),
    )


def _notes(owner: Mapping[str, Any], key: str) -> dict[str, str]:
    notes = _mapping(owner.get(key, {}), key)
    if len(notes) > 1000:
        raise _bad(key, "has more than 1,000 entries")
    return {str(name): _text(notes, name, f"{key}.{name}", longest=4096) for name in notes}


def _bad(where: str, what: str) -> UserError:
    return UserError(
        f"The machine file cannot be used: {where} {what}.",
        "Correct that figure; sizes are in bytes, bandwidth in bytes a second.",
        kind="bad-machine",
        bad_input=True,
    )


def _mapping(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _bad(where, "must be an object with named figures")
    return value


def _list(owner: Mapping[str, Any], key: str, where: str) -> list[Any]:
    value = owner.get(key, [])
    if not isinstance(value, list | tuple):
        raise _bad(where, "must be a list")
    if len(value) > 64:
        raise _bad(where, "has more than 64 entries")
    return list(value)


def _text(owner: Mapping[str, Any], key: str, where: str, *, longest: int = 400) -> str:
    value = owner.get(key, "")
    if not isinstance(value, str) or len(value) > longest:
        raise _bad(where, "must be a short text")
    return value


def _number(
    owner: Mapping[str, Any],
    key: str,
    where: str,
    *,
    default: float | None = None,
    required: bool = False,
    minimum: float = 1,
) -> float:
    if owner.get(key) is None:
        if required or default is None:
            raise _bad(where, "is missing")
        return default
    value = owner[key]
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or (isinstance(value, float) and math.isnan(value))
    ):
        raise _bad(where, "must be a number")
    if value < minimum:
        raise _bad(where, "must be above zero" if minimum > 0 else "must not be negative")
    if value > LARGEST_FIGURE:
        raise _bad(where, "is larger than any computer")
    return value


def _optional_number(owner: Mapping[str, Any], key: str, where: str, *, minimum: float = 1) -> float | None:
    return None if owner.get(key) is None else float(_number(owner, key, where, minimum=minimum))


def _optional_whole(owner: Mapping[str, Any], key: str, where: str) -> int | None:
    value = _optional_number(owner, key, where)
    return None if value is None else int(value)
