"""How good a model is for a use, and what quantisation costs it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from snug.core.catalogue import load_catalogue
from snug.core.quality import (
    WIDEST_STEP,
    expected_level,
    has_evidence,
    level_of,
    quantisation_loss,
    years_after_2024,
)

ENTRIES = {
    entry.key: entry for entry in load_catalogue(Path(__file__).parents[2] / "resources" / "catalogue" / "models.json")
}


def test_without_figures_size_and_age_stand_alone() -> None:
    entry = replace(ENTRIES["qwen3.5-9b"], figures=())
    assert not has_evidence(entry, "chat")
    assert level_of(entry, "chat") == expected_level(entry)


def test_good_figures_raise_a_model_above_its_size_and_bad_ones_lower_it() -> None:
    assert level_of(ENTRIES["gpt-oss-20b"]) > expected_level(ENTRIES["gpt-oss-20b"])
    assert level_of(ENTRIES["llama-3.3-70b-instruct"]) < expected_level(ENTRIES["llama-3.3-70b-instruct"])


def test_figures_speak_for_their_use_only() -> None:
    devstral = ENTRIES["devstral-small-2-24b-instruct-2512"]
    assert level_of(devstral, "code") > level_of(devstral, "chat")
    glm = ENTRIES["glm-4.7-flash"]
    assert level_of(glm, "tools") > level_of(glm, "chat")


@pytest.mark.parametrize("use", ["chat", "code", "writing", "documents", "tools", "vision"])
def test_no_figure_moves_a_model_beyond_bounds(use: str) -> None:
    for entry in ENTRIES.values():
        assert abs(level_of(entry, use) - expected_level(entry)) <= WIDEST_STEP


def test_a_1b_loses_more_at_three_bits_than_a_70b() -> None:
    small, large = ENTRIES["llama-3.2-1b-instruct"], ENTRIES["llama-3.3-70b-instruct"]
    for name in ("Q2_K", "Q3_K_M", "Q4_K_M"):
        assert quantisation_loss(small, name) > 1.5 * quantisation_loss(large, name)


@pytest.mark.parametrize("key", ["qwen3-0.6b", "qwen3.5-9b", "llama-3.3-70b-instruct"])
def test_coarser_types_cost_more(key: str) -> None:
    losses = [quantisation_loss(ENTRIES[key], name) for name in ("BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q2_K")]
    assert losses == sorted(losses)


def test_a_measured_divergence_replaces_the_expectation() -> None:
    entry = ENTRIES["qwen3.5-9b"]
    assert quantisation_loss(entry, "Q4_K_M", {(entry.key, "Q4_K_M"): 0.01}) == pytest.approx(0.03)
    assert quantisation_loss(entry, "Q4_K_M", {(entry.repo.lower(), "Q4_K_M"): 0.02}) == pytest.approx(0.06)
    assert quantisation_loss(entry, "Q5_K_M", {(entry.key, "Q4_K_M"): 9.0}) == quantisation_loss(entry, "Q5_K_M")


def test_models_trained_for_a_type_lose_less_there() -> None:
    gemma, oss = ENTRIES["gemma-4-12b-it"], ENTRIES["gpt-oss-20b"]
    assert quantisation_loss(gemma, "Q4_0") < 0.5 * quantisation_loss(replace(gemma, native_type=""), "Q4_0")
    assert quantisation_loss(oss, "MXFP4") == 0


@pytest.mark.parametrize(("released", "years"), [("2025-01-01", 1.0), ("", 0.0), ("soon", 0.0), ("2019-01-01", 0.0)])
def test_a_model_without_a_date_counts_as_old(released: str, years: float) -> None:
    assert years_after_2024(released) == pytest.approx(years, abs=0.01)
