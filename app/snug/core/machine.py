"""What a computer is: figures with their sources, and the machine file that carries them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from snug.core.errors import UserError

GPU_KINDS = ("discrete", "integrated", "unified")


@dataclass(frozen=True, slots=True)
class Cpu:
    """The processor. `cores` are physical, `threads` logical; `features` are lower-case names such as "avx2"."""

    name: str = ""
    cores: int = 0
    threads: int = 0
    features: tuple[str, ...] = ()
    architecture: str = ""


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
    """

    name: str
    kind: str
    memory_total: int = 0
    memory_free: int = 0
    bandwidth: float | None = None
    vendor: str = ""
    driver: str = ""


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

    Keys of both are dotted paths such as "memory.total" or "gpus.0.memory_free".
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
        ),
        memory=Memory(
            total=int(total),
            available=int(available),
            bandwidth=_optional_number(memory, "bandwidth", "memory.bandwidth"),
            limit=_optional_whole(memory, "limit", "memory.limit"),
            swap_total=int(_number(memory, "swap_total", "memory.swap_total", default=0, minimum=0)),
        ),
        gpus=tuple(_gpu(item, f"gpus.{index}") for index, item in enumerate(_list(top, "gpus", "gpus"))),
    )


def _gpu(document: object, where: str) -> Gpu:
    item = _mapping(document, where)
    kind = _text(item, "kind", f"{where}.kind") or "discrete"
    if kind not in GPU_KINDS:
        raise _bad(f"{where}.kind", f"is {kind!r}; it must be one of {', '.join(GPU_KINDS)}")
    total = _number(item, "memory_total", f"{where}.memory_total", default=0, minimum=0 if kind != "discrete" else 1)
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
    )


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


def _text(owner: Mapping[str, Any], key: str, where: str) -> str:
    value = owner.get(key, "")
    if not isinstance(value, str) or len(value) > 400:
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
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _bad(where, "must be a number")
    if value < minimum:
        raise _bad(where, "must be above zero" if minimum > 0 else "must not be negative")
    if value > 2**60:
        raise _bad(where, "is larger than any computer")
    return value


def _optional_number(owner: Mapping[str, Any], key: str, where: str) -> float | None:
    return None if owner.get(key) is None else float(_number(owner, key, where))


def _optional_whole(owner: Mapping[str, Any], key: str, where: str) -> int | None:
    value = _optional_number(owner, key, where)
    return None if value is None else int(value)
