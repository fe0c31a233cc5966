"""The fit answer's shape: verdict, memory and speed, the same object for badge, details, loader and CLI."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a model sits on a machine."""

    FITS_WELL = "fits_well"
    TIGHT = "tight"
    TOO_BIG = "too_big"


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How the model would be run. `context` in tokens, 0 for "the largest useful one that fits".

    `kv_type` is the KV cache's type ("f16", "q8_0", "q4_0"); `gpu_layers` None lets the plan choose. `extra_buffers`
    lets the engine repack weights for the processor. `projector_bytes` and `adapter_bytes` are the sizes of the files
    that are loaded beside the model: the part that sees pictures, and LoRA adapters.
    """

    context: int = 0
    kv_type: str = "f16"
    gpu_layers: int | None = None
    batch: int = 512
    extra_buffers: bool = False
    projector_bytes: int = 0
    adapter_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Parts:
    """Bytes by what they are for. `repacked` are copies of weights in the processor's own order, `other` what the
    engine's process and the graphics driver take beside the model."""

    weights: int = 0
    conversation: int = 0
    compute: int = 0
    repacked: int = 0
    projector: int = 0
    adapters: int = 0
    other: int = 0

    @property
    def total(self) -> int:
        return (
            self.weights + self.conversation + self.compute + self.repacked
            + self.projector + self.adapters + self.other
        )  # fmt: skip

    def __add__(self, more: Parts) -> Parts:
        return Parts(
            self.weights + more.weights, self.conversation + more.conversation, self.compute + more.compute,
            self.repacked + more.repacked, self.projector + more.projector, self.adapters + more.adapters,
            self.other + more.other,
        )  # fmt: skip


PART_NAMES = ("weights", "conversation", "compute", "repacked", "projector", "adapters", "other")


@dataclass(frozen=True, slots=True)
class DeviceNeed:
    """What one device must hold, and what it has free for a model, in bytes.

    `free` is already less `reserved`, which is left to the system and the display; `gives_back` of it is held by the
    model that is loaded now and comes free when it goes. `parts` says what `needed` is made of.
    """

    name: str
    needed: int
    free: int
    total: int
    reserved: int = 0
    parts: Parts = Parts()
    gives_back: int = 0


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Bytes: weights ("model"), conversation (KV cache and state), compute buffers, other, and their total.

    `repacked`, `projector` and `adapters` are 0 where the settings ask for none of them.
    """

    weights: int
    conversation: int
    compute: int
    other: int
    devices: tuple[DeviceNeed, ...]
    repacked: int = 0
    projector: int = 0
    adapters: int = 0

    @property
    def total(self) -> int:
        return (
            self.weights + self.conversation + self.compute + self.other
            + self.repacked + self.projector + self.adapters
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Offload:
    """How a model is laid out over main memory and graphics cards, as the engine is told.

    The last `gpu_layers` layers lie on the cards (one more than there are: the output head too). `split` says how
    many of them on which card, in the order of `devices`, the engine's own names for them ("" where it was not asked).
    The experts of the first `cpu_experts` layers stay in main memory. The engine counts `draft_layers`, which only
    draft tokens ahead and stay in the file, as layers after the last.
    """

    gpu_layers: int = 0
    split: tuple[int, ...] = ()
    devices: tuple[str, ...] = ()
    cpu_experts: int = 0
    draft_layers: int = 0


NO_OFFLOAD = Offload()


@dataclass(frozen=True, slots=True)
class PlannedMemory:
    """What the engine planned, or really took in a load, for one context, KV type and batch.

    A dry run knows the bytes of conversation and compute buffers. A measured load also knows what each of `devices`
    held: main memory first, then the cards in the order of `offload`; `other` 0 there means that it was not measured.
    """

    context: int
    kv_type: str
    batch: int
    conversation: int
    compute: int
    devices: tuple[Parts, ...] = ()
    offload: Offload = NO_OFFLOAD

    def answers(self, context: int, settings: FitSettings) -> bool:
        """Whether it is about a context of so many tokens with these settings."""
        return (self.context, self.kv_type, self.batch) == (context, settings.kv_type, settings.batch)

    def measured_for(self, context: int, settings: FitSettings, offload: Offload) -> bool:
        """Whether a load of so many tokens with these settings and this layout was measured."""
        return bool(self.devices) and self.offload == offload and self.answers(context, settings)


@dataclass(frozen=True, slots=True)
class SpeedRange:
    """Tokens per second: the low and high ends of the honest range, and the middle."""

    low: float
    mid: float
    high: float


@dataclass(frozen=True, slots=True)
class Fit:
    """The answer. `why` is one sentence; `speed` and `prefill` (the reading of a page; `document_prefill` of a
    longer document) are None when nothing can be said yet.

    `context` is the context length in tokens that the answer is about, `kv_type` the type of its KV cache;
    `gpu_layers` and `offload` the layout over the devices; `basis` is "formula", "dry-run" or "measured".
    """

    verdict: Verdict
    why: str
    memory: MemoryNeed
    speed: SpeedRange | None
    prefill: SpeedRange | None
    context: int
    kv_type: str = "f16"
    gpu_layers: int = 0
    basis: str = "formula"
    offload: Offload = NO_OFFLOAD
    document_prefill: SpeedRange | None = None
