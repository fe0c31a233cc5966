"""One fit answer in words: what was measured says so, an estimate says how good estimates have been."""

from __future__ import annotations

from dataclasses import replace

import pytest

from snug.core.catalogue import facts_of, load_catalogue
from snug.core.fit import Fit, FitSettings
from snug.core.memory_fit import fit
from snug.paths import resources_folder
from snug.ui.fit_view import MEASURED_WORDS, FitView, memory_segments, raw_figures
from tests.core.machines import card, machine

CATALOGUE = {entry.key: entry for entry in load_catalogue(resources_folder() / "catalogue" / "models.json")}
ACCURACY = "Estimates on this computer have been within 3 % (5 loads)."


def answer(key: str = "qwen3-8b", gigabytes: float = 12) -> Fit:
    return fit(facts_of(CATALOGUE[key], "Q4_K_M"), FitSettings(context=8000), machine(64, card(gigabytes=gigabytes)))


def test_an_estimate_says_how_good_estimates_have_been() -> None:
    view = FitView()
    view.show(answer(), machine(64), ACCURACY)
    assert view.property("memoryText").endswith(ACCURACY)
    view.show(answer(), machine(64))
    assert view.property("memoryText").endswith("Nothing needs to be closed.")


def test_a_measurement_says_that_it_is_one() -> None:
    view = FitView()
    view.show(replace(answer(), basis="measured"), machine(64), ACCURACY)
    assert view.property("memoryText").endswith(MEASURED_WORDS)
    assert ACCURACY not in view.property("memoryText")


def test_the_raw_figures_tell_every_device_apart() -> None:
    text = raw_figures(answer("qwen3.6-35b-a3b", 8))
    assert "Layers on the graphics device: 41" in text
    assert "Layers whose experts stay in main memory: " in text
    assert "NVIDIA GeForce RTX 3060: needs " in text
    assert "are left to the system" in text


def test_the_bar_holds_what_the_device_holds() -> None:
    computer = machine(16, free_gb=10)
    fit_here = fit(facts_of(CATALOGUE["qwen3-8b"], "Q4_K_M"), FitSettings(context=8000), computer)
    by_kind = {segment["kind"]: segment for segment in memory_segments(fit_here, computer)}
    assert by_kind["other"]["text"] == "Other programs 6.4 GB"
    assert by_kind["conversation"]["share"] == fit_here.memory.conversation / computer.memory.total
    assert sum(segment["share"] for segment in by_kind.values()) == pytest.approx(1)
