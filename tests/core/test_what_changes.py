"""What would change a pick: found by asking again, never from a table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from snug.core.candidates import candidate_of
from snug.core.catalogue import load_catalogue
from snug.core.machine import Machine
from snug.core.recommend import recommend
from snug.core.what_changes import (
    NOTHING_BETTER,
    ONCE_MEASURED,
    changes,
    model_changes,
    variants,
    with_faster_memory,
    with_more_graphics,
    with_more_memory,
)
from tests.core.machines import apple, card, machine

CATALOGUE = load_catalogue(Path(__file__).parents[2] / "resources" / "catalogue" / "models.json")
ENTRIES = {entry.key: entry for entry in CATALOGUE}
GIB = 2**30
COMPUTERS = {"laptop": machine(16), "card": machine(32, card()), "mac": apple(16)}


@pytest.mark.parametrize("computer", COMPUTERS.values(), ids=COMPUTERS)
def test_what_the_sentence_promises_is_what_the_changed_machine_is_offered(computer: Machine) -> None:
    picks = recommend(CATALOGUE, computer)
    sentences = changes(CATALOGUE, computer, "chat", picks)
    assert len(sentences) == len(picks)
    by_words = dict(variants(computer))
    assert all(sentences)
    for index, sentence in enumerate(sentences):
        if " instead (" in sentence:
            words, _, rest = sentence.partition(": ")
            there = recommend(CATALOGUE, by_words[words])[index]
            assert rest.startswith(there.entry.name)
            assert there.entry.key != picks[index].entry.key


def test_a_model_that_does_not_fit_says_what_it_would_take() -> None:
    assert "it would fit" in model_changes(ENTRIES["qwen3.5-9b"], machine(8, free_gb=4))
    giant = replace(ENTRIES["llama-3.3-70b-instruct"], parameters=10**12, layers=120)
    assert model_changes(giant, machine(8)).startswith("No usual amount")


def test_a_model_with_all_it_can_use_says_nothing() -> None:
    assert model_changes(ENTRIES["qwen3-0.6b"], machine(128, card("NVIDIA H100 80GB HBM3", 80, 3350e9))) == ""


def test_the_variants_are_the_same_machine_with_more() -> None:
    computer = machine(32, card())
    more = with_more_memory(computer, 8 * GIB)
    assert more.memory.available == computer.memory.available + 8 * GIB
    assert more.gpus == computer.gpus
    grown = with_more_graphics(computer, 8 * GIB)
    assert grown.gpus[0].memory_free == computer.gpus[0].memory_free + 8 * GIB
    faster = with_faster_memory(computer, 2.0)
    assert faster.memory.bandwidth == 2 * (computer.memory.bandwidth or 0)
    assert faster.gpus[0].bandwidth == 720e9


def test_a_mac_is_offered_memory_and_no_graphics_memory() -> None:
    assert not any("graphics" in words for words, _ in variants(apple(16)))
    assert any("graphics" in words for words, _ in variants(machine(32, card())))
    assert not any("fast" in words for words, _ in variants(machine(16, bandwidth=None)))


@pytest.mark.parametrize("computer", COMPUTERS.values(), ids=COMPUTERS)
@pytest.mark.parametrize("use", ["chat", "code", "documents"])
def test_every_change_gains_something_that_this_computer_cannot_have(computer: Machine, use: str) -> None:
    picks = recommend(CATALOGUE, computer, use)
    by_words = dict(variants(computer))
    for index, sentence in enumerate(changes(CATALOGUE, computer, use, picks)):
        if " instead (" in sentence:
            there = recommend(CATALOGUE, by_words[sentence.partition(": ")[0]], use)[index]
            here = candidate_of(there.entry, computer, use)
            assert there.value > picks[index].value
            assert here is None or there.value > here.value


def test_the_change_is_asked_of_the_same_library_and_measurements() -> None:
    computer = machine(16)
    lossy = {(entry.key, name): 1.0 for entry in CATALOGUE for name in ("Q4_K_M", "Q5_K_M", "Q6_K")}
    picks = recommend(CATALOGUE, computer, measured=lossy)
    by_words = dict(variants(computer))
    said = [text for text in changes(CATALOGUE, computer, "chat", picks, measured=lossy) if " instead (" in text]
    assert said
    for sentence in said:
        words, _, rest = sentence.partition(": ")
        names = [pick.entry.name for pick in recommend(CATALOGUE, by_words[words], measured=lossy)]
        assert any(rest.startswith(f"{name} instead") for name in names)


def test_a_pick_that_nothing_would_replace_says_what_would_improve_it_or_that_nothing_would() -> None:
    slow = machine(64, bandwidth=10e9)
    only = [ENTRIES["qwen3.5-9b"]]
    assert changes(only, slow, "chat", recommend(only, slow)) == (
        "With memory four times as fast it would write about 4.6 words a second.",
    )
    rich = machine(256, card("NVIDIA H100 80GB HBM3", 80, 3350e9))
    assert set(changes(only, rich, "chat", recommend(only, rich))) == {NOTHING_BETTER}
    unknown = machine(32, bandwidth=None)
    assert set(changes(CATALOGUE, unknown, "chat", recommend(CATALOGUE, unknown))) == {ONCE_MEASURED}


def test_nobody_is_told_to_add_more_to_a_card_than_cards_have() -> None:
    words = [text for text, _ in variants(machine(32, card()))]
    assert "With 24 GB more graphics memory" in words
    assert not any(f"{size} GB more graphics" in text for size in (32, 64) for text in words)
    assert [text for text in words if "graphics" not in text][:4] == [
        f"With {size} GB more memory" for size in (8, 16, 32, 64)
    ]


def test_more_graphics_memory_says_that_each_card_grows() -> None:
    one, two = (variants(machine(32, *cards)) for cards in ((card(),), (card(), card())))
    assert "With 8 GB more graphics memory" in dict(one)
    assert "With 8 GB more graphics memory on each card" in dict(two)
