"""Computers that Snug knows: each with figures and their source, found by what people call it."""

from __future__ import annotations

from pathlib import Path

import pytest

from snug.core.devices import places_of
from snug.core.errors import UserError
from snug.core.known_machines import (
    KINDS,
    KnownMachine,
    computer_words,
    find_machine,
    free_of,
    known_machine_from_row,
    load_known_machines,
    machine_by_hand,
    suggestions,
)
from snug.core.machine_document import machine_from_document

KNOWN = load_known_machines(Path(__file__).parents[2] / "resources" / "catalogue" / "machines.json")
GIB = 2**30


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.name)
def test_every_known_machine_has_memory_bandwidth_and_a_source(known: KnownMachine) -> None:
    assert known.kind in KINDS
    assert known.source
    places = places_of(known.machine)
    for place in (places.main, *places.cards):
        assert place.bandwidth
        assert 0 < place.free < place.total


def test_there_are_about_sixty_or_more_and_no_name_twice() -> None:
    assert len(KNOWN) >= 60
    assert len({known.name for known in KNOWN}) == len(KNOWN)
    assert {known.kind for known in KNOWN} == set(KINDS)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("3060", "GeForce RTX 3060, 12 GB"),
        ("rtx3060ti", "GeForce RTX 3060 Ti, 8 GB"),
        ("NVIDIA GeForce RTX 4090", "GeForce RTX 4090, 24 GB"),
        ("rtx 4090 laptop", "Gaming laptop with RTX 4090 Laptop, 16 GB"),
        ("MacBook Air M2 16GB", "MacBook Air M2, 16 GB"),
        ("pi 5 16gb", "Raspberry Pi 5, 16 GB"),
        ("7900xtx", "Radeon RX 7900 XTX, 24 GB"),
        ("2x3090", "2 x GeForce RTX 3090, 24 GB each"),
        ("strix halo 128", "Framework Desktop with Ryzen AI Max+ 395, 128 GB"),
        ("h100", "NVIDIA H100, 80 GB"),
    ],
)
def test_a_machine_is_found_by_what_people_call_it(text: str, name: str) -> None:
    assert find_machine(KNOWN, text).name == name


@pytest.mark.parametrize(
    ("text", "suggested"),
    [
        ("m2 air", "MacBook Air M2, 8 GB"),
        ("rasberry pi 5", "Raspberry Pi 5, 8 GB"),
        ("toaster", "`snug recommend"),
        ("RTX 3060 8GB", "GeForce RTX 3060, 12 GB"),
        ("RTX 4070 Ti", "GeForce RTX 4070 Ti Super, 16 GB"),
        ("rtx 4090 16gb", "GeForce RTX 4090, 24 GB"),
        ("radeon 6700", "Radeon RX 6700 XT, 12 GB"),
    ],
)
def test_an_unclear_or_unknown_name_is_answered_with_the_nearest_ones(text: str, suggested: str) -> None:
    with pytest.raises(UserError) as caught:
        find_machine(KNOWN, text)
    assert caught.value.bad_input
    assert suggested in caught.value.advice


@pytest.mark.parametrize("text", ["", "   ", "\0", "the", "💻" * 40])
def test_a_name_without_a_telling_word_is_an_error(text: str) -> None:
    with pytest.raises(UserError):
        find_machine(KNOWN, text)
    assert suggestions(KNOWN, text) == []


def test_figures_by_hand_make_a_computer_with_a_card() -> None:
    machine = machine_by_hand(32 * GIB, 12 * GIB, 360e9)
    places = places_of(machine)
    assert [card.bandwidth for card in places.cards] == [360e9]
    assert "assumed" in machine.sources["memory.bandwidth"]
    assert machine_by_hand(32 * GIB, bandwidth=50e9).memory.bandwidth == 50e9
    without = machine_by_hand(32 * GIB)
    assert without.memory.bandwidth == machine.memory.bandwidth
    assert "assumed" in without.sources["memory.bandwidth"]


@pytest.mark.parametrize(
    ("ram", "vram", "bandwidth"),
    [(0, 0, None), (-1, 0, None), (GIB, -1, None), (GIB, 0, 0.0), (GIB, 0, -5.0), (2**60, 0, None), (GIB, 2**60, None),
     (GIB, 0, float("nan")), (GIB, 0, float("inf"))],
)  # fmt: skip
def test_figures_that_no_computer_has_are_a_clear_error(ram: int, vram: int, bandwidth: float | None) -> None:
    with pytest.raises(UserError) as caught:
        machine_by_hand(ram, vram, bandwidth)
    assert caught.value.bad_input


def test_more_memory_always_leaves_more_free() -> None:
    frees = [free_of(total) for total in range(0, 64 * GIB, GIB // 4)]
    assert frees == sorted(frees)


def test_a_row_without_a_bandwidth_is_refused() -> None:
    with pytest.raises(ValueError, match="bandwidth"):
        known_machine_from_row({"name": "A card", "kind": "card", "gpu": "A new card", "gpu_gb": 8})


@pytest.mark.parametrize(
    "document", [{"memory": {"total": 0}}, {"memory": {"total": "8 GB"}}, {"memory": {}}, {}, [], 3]
)
def test_a_machine_file_with_nonsense_is_a_clear_error(document: object) -> None:
    with pytest.raises(UserError) as caught:
        machine_from_document(document)
    assert caught.value.bad_input


def test_a_missing_list_is_an_error_for_people(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        load_known_machines(tmp_path / "none.json")


def test_the_words_for_a_machine_say_which_was_taken_and_what_was_assumed() -> None:
    said = computer_words(find_machine(KNOWN, "rtx 3060"))
    assert said == "a desktop with GeForce RTX 3060, 12 GB, assumed 32 GB of memory"
    laptop = computer_words(find_machine(KNOWN, "rtx 4060 laptop"))
    assert laptop == "Gaming laptop with RTX 4060 Laptop, 8 GB of graphics memory and 16 GB of memory"
    assert computer_words(find_machine(KNOWN, "MacBook Air M2 16GB")) == "MacBook Air M2, 16 GB"
