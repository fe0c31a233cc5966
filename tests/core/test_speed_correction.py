"""Real chats refine the estimates of other models on the same computer."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snug.core.catalogue import facts_of, load_catalogue
from snug.core.fit import FitSettings, SpeedRange
from snug.core.memory_fit import fit
from snug.core.speed_correction import (
    WIDEST,
    Correction,
    Corrections,
    Observation,
    corrected,
    correction_of,
)
from snug.core.speed_learning import learnt
from tests.core.machines import card, machine

ESTIMATE = SpeedRange(7.0, 10.0, 13.0)
rates = st.floats(min_value=1e-3, max_value=1e5)
observations = st.lists(st.builds(Observation, rates, rates), max_size=12)


def test_without_a_chat_the_estimate_stays() -> None:
    assert corrected(ESTIMATE, correction_of([])) == ESTIMATE


def test_a_computer_that_was_slower_with_three_models_is_foretold_slower_with_a_fourth() -> None:
    learnt = correction_of([Observation(10, 7), Observation(40, 28), Observation(3, 2.1)])
    assert 0.7 <= learnt.factor < 0.8
    assert corrected(ESTIMATE, learnt).mid == pytest.approx(10 * learnt.factor)


def test_one_chat_moves_the_estimate_half_way() -> None:
    assert correction_of([Observation(10, 6.4)]).factor == pytest.approx(0.8)


def test_more_models_that_agree_move_it_farther_and_narrow_the_range() -> None:
    few, many = (correction_of([Observation(10, 8)] * count) for count in (1, 8))
    assert many.factor < few.factor
    wide, narrow = corrected(ESTIMATE, few), corrected(ESTIMATE, many)
    assert narrow.high / narrow.low < wide.high / wide.low < ESTIMATE.high / ESTIMATE.low


def test_models_that_disagree_leave_a_wide_range() -> None:
    agreed = correction_of([Observation(10, 10)] * 4)
    torn = correction_of([Observation(10, 7), Observation(10, 9), Observation(10, 11), Observation(10, 14)])
    assert corrected(ESTIMATE, torn).high > corrected(ESTIMATE, agreed).high


def test_one_chat_beside_a_busy_program_hardly_counts() -> None:
    learnt = correction_of([Observation(10, 10)] * 4 + [Observation(10, 0.5)])
    assert learnt.factor == pytest.approx(1.0)


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.inf, math.nan])
def test_a_rate_that_is_none_is_left_out(wrong: float) -> None:
    assert correction_of([Observation(10, wrong), Observation(wrong, 10)]) == Correction()


def test_chats_with_two_models_on_a_machine_move_the_estimate_of_a_third() -> None:
    path = Path(__file__).parents[2] / "resources" / "catalogue" / "models.json"
    one, other, third = (facts_of(entry, "Q4_K_M") for entry in load_catalogue(path)[:3])
    here = machine(32)
    before = fit(third, FitSettings(), here).speed
    measured = []
    for facts in (one, other):
        speed = fit(facts, FitSettings(), here).speed
        assert speed is not None
        measured.append((facts, 0.6 * speed.mid))
    assert before is not None
    after = corrected(before, learnt([*measured, (third, None)], here).processor)
    assert 0.6 * before.mid < after.mid < 0.8 * before.mid
    moved = replace(here, speed_correction=learnt(measured, here))
    assert fit(third, FitSettings(), moved).speed == after
    assert learnt(measured, moved) == moved.speed_correction


def test_a_model_that_sits_in_the_cache_teaches_nothing() -> None:
    path = Path(__file__).parents[2] / "resources" / "catalogue" / "models.json"
    tiny = replace(facts_of(load_catalogue(path)[0], "Q4_K_M"), weight_bytes=7_000_000)
    assert learnt([(tiny, 900.0)], machine(32)) == Corrections()


def test_what_the_processor_does_says_nothing_of_a_card() -> None:
    """A model too large for the card, which the processor runs slowly, must not make one on the card look slow."""
    path = Path(__file__).parents[2] / "resources" / "catalogue" / "models.json"
    entries = {entry.key: entry for entry in load_catalogue(path)}
    small, other = (facts_of(entries[key], "Q4_K_M") for key in ("qwen3-8b", "gemma-4-12b-it"))
    plain, both = machine(32), machine(32, card(gigabytes=16))
    slow = fit(other, FitSettings(), plain).speed
    before = fit(small, FitSettings(), both).speed
    assert slow is not None
    taught = learnt([(other, 0.5 * slow.mid)], plain)
    assert taught.processor.models == 1
    assert taught.cards == taught.both == Correction()
    assert fit(small, FitSettings(), replace(both, speed_correction=taught)).speed == before
    on_card = fit(small, FitSettings(), both).speed
    assert on_card is not None
    assert learnt([(small, 0.5 * on_card.mid)], both).cards.factor < 1
    assert learnt([(small, 0.5 * on_card.mid)], both).processor == Correction()


def test_processor_and_card_together_lie_between_the_two_until_they_are_measured() -> None:
    slower, faster = Correction(0.5, 0.1, 4), Correction(2.0, 0.2, 2)
    assert Corrections(slower, faster).of("both") == Correction(1.0, 0.2, 2)
    assert Corrections(slower).of("both") == Correction()
    assert Corrections(slower, faster, Correction(0.7, 0.0, 1)).of("both").factor == 0.7


@given(observations)
def test_any_chats_give_a_sane_factor_and_an_ordered_range_no_wider_than_before(seen: list[Observation]) -> None:
    learnt = correction_of(seen)
    assert 1 / WIDEST <= learnt.factor <= WIDEST
    after = corrected(ESTIMATE, learnt)
    assert 0 < after.low <= after.mid <= after.high
    assert after.high / after.low <= ESTIMATE.high / ESTIMATE.low * (1 + 1e-9)
