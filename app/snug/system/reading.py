"""What one probe found out: figures, the source of each, and why others could not be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from snug.core.machine import Cpu, Disk, Gpu, Holder, Memory, Npu


@dataclass(frozen=True, slots=True)
class ContainerLimit:
    """A container's limits: bytes of memory, bytes of them still free, processors' worth of time."""

    memory: int | None = None
    memory_free: int | None = None
    processors: float | None = None


@dataclass(frozen=True, slots=True)
class Modules:
    """Memory modules: kind ("DDR5"), million transfers a second, channels, and bytes/s that follow from them."""

    kind: str = ""
    speed_mts: int = 0
    channels: int = 0
    rated_bandwidth: float | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The figures of one probe; None and empty mean that it has nothing to say about them.

    Keys of `sources` and `unread` are dotted paths as in `Machine`; graphics devices count from 0 within the
    reading ("gpus.0.name") and are renumbered when readings are combined.
    """

    os_name: str = ""
    cpu: Cpu | None = None
    memory: Memory | None = None
    limit: ContainerLimit | None = None
    modules: Modules | None = None
    bandwidth: float | None = None
    gpus: tuple[Gpu, ...] = ()
    disks: tuple[Disk, ...] = ()
    npus: tuple[Npu, ...] = ()
    memory_holders: tuple[Holder, ...] = ()
    model: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)
    unread: Mapping[str, str] = field(default_factory=dict)
