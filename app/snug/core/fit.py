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

    `kv_type` is the KV cache's type ("f16", "q8_0", "q4_0"); `gpu_layers` None lets the plan choose.
    """

    context: int = 0
    kv_type: str = "f16"
    gpu_layers: int | None = None
    batch: int = 512


@dataclass(frozen=True, slots=True)
class DeviceNeed:
    """What one device must hold, and what it has free for a model, in bytes.

    `free` is already less `reserved`, which is left to the system and the display.
    """

    name: str
    needed: int
    free: int
    total: int
    reserved: int = 0


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Bytes: weights ("model"), conversation (KV cache and state), compute buffers, other, and their total."""

    weights: int
    conversation: int
    compute: int
    other: int
    devices: tuple[DeviceNeed, ...]

    @property
    def total(self) -> int:
        return self.weights + self.conversation + self.compute + self.other


@dataclass(frozen=True, slots=True)
class PlannedMemory:
    """What the engine itself planned (its dry run) for one context, KV type and batch: bytes of its buffers."""

    context: int
    kv_type: str
    batch: int
    conversation: int
    compute: int

    def answers(self, context: int, settings: FitSettings) -> bool:
        """Whether it is about a context of so many tokens with these settings."""
        return (self.context, self.kv_type, self.batch) == (context, settings.kv_type, settings.batch)


@dataclass(frozen=True, slots=True)
class SpeedRange:
    """Tokens per second: the low and high ends of the honest range, and the middle."""

    low: float
    mid: float
    high: float


@dataclass(frozen=True, slots=True)
class Fit:
    """The answer. `why` is one sentence; `speed` and `prefill` are None when nothing can be said yet.

    `context` is the context length in tokens that the answer is about, `kv_type` the type of its KV cache;
    `gpu_layers` the offload plan; `basis` is "formula", "dry-run" or "measured".
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
