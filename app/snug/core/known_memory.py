"""What is known of a model's memory beyond the formula: what the engine planned, and what loads here really took."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from snug.core.fit import FitSettings, Offload, PlannedMemory
from snug.core.model_facts import ModelFacts

LOADS_TO_JUDGE = 3
"""Estimates are judged from so many different loads on."""
KEY_FIELDS = (
    "architecture", "weight_bytes", "file_bytes", "layers", "embedding_length", "vocabulary", "context_max",
    "attention_heads", "kv_heads", "head_dims_k", "head_dims_v", "windows", "input_embedding_bytes", "output_bytes",
    "lookup_bytes", "lookup_length", "expert_bytes", "experts", "experts_used", "feed_forward_length",
    "feed_forward_gated", "recurrent_state_bytes", "latent_kv_length", "shared_kv_layers", "tensor_bytes_by_type",
)  # fmt: skip
"""What a model's memory follows from: two files that agree in all of it need the same."""


class KnownMemory(Protocol):
    """Looks up what is known of a model with exactly these settings; None where nothing is."""

    def planned(self, facts: ModelFacts, settings: FitSettings) -> PlannedMemory | None:
        """The engine's own plan."""

    def measured(self, facts: ModelFacts, settings: FitSettings, offload: Offload) -> PlannedMemory | None:
        """What a load with this layout took."""


@dataclass(frozen=True, slots=True)
class MeasuredLoad:
    """One model and settings that were loaded here: bytes that were estimated before, and that it took."""

    name: str
    estimated: int
    taken: int

    @property
    def error(self) -> float:
        """How far off the estimate was, as a share of what was taken."""
        return abs(self.estimated - self.taken) / max(1, self.taken)


def memory_key(facts: ModelFacts) -> str:
    """A hash that stands for the file wherever its memory is concerned; "" for figures that no header gave."""
    if not facts.exact:
        return ""
    figures = {name: getattr(facts, name) for name in KEY_FIELDS}
    return hashlib.sha256(json.dumps(figures, sort_keys=True).encode()).hexdigest()


def settings_key(settings: FitSettings) -> str:
    """The settings that a plan is about."""
    return f"{settings.context} {settings.kv_type} {settings.batch} {int(settings.extra_buffers)}"


def offload_key(offload: Offload) -> str:
    """The layout that a load was measured with."""
    if not offload.gpu_layers:
        return "cpu"
    split = ",".join(map(str, offload.split))
    return f"{offload.gpu_layers} {split} {','.join(offload.devices)} {offload.cpu_experts} {offload.draft_layers}"


def accuracy_words(loads: Sequence[MeasuredLoad]) -> str:
    """ "Estimates on this computer have been within 3 % (5 loads)."; "" while there are too few to say."""
    if len(loads) < LOADS_TO_JUDGE:
        return ""
    worst = max(1, math.ceil(100 * max(load.error for load in loads)))
    return f"Estimates on this computer have been within {worst} % ({len(loads)} loads)."
