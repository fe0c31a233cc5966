"""One fit answer in words: what was measured says so, an estimate says how good estimates have been."""

from __future__ import annotations

from dataclasses import replace

import pytest

from snug.core.catalogue import facts_of, load_catalogue
from snug.core.fit import Fit, FitSettings
from snug.core.machine import Machine, Memory
from snug.core.machine_words import memory_line
from snug.core.memory_fit import fit
from snug.core.words import free_of_text
from snug.paths import resources_folder
from snug.ui.fit_view import MEASURED_WORDS, FitView, memory_segments, raw_figures
from snug.ui.home import used_segments
from tests.core.machines import apple, card, machine

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


def test_what_is_too_big_crosses_the_line_where_the_memory_ends() -> None:
    too_big = fit(facts_of(CATALOGUE["qwen3-8b"], "Q8_0"), FitSettings(context=8000), machine(8, free_gb=6))
    view = FitView()
    view.show(too_big, machine(8, free_gb=6))
    shares = {item["kind"]: item["share"] for item in view.property("segments")}
    assert "free" not in shares
    assert 0 < view.property("limit") < 1
    assert view.property("limit") < shares["other"] + shares["model"] + shares["conversation"]
    view.show(answer(), machine(64))
    assert view.property("limit") == -1.0
    assert view.property("segments")[-1]["kind"] == "free"


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
    assert by_kind["other"]["text"] == "System and programs 7.1 GB"
    assert by_kind["conversation"]["share"] == fit_here.memory.conversation / computer.memory.total
    assert sum(segment["share"] for segment in by_kind.values()) == pytest.approx(1)


@pytest.mark.parametrize("computer", [
    machine(16, free_gb=10),
    replace(machine(16, free_gb=4), gives_back={"memory": 5 * 2**30}),
    replace(machine(16, free_gb=4), gives_back={"memory": 2**40}),
    apple(24),
    Machine(memory=Memory(64 * 2**30, 20 * 2**30, 50e9, huge_pages=30 * 2**30)),
])  # fmt: skip
def test_the_bars_leave_as_much_to_models_as_the_machine_card_says(computer: Machine) -> None:
    fit_here = fit(facts_of(CATALOGUE["qwen3-4b-instruct-2507"], "Q4_K_M"), FitSettings(context=8000), computer)
    total = computer.memory.total
    for_models = total * sum(part["share"] for part in memory_segments(fit_here, computer) if part["kind"] != "other")
    alone = total * sum(part["share"] for part in used_segments(computer) if part["kind"] == "free")
    said = f"{free_of_text(for_models, total)} free for a model"
    assert memory_line(computer) == said == f"{free_of_text(alone, total)} free for a model"


def test_a_cards_bar_leaves_as_much_to_models_as_the_machine_card_says() -> None:
    computer = machine(64, card(gigabytes=12))
    fit_here = fit(facts_of(CATALOGUE["qwen3-8b"], "Q4_K_M"), FitSettings(context=8000), computer)
    for_models = (
        12 * 2**30 * sum(part["share"] for part in memory_segments(fit_here, computer) if part["kind"] != "other")
    )
    assert memory_line(computer).endswith(f"{free_of_text(for_models, 12 * 2**30)} on the NVIDIA GeForce RTX 3060")
