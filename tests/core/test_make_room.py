"""Making room: the fewest programs to close, the fewest pages less, each checked by the fit function itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from snug.core.catalogue import facts_of, load_catalogue
from snug.core.fit import FitSettings, Verdict
from snug.core.machine import Holder, Machine
from snug.core.make_room import Room, make_room, room_words
from snug.core.memory_fit import fit
from tests.core.machines import card, machine

ENTRIES = {
    entry.key: entry for entry in load_catalogue(Path(__file__).parents[2] / "resources" / "catalogue" / "models.json")
}
FACTS = facts_of(ENTRIES["llama-3.1-8b-instruct"], "Q4_K_M")
GIB = 2**30
HOLDERS = (Holder("Firefox", 3 * GIB), Holder("Code", 2 * GIB), Holder("Mail", GIB), Holder("Notes", 50_000_000))


def busy(free_gb: float) -> Machine:
    return replace(machine(16, free_gb=free_gb), memory_holders=HOLDERS)


def test_a_model_that_fits_well_needs_no_room() -> None:
    assert make_room(FACTS, FitSettings(), busy(12)) == Room()
    assert room_words(Room()) == ""


@pytest.mark.parametrize("free_gb", [2.5, 3.5, 4.5, 5.0])
def test_with_those_programs_closed_it_fits_well_and_with_one_of_them_open_it_does_not(free_gb: float) -> None:
    computer = busy(free_gb)
    settings = FitSettings(context=4000)
    room = make_room(FACTS, settings, computer)
    assert room.close

    def verdict(freed: int) -> Verdict:
        memory = replace(computer.memory, available=computer.memory.available + freed)
        return fit(FACTS, settings, replace(computer, memory=memory)).verdict

    assert verdict(room.freed_bytes) is Verdict.FITS_WELL
    assert all(verdict(room.freed_bytes - holder.size_bytes) is not Verdict.FITS_WELL for holder in room.close)


def test_so_many_pages_less_fit_well_and_one_page_more_does_not() -> None:
    computer = busy(9)
    room = make_room(FACTS, FitSettings(context=40_000), computer)
    assert room.pages_less > 0
    less = fit(FACTS, FitSettings(context=40_000 - 500 * room.pages_less), computer)
    more = fit(FACTS, FitSettings(context=40_000 - 500 * (room.pages_less - 1)), computer)
    assert less.verdict is Verdict.FITS_WELL
    assert more.verdict is not Verdict.FITS_WELL


def test_where_nothing_helps_nothing_is_said() -> None:
    huge = facts_of(ENTRIES["llama-3.3-70b-instruct"], "Q8_0")
    assert room_words(make_room(huge, FitSettings(), busy(4))) == ""


def test_the_sentence_names_programs_and_pages() -> None:
    assert room_words(Room(HOLDERS[:2], 10)) == "To make room, close Firefox and Code (5.4 GB) or use 10 pages less."
    assert room_words(Room(HOLDERS[:1])) == "To make room, close Firefox (3.2 GB)."
    assert room_words(Room((), 1)) == "To make room, use 1 page less."


def test_programs_that_hold_little_are_not_named() -> None:
    room = make_room(FACTS, FitSettings(context=4000), busy(2.5))
    assert all(holder.name != "Notes" for holder in room.close)


def test_nobody_is_told_to_close_the_desktop_or_a_program_without_a_name() -> None:
    desktop = (Holder("The Windows desktop", 3 * GIB), Holder("Another program", 2 * GIB), Holder("Snug", GIB))
    assert make_room(FACTS, FitSettings(context=4000), replace(busy(2.5), memory_holders=desktop)).close == ()
    room = make_room(FACTS, FitSettings(context=4000), replace(busy(2.5), memory_holders=(*desktop, *HOLDERS)))
    assert room.close[0].name == "Firefox"


def test_a_card_gets_back_only_what_programs_hold_on_that_card() -> None:
    def computer(first: Holder, second: Holder) -> Machine:
        one = replace(card("RTX 3060", 12), memory_free=6 * GIB, holders=(first,))
        two = replace(card("RTX 3060", 12), memory_free=GIB, holders=(second,))
        return replace(machine(4, free_gb=2), gpus=(one, two))

    settings = FitSettings(context=40_000)
    game, browser = Holder("Game", GIB), Holder("Browser", 10 * GIB)
    busy_cards = computer(game, browser)
    assert fit(FACTS, settings, busy_cards).verdict is not Verdict.FITS_WELL
    assert make_room(FACTS, settings, busy_cards).close == (browser,)
    little, small = Holder("Game", 3 * GIB // 2), Holder("Browser", 3 * GIB // 2)
    assert make_room(FACTS, settings, computer(little, small)).close == ()


def test_a_program_on_two_cards_is_named_once_with_what_it_holds_in_all() -> None:
    cards = tuple(
        replace(card("RTX 3060", 12), memory_free=GIB, holders=(Holder("Game", size * GIB),)) for size in (6, 5)
    )
    computer = replace(machine(4, free_gb=2), gpus=cards)
    assert make_room(FACTS, FitSettings(context=4000), computer).close == (Holder("Game", 11 * GIB),)
