"""The speed factors that a speed test and the library's measured models teach, from the models' own figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from snug.core.corrections import with_corrections
from snug.core.fit import FitSettings
from snug.core.machine import Machine
from snug.core.machine_words import MEASURED_HERE
from snug.core.memory_fit import fit
from snug.core.model_facts import ModelFacts
from snug.core.speed_correction import (
    NO_CORRECTIONS,
    Corrections,
    Observation,
    corrections_of,
    plan_kind,
    reading_kind,
)
from snug.core.speed_test import SpeedRow, SpeedTest, computer_of, rows_for

SMALLEST_TEACHER_BYTES = 240 * 1024 * 1024
"""A smaller model sits in the processor's cache in part: it says little about one that does not."""


def believed(
    reading: Machine,
    corrections: Mapping[str, object],
    measured: Iterable[tuple[ModelFacts, float | None]],
    test: SpeedTest | None = None,
) -> Machine:
    """The machine that every estimate is made for: what was read, the person's figures, what tests and chats taught."""
    machine = with_corrections(with_tested_bandwidth(reading, test), corrections)
    rows = tuple(rows_for(test, machine))
    return replace(
        machine, speed_correction=learnt(measured, machine, rows), reading_correction=reading_learnt(rows, machine)
    )


def with_tested_bandwidth(reading: Machine, test: SpeedTest | None) -> Machine:
    """The reading with the test's memory bandwidth where that is higher: other programs only ever slow one down."""
    if test is None or test.computer != computer_of(reading) or test.bandwidth <= (reading.memory.bandwidth or 0.0):
        return reading
    return replace(
        reading,
        memory=replace(reading.memory, bandwidth=test.bandwidth),
        sources={**reading.sources, "memory.bandwidth": f"{MEASURED_HERE} by the speed test"},
        unread={key: why for key, why in reading.unread.items() if key != "memory.bandwidth"},
    )


def learnt(
    measured: Iterable[tuple[ModelFacts, float | None]], machine: Machine, rows: Iterable[SpeedRow] = ()
) -> Corrections:
    """The corrections of answers from models with their tokens/s here (None: not measured) and the test's `rows`."""
    unmoved = _unmoved(machine)
    seen: dict[str, list[Observation]] = defaultdict(list)
    for facts, tokens_per_s in (*((row.facts, row.tokens_per_s) for row in rows), *measured):
        if tokens_per_s and facts.weight_bytes >= SMALLEST_TEACHER_BYTES:
            answer = fit(facts, FitSettings(), unmoved)
            if answer.speed is not None:
                kind = plan_kind(answer.offload, facts.layers)
                seen[kind].append(Observation(answer.speed.mid, tokens_per_s))
    return corrections_of(seen)


def reading_learnt(rows: Iterable[SpeedRow], machine: Machine) -> Corrections:
    """The same for the reading of prompts; chats do not tell it, for they keep most of a prompt from turn to turn."""
    unmoved = _unmoved(machine)
    seen: dict[str, list[Observation]] = defaultdict(list)
    for row in rows:
        answer = fit(row.facts, FitSettings(), unmoved)
        if answer.prefill is not None:
            kind = reading_kind(answer.offload)
            seen[kind].append(Observation(answer.prefill.mid, row.prompt_tokens_per_s))
    return corrections_of(seen)


def _unmoved(machine: Machine) -> Machine:
    """The machine as its figures alone tell it: what was measured with its models would answer for the estimate."""
    return replace(machine, speed_correction=NO_CORRECTIONS, reading_correction=NO_CORRECTIONS, known_files={})
