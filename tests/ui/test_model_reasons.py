"""Why a model is recommended or not, as the details pane shows it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from snug.core.catalogue import facts_of, load_catalogue
from snug.core.fit import FitSettings
from snug.core.machine import Holder
from snug.core.memory_fit import fit
from snug.core.what_changes import model_changes
from snug.ui.model_reasons import ModelReasons, standing_words
from tests.core.machines import machine

ENTRIES = {
    entry.key: entry for entry in load_catalogue(Path(__file__).parents[2] / "resources" / "catalogue" / "models.json")
}
ENTRY = ENTRIES["qwen3.5-9b"]


@pytest.fixture
def reasons(qtbot: QtBot) -> ModelReasons:
    return ModelReasons()


def test_what_would_change_it_is_found_step_by_step_and_is_the_cores_answer(
    reasons: ModelReasons, qtbot: QtBot
) -> None:
    computer = machine(8, free_gb=5)
    reasons.show(ENTRY, computer)
    assert reasons.changeText == ""
    qtbot.waitUntil(lambda: reasons.changeText != "")
    assert reasons.changeText == model_changes(ENTRY, computer)


def test_what_would_make_it_fit_is_not_said_beside_a_file_that_fits(reasons: ModelReasons, qtbot: QtBot) -> None:
    computer = machine(8, free_gb=3)
    reasons.show(ENTRY, computer)
    qtbot.waitUntil(lambda: reasons.changeText != "")
    assert "it would fit" in reasons.changeText
    small = facts_of(ENTRIES["qwen3-0.6b"], "Q4_K_M")
    reasons.show_fit(small, FitSettings(), fit(small, FitSettings(), computer))
    assert reasons.changeText == ""
    own = facts_of(ENTRY, "Q4_K_M")
    reasons.show_fit(own, FitSettings(), fit(own, FitSettings(), computer))
    assert "it would fit" in reasons.changeText


def test_every_figure_is_shown_with_its_source_and_date(reasons: ModelReasons) -> None:
    reasons.show(ENTRY, machine(16))
    rows = reasons.evidence
    assert len(rows) == len(ENTRY.figures)
    assert all("20" in row["source"] and row["score"] and row["about"] for row in rows)
    assert any("ranks nothing" in row["about"] for row in rows)


def test_a_model_without_figures_says_so() -> None:
    assert "ranked by its size and age" in standing_words(ENTRIES["smollm2-360m-instruct"])
    assert standing_words(ENTRIES["gemma-3-12b-it"]).startswith("No public figure that can be compared")
    assert standing_words(replace(ENTRY, figures=(), released="")) == "No public figures known."


def test_what_public_tests_say_is_compared_with_models_of_the_same_age() -> None:
    better, worse = standing_words(ENTRY), standing_words(ENTRIES["llama-3.3-70b-instruct"])
    assert re.fullmatch(r"In public tests it does better .* as well as a model 1\.\d times as large\.", better)
    assert worse == "In public tests it does less well than is usual for its age: like a model a third as large."
    assert "as well as is usual" in standing_words(ENTRIES["llama-3.2-1b-instruct"])
    assert standing_words(ENTRY, "vision").startswith("In public tests of pictures")


def test_where_it_does_not_fit_well_what_makes_room_is_said(reasons: ModelReasons) -> None:
    facts = facts_of(ENTRIES["llama-3.1-8b-instruct"], "Q4_K_M")
    computer = replace(machine(16, free_gb=4), memory_holders=(Holder("Firefox", 4 * 2**30),))
    reasons.show(ENTRY, computer)
    settings = FitSettings(context=4000)
    reasons.show_fit(facts, settings, fit(facts, settings, computer))
    assert reasons.roomText.startswith("To make room, close Firefox")
    roomy = machine(64)
    reasons.show(ENTRY, roomy)
    reasons.show_fit(facts, settings, fit(facts, settings, roomy))
    assert reasons.roomText == ""
