"""A speed test corrects the estimates of the computer that it was made on, and only where it was quiet there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from snug.core.fit import FitSettings
from snug.core.machine import Machine
from snug.core.memory_fit import fit
from snug.core.model_facts import ModelFacts
from snug.core.speed_learning import believed
from snug.core.speed_test import SpeedRow, SpeedTest, computer_of, rows_for
from tests.core.machines import machine
from tests.core.test_speed import CATALOGUE, facts_of

HERE = machine(32)
SMALL, OTHER = (facts_of(CATALOGUE[key], "Q4_K_M") for key in ("qwen3-1.7b", "qwen3-8b"))


def mids(facts: ModelFacts, computer: Machine) -> tuple[float, float]:
    answer = fit(facts, FitSettings(), computer)
    assert answer.speed is not None
    assert answer.prefill is not None
    return answer.speed.mid, answer.prefill.mid


def a_test(factor: float, reading: float, busy: float = 0.0, computer: str = "") -> SpeedTest:
    answer, prompt = mids(SMALL, HERE)
    rows = tuple(SpeedRow(SMALL, factor * answer, reading * prompt, busy) for _ in range(3))
    return SpeedTest(computer or computer_of(HERE), rows)


def test_a_test_moves_answers_and_prompts_of_other_models_apart() -> None:
    after = believed(HERE, {}, (), a_test(0.8, 1.5))
    answer, prompt = mids(OTHER, after)
    before_answer, before_prompt = mids(OTHER, HERE)
    assert answer / before_answer == pytest.approx(0.8, rel=0.1)
    assert prompt / before_prompt == pytest.approx(1.5, rel=0.15)


def test_a_busy_computers_test_moves_nothing() -> None:
    assert mids(OTHER, believed(HERE, {}, (), a_test(0.3, 0.3, busy=0.6))) == mids(OTHER, HERE)
    assert not a_test(0.3, 0.3, busy=0.6).is_quiet


def test_another_computers_test_moves_nothing() -> None:
    other = a_test(0.5, 0.5, computer="another processor | 4")
    assert not list(rows_for(other, HERE))
    assert mids(OTHER, believed(HERE, {}, (), other)) == mids(OTHER, HERE)


def test_tests_and_chats_count_together() -> None:
    answer, _ = mids(OTHER, HERE)
    both = believed(HERE, {}, [(OTHER, 0.8 * answer)], a_test(0.8, 1.0))
    alone = believed(HERE, {}, (), a_test(0.8, 1.0))
    together, before = both.speed_correction.processor, alone.speed_correction.processor
    assert together.models == before.models + 1
    assert together.factor < before.factor


def test_a_correction_is_not_taken_twice() -> None:
    once = believed(HERE, {}, (), a_test(0.8, 1.5))
    again = believed(replace(once), {}, (), a_test(0.8, 1.5))
    assert again.speed_correction == once.speed_correction
    assert again.reading_correction == once.reading_correction


def test_the_tests_own_bandwidth_counts_where_it_is_higher_and_the_persons_figure_before_it() -> None:
    faster = replace(a_test(1.0, 1.0), bandwidth=80e9)
    assert believed(HERE, {}, (), faster).memory.bandwidth == 80e9
    assert believed(HERE, {}, (), replace(faster, bandwidth=20e9)).memory.bandwidth == HERE.memory.bandwidth
    assert believed(HERE, {"memory.bandwidth": 40e9}, (), faster).memory.bandwidth == 40e9
    assert believed(HERE, {}, (), replace(faster, computer="another")).memory.bandwidth == HERE.memory.bandwidth
