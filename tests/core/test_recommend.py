"""Recommendations: honest, different in character, with reasons."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snug.core.candidates import candidate_of
from snug.core.catalogue import CatalogueEntry, facts_of, load_catalogue, projector_bytes
from snug.core.disk_room import lacking_on_disk
from snug.core.fit import FitSettings, Verdict
from snug.core.machine import Machine
from snug.core.memory_fit import fit
from snug.core.quality import level_of, quantisation_loss
from snug.core.recommend import (
    SLOW_READING_WORDS_PER_S,
    USES,
    best_type,
    is_good_for,
    nothing_fits_words,
    recommend,
)
from snug.core.what_changes import with_more_graphics, with_more_memory
from snug.core.words import words_per_second
from tests.core.machines import apple, card, computers, machine, machines

CATALOGUE = load_catalogue(Path(__file__).parents[2] / "resources" / "catalogue" / "models.json")
ENTRIES = {entry.key: entry for entry in CATALOGUE}
EXAMPLES = 10_000 if os.environ.get("SNUG_FULL_TESTS") == "1" else 12

NOTICEABLE = 0.1
"""Doublings: less than a tenth of the size that a model works like."""


def rank_of(entry: CatalogueEntry, use: str = "chat", file_type: str = "") -> float:
    """What a model is worth before the machine counts: its effective size in billions, at a type where given."""
    return float(2 ** (level_of(entry, use) - (quantisation_loss(entry, file_type) if file_type else 0.0)))


COMPUTERS = {
    "small laptop": machine(8, bandwidth=35e9, cores=4),
    "laptop": machine(16),
    "desktop with a card": machine(32, card()),
    "mac": apple(32),
    "workstation": machine(128, card("NVIDIA H100 80GB HBM3", 80, 3350e9)),
}


@pytest.mark.parametrize("computer", COMPUTERS.values(), ids=COMPUTERS)
def test_three_picks_of_different_models_with_a_sentence_each(computer: Machine) -> None:
    picks = recommend(CATALOGUE, computer)
    assert len(picks) == 3
    assert len({pick.entry.key for pick in picks}) == 3
    assert len({pick.badge for pick in picks}) == 3
    assert all(pick.why.endswith(".") and pick.fit.verdict is not Verdict.TOO_BIG for pick in picks)


@pytest.mark.parametrize("computer", COMPUTERS.values(), ids=COMPUTERS)
def test_the_first_pick_answers_at_least_as_fast_as_slow_reading(computer: Machine) -> None:
    first = recommend(CATALOGUE, computer)[0]
    assert first.fit.speed is not None
    assert words_per_second(first.fit.speed.mid) >= SLOW_READING_WORDS_PER_S


@pytest.mark.parametrize("computer", COMPUTERS.values(), ids=COMPUTERS)
def test_the_second_is_by_another_maker_and_the_third_is_the_fastest(computer: Machine) -> None:
    first, second, third = recommend(CATALOGUE, computer)
    assert second.entry.maker != first.entry.maker
    assert third.badge == "Fastest"
    assert first.fit.speed is not None
    assert third.fit.speed is not None
    assert third.fit.speed.mid > first.fit.speed.mid


@pytest.mark.parametrize(("use", "word"), USES.items())
def test_what_is_picked_is_good_for_what_was_asked(use: str, word: str) -> None:
    picks = recommend(CATALOGUE, machine(32, card()), use)
    assert len(picks) == 3
    assert all(is_good_for(pick.entry, word) for pick in picks)


def test_tools_are_for_models_that_say_so_or_passed_a_test() -> None:
    assert is_good_for(ENTRIES["gpt-oss-20b"], "tools")
    assert is_good_for(ENTRIES["qwen3.5-9b"], "tools")
    assert not is_good_for(ENTRIES["phi-4"], "tools")


def test_a_model_that_is_here_already_is_offered_first_and_costs_no_download() -> None:
    computer = machine(32, card())
    best = recommend(CATALOGUE, computer)[0]
    near = recommend(CATALOGUE, computer, here=[("gemma-4-12b-it", "Q4_K_M")])[0]
    assert best.entry.key != "gemma-4-12b-it"
    assert (near.entry.key, near.file_type, near.is_here, near.download_bytes) == ("gemma-4-12b-it", "Q4_K_M", True, 0)
    assert near.why.startswith("Already on this computer")
    far = recommend(CATALOGUE, computer, here=[("gemma-3-270m-it", "Q8_0"), ("unknown", "Q8_0")])[0]
    assert far.entry.key == best.entry.key


def test_models_trained_for_a_type_are_picked_in_it_from_where_it_is() -> None:
    picks = {pick.entry.key: pick for pick in recommend(CATALOGUE, apple(16))}
    gemma = picks["gemma-4-12b-it"]
    assert gemma.file_type == "Q4_0"
    assert gemma.entry.gguf_repos[0] == "google/gemma-4-12B-it-qat-q4_0-gguf"
    found = best_type(ENTRIES["gpt-oss-20b"], machine(64, card("NVIDIA H100 80GB HBM3", 80, 3350e9)))
    assert found is not None
    assert found[0] == "MXFP4"


def test_room_and_speed_to_spare_are_used_for_the_file_that_loses_nothing() -> None:
    picks = recommend(CATALOGUE, machine(128, card("NVIDIA H100 80GB HBM3", 80, 3350e9)))
    assert picks[0].file_type == "Q8_0"
    assert "hardly reduced" in picks[0].why


def test_a_model_trained_for_a_type_is_not_taken_in_a_larger_one() -> None:
    found = best_type(ENTRIES["gemma-4-31b-it"], machine(128, card("NVIDIA H100 80GB HBM3", 80, 3350e9)))
    assert found is not None
    assert found[0] == "Q4_0"


def test_the_type_leaves_main_memory_to_other_programs_where_a_coarser_one_costs_little() -> None:
    """At Q8_0 a model of 14B would fit well in 20 GB of free memory, and fill it."""
    fast = machine(32, free_gb=19, bandwidth=800e9, cores=64)
    found = candidate_of(ENTRIES["qwen3-14b"], fast)
    assert found is not None
    main = found.fit.memory.devices[0]
    assert found.fit.verdict is Verdict.FITS_WELL
    assert (main.needed - main.parts.conversation) / main.free <= 0.75


def test_a_measured_loss_changes_the_type() -> None:
    entry = ENTRIES["qwen3.5-9b"]
    computer = machine(16)
    usual = candidate_of(entry, computer)
    spoilt = candidate_of(entry, computer, measured={(entry.key, usual.file_type): 2.0} if usual else {})
    assert usual is not None
    assert spoilt is not None
    assert spoilt.file_type != usual.file_type


def test_an_unknown_use_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="cooking"):
        recommend(CATALOGUE, machine(16), "cooking")


def test_on_a_computer_where_nothing_fits_nothing_is_picked_and_the_reason_said() -> None:
    tiny = machine(0.5, free_gb=0.3)
    assert recommend(CATALOGUE, tiny) == ()
    assert "No model fits" in nothing_fits_words(CATALOGUE, tiny)


def test_where_nothing_fits_for_a_use_the_smallest_model_of_that_use_is_named() -> None:
    small = machine(2.5, free_gb=1.9)
    assert recommend(CATALOGUE, small) != ()
    assert recommend(CATALOGUE, small, "code") == ()
    words = nothing_fits_words(CATALOGUE, small, "code")
    assert words.startswith("No model made for programming fits: even the smallest, ")
    assert "too little" in words


def test_what_is_picked_for_pictures_fits_with_the_part_that_sees_them() -> None:
    seer = ENTRIES["qwen3-vl-2b-instruct"]
    part = projector_bytes(seer)
    assert 0.8e9 < part < 0.83e9  # of Qwen3-VL 2B: 407 million parameters in half precision
    assert projector_bytes(ENTRIES["smollm3-3b"]) == 0
    small = machine(2.5, free_gb=2.1)
    assert candidate_of(seer, small) is not None
    assert candidate_of(seer, small, "vision") is None
    for free_gb in (2.5, 3, 4, 6, 8, 12, 24):
        for pick in recommend(CATALOGUE, machine(2 * free_gb, free_gb=free_gb), "vision"):
            seeing = FitSettings(projector_bytes=projector_bytes(pick.entry))
            answer = fit(facts_of(pick.entry, pick.file_type), seeing, machine(2 * free_gb, free_gb=free_gb))
            assert answer.verdict is not Verdict.TOO_BIG, (free_gb, pick.entry.key)
            assert pick.projector_bytes == projector_bytes(pick.entry) > 0


def test_where_everything_is_slower_than_reading_that_is_said() -> None:
    picks = recommend([ENTRIES["llama-3.3-70b-instruct"]], machine(128))
    assert [pick.badge for pick in picks] == ["Slow here"]
    assert "slow" in picks[0].why


def test_with_an_unknown_bandwidth_the_first_pick_is_small_and_says_why() -> None:
    first = recommend(CATALOGUE, machine(32, bandwidth=None))[0]
    assert (first.entry.active_parameters or first.entry.parameters) <= 4_000_000_000
    assert "not known yet" in first.why


def test_only_a_smaller_model_is_said_to_know_less() -> None:
    for computer in COMPUTERS.values():
        first, _, third = recommend(CATALOGUE, computer)
        assert ("knows less" in third.why) == (third.entry.parameters < first.entry.parameters)


def test_a_small_model_with_speed_to_spare_is_taken_unreduced() -> None:
    found = best_type(ENTRIES["qwen3-0.6b"], machine(32, card()))
    assert found is not None
    assert found[0] == "BF16"


def test_three_bits_are_offered_only_for_large_models() -> None:
    assert best_type(ENTRIES["qwen3-8b"], machine(8, free_gb=5)) is None
    found = best_type(ENTRIES["qwen3-14b"], machine(16, free_gb=10))
    assert found is not None
    assert found[0] == "Q3_K_M"


def test_a_newer_model_ranks_above_an_older_one_of_its_size() -> None:
    assert rank_of(ENTRIES["qwen3.5-9b"]) > rank_of(ENTRIES["llama-3.1-8b-instruct"])
    assert rank_of(ENTRIES["gemma-4-31b-it"]) > rank_of(ENTRIES["gemma-4-12b-it"])


def test_a_larger_card_that_takes_layers_does_not_count_as_less_room() -> None:
    """With a card in use the chosen conversation is shorter, for pace; there is room for the longer one as before."""
    before = machine(11, card(gigabytes=2, bandwidth=None, free=0.5), free_gb=5.5, bandwidth=None, cores=1)
    after = with_more_graphics(before, 2**30)
    one, two = (recommend(CATALOGUE, there, "code", limit=1)[0] for there in (before, after))
    assert two.fit.context < one.fit.context
    assert two.value >= one.value - NOTICEABLE


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(machines())
def test_every_machine_gets_picks_that_fit_or_a_reason(computer: Machine) -> None:
    picks = recommend(CATALOGUE, computer)
    assert all(pick.fit.verdict is not Verdict.TOO_BIG and pick.download_bytes > 0 for pick in picks)
    assert not any(lacking_on_disk(computer, pick.download_bytes) for pick in picks)
    assert len({pick.entry.key for pick in picks}) == len(picks)
    if not picks:
        assert nothing_fits_words(CATALOGUE, computer)
    elif picks[0].badge == "Best answers" and picks[0].fit.speed is not None:
        assert words_per_second(picks[0].fit.speed.mid) >= SLOW_READING_WORDS_PER_S


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(computers(), st.sampled_from(sorted(set(USES.values()))), st.integers(1, 64), st.booleans())
def test_more_memory_never_makes_the_pick_worse(computer: Machine, use: str, gigabytes: int, graphics: bool) -> None:
    more = (with_more_graphics if graphics else with_more_memory)(computer, gigabytes * 2**30)
    before, after = recommend(CATALOGUE, computer, use, limit=1), recommend(CATALOGUE, more, use, limit=1)
    for pick in (*before, *after):
        memory = pick.fit.memory
        assert min(memory.weights, memory.conversation, memory.compute, memory.other, pick.download_bytes) >= 0
        assert rank_of(pick.entry, use, pick.file_type) > 0
    if before and before[0].badge == "Best answers":
        assert after
        ranks = [rank_of(pick.entry, use, pick.file_type) for pick in (before[0], after[0])]
        assert ranks[1] >= ranks[0] or after[0].value >= before[0].value - NOTICEABLE
