"""The speed factor that a library of measured models teaches, from the models' own figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from snug.core.corrections import with_corrections
from snug.core.fit import FitSettings
from snug.core.machine import Machine
from snug.core.memory_fit import fit
from snug.core.model_facts import ModelFacts
from snug.core.speed_correction import UNCORRECTED, Correction, Observation, correction_of

SMALLEST_TEACHER_BYTES = 256 * 1024 * 1024
"""A smaller model sits in the processor's cache in part: it says little about one that does not."""


def believed(
    reading: Machine, corrections: Mapping[str, object], measured: Iterable[tuple[ModelFacts, float | None]]
) -> Machine:
    """The machine that every estimate is made for: what was read, the person's figures, what chats have taught."""
    machine = with_corrections(reading, corrections)
    return replace(machine, speed_correction=learnt(measured, machine))


def learnt(measured: Iterable[tuple[ModelFacts, float | None]], machine: Machine) -> Correction:
    """The correction for this machine from models with their tokens/s here (None: not measured)."""
    unmoved = replace(machine, speed_correction=UNCORRECTED)
    seen = []
    for facts, tokens_per_s in measured:
        if tokens_per_s and facts.weight_bytes >= SMALLEST_TEACHER_BYTES:
            estimate = fit(facts, FitSettings(), unmoved).speed
            if estimate is not None:
                seen.append(Observation(estimate.mid, tokens_per_s))
    return correction_of(seen)
