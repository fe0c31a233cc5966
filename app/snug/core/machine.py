"""What a computer is: figures with their sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from snug.core.known_files import KnownFiles
from snug.core.speed_correction import NO_CORRECTIONS, Corrections

GPU_KINDS = ("discrete", "integrated", "unified")


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

    `total` and `available` already respect the limit. Swap is shown, never counted; huge pages that are set aside
    (`huge_pages`) are part of `total` and never of `available`. `kind` ("DDR5"), `speed_mts` (million transfers a
    second), `channels` and `rated_bandwidth`, which follows from them, are what the firmware says of the modules.
    """

    total: int = 0
    available: int = 0
    bandwidth: float | None = None
    limit: int | None = None
    swap_total: int = 0
    huge_pages: int = 0
    kind: str = ""
    speed_mts: int = 0
    channels: int = 0
    rated_bandwidth: float | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """A program that holds memory now, all its processes together, by its name for people ("Firefox")."""

    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Gpu:
    """One graphics device. Memory in bytes, bandwidth in bytes/s; `kind` is one of `GPU_KINDS`.

    "discrete" has memory of its own; "integrated" borrows main memory; "unified" shares fast main memory, as on
    Macs and the DGX Spark.
    `memory_shared` is what it may borrow of main memory beyond its own: never to be added to `memory_total`.
    `pci_id` is the bus address ("0000:01:00.0"), by which two sources know the same device; `device_id` says which
    product it is ("10de:2504", vendor and device, AMD's with the revision behind them). `memory_used` is what
    programs and the driver hold, `holders` who they are; `part_of` names the whole card that a partition (MIG) is cut
    from, and the whole card is then not listed.
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
    device_id: str = ""
    memory_used: int = 0
    memory_shared_used: int = 0
    memory_clock_mhz: int = 0
    bus_width_bits: int = 0
    part_of: str = ""
    holders: tuple[Holder, ...] = ()


@dataclass(frozen=True, slots=True)
class Npu:
    """A processor for neural networks that is there; llama.cpp has no back-end for it, so Snug does not use it."""

    name: str
    driver: str = ""


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk that holds `path`: free and total bytes."""

    path: str
    free: int
    total: int

    @property
    def key(self) -> str:
        """Its name among figures and sources: by the folder, so that a person's figure never means another disk."""
        return f"disks.{self.path}"


@dataclass(frozen=True, slots=True)
class EngineDevice:
    """A device as llama.cpp itself lists it. Memory in bytes; `kind` is "cpu", "gpu", "igpu" or "accel".

    `device_id` is the bus address as in `Gpu.pci_id`, where the back-end knows it.
    """

    name: str
    description: str
    kind: str
    memory_total: int
    memory_free: int
    device_id: str = ""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One figure of which the system and the engine say things more than a tenth apart. Bytes.

    `key` is the figure's dotted path, `what` its device in words; `is_engine_believed` says which of the two stands
    in the machine, `why` is the reason as the end of a sentence.
    """

    key: str
    what: str
    system_bytes: int
    engine_bytes: int
    is_engine_believed: bool
    why: str


@dataclass(frozen=True, slots=True)
class Machine:
    """A computer. `sources` says where a figure came from, `unread` why one could not be read.

    Keys of both are dotted paths such as "memory.total" or "gpus.0.memory_free". `speed_correction` is what chats and
    tests on it taught about its speed, `reading_correction` the same for prompts; they belong to this home, not to a
    reading, and no machine file carries them.
    `memory_holders` are the programs that hold the most main memory now, the largest first; `model` is the computer's
    own name or identifier ("Mac15,9"). `gives_back` is what a model that Snug had loaded at the reading held of
    "memory" and of "gpus.0"…: bytes that are not free, and will be when it goes. `arriving` are the repositories,
    in small letters, of which a download is under way. `known_files` are the models of this
    home.
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
    speed_correction: Corrections = NO_CORRECTIONS
    reading_correction: Corrections = NO_CORRECTIONS
    model: str = ""
    npus: tuple[Npu, ...] = ()
    memory_holders: tuple[Holder, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    gives_back: Mapping[str, int] = field(default_factory=dict)
    known_files: KnownFiles = field(default_factory=dict)
    arriving: frozenset[str] = frozenset()
