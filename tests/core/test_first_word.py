"""The wait for the first word: longer for a document than for a page, and said only where it can be."""

from __future__ import annotations

import pytest

from snug.core.catalogue import facts_of
from snug.core.first_word import first_word_text, first_words
from snug.core.fit import Fit, FitSettings
from snug.core.machine import Machine
from snug.core.memory_fit import fit
from tests.core.machines import card, machine
from tests.core.test_speed import CATALOGUE

FAST = machine(64, card("NVIDIA GeForce RTX 4090", 24, 1008e9))
SLOW = machine(32)


def answer(computer: Machine, context: int = 16_384, key: str = "qwen3-8b") -> Fit:
    return fit(facts_of(CATALOGUE[key], "Q4_K_M"), FitSettings(context=context), computer)


@pytest.mark.parametrize("computer", [FAST, SLOW])
def test_a_document_takes_at_least_as_long_for_each_page(computer: Machine) -> None:
    page, document = first_words(answer(computer))
    assert (page.pages, document.pages) == (1, 10)
    assert document.mid > 9 * page.mid
    for wait in (page, document):
        assert 0 < wait.low < wait.mid < wait.high


def test_a_card_reads_far_faster_than_a_processor() -> None:
    fast, slow = (first_words(answer(computer))[1].mid for computer in (FAST, SLOW))
    assert fast < slow / 10
    assert fast < 5


def test_a_document_that_the_conversation_does_not_hold_is_not_spoken_of() -> None:
    assert [wait.pages for wait in first_words(answer(FAST, context=4096))] == [1]


def test_nothing_is_said_of_a_model_that_does_not_fit_or_of_unknown_memory() -> None:
    assert first_words(answer(machine(4), key="qwen3.8-27b")) == ()
    assert first_word_text(answer(machine(32, bandwidth=None))) == ""


def test_the_words_name_both_prompts() -> None:
    words = first_word_text(answer(SLOW))
    assert words.startswith("first word after about ")
    assert words.endswith(" for a 10-page document")
