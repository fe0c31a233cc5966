"""The speed factor that a library of measured models teaches, from the models' own figures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from snug.core.fit import FitSettings
from snug.core.machine import Machine
from snug.core.memory_fit import fit
from snug.core.model_facts import ModelFacts
from snug.core.speed_correction import UNCORRECTED, Correction, Observation, correction_of


def learnt(measured: Iterable[tuple[ModelFacts, float | None]], machine: Machine) -> Correction:
    """The correction for this machine from models with their tokens/s here (None: not measured)."""
    unmoved = replace(machine, speed_correction=UNCORRECTED)
    seen = []
    for facts, tokens_per_s in measured:
        if tokens_per_s:
            estimate = fit(facts, FitSettings(), unmoved).speed
            if estimate is not None:
                seen.append(Observation(estimate.mid, tokens_per_s))
    return correction_of(seen)
