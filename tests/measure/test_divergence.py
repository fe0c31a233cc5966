"""Divergence and perplexity: their arithmetic, and that they are llama-perplexity's own figures."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from snug.core.errors import UserError
from snug.measure.divergence import DivergenceSum, PerplexitySum, log_probabilities
from snug.measure.measuring import measure_divergence, measure_perplexity
from snug.paths import resources_folder
from tests.measure.make_figures import make_candidate

DATA = Path(__file__).parents[1] / "data" / "measure"
PIP = resources_folder() / "models" / "pip" / "pip-7m-Q8_0.gguf"


def test_a_model_does_not_diverge_from_itself() -> None:
    logits = np.random.default_rng(1).normal(size=(6, 50)).astype(np.float32)
    total = DivergenceSum()
    total.add(log_probabilities(logits), log_probabilities(logits), np.arange(6, dtype=np.int32))
    assert total.result().kl_mean == 0
    assert total.result().same_of_thousand == 1000


def test_the_divergence_of_two_coins_is_the_textbook_value() -> None:
    fair, bent = np.log(np.array([[0.5, 0.5]], np.float32)), np.log(np.array([[0.9, 0.1]], np.float32))
    total = DivergenceSum()
    total.add(fair, bent, np.array([1], np.int32))
    assert total.result().kl_mean == pytest.approx(0.5 * math.log(0.5 / 0.9) + 0.5 * math.log(0.5 / 0.1), rel=1e-5)
    assert total.result().perplexity == pytest.approx(10, rel=1e-5)
    assert total.result().reference_perplexity == pytest.approx(2, rel=1e-5)


def test_probabilities_of_large_logits_are_finite_and_sum_to_one() -> None:
    logits = np.array([[1e4, 1e4 - 1, -1e4]], np.float32)
    assert np.exp(log_probabilities(logits)).sum() == pytest.approx(1, abs=1e-5)


def test_nothing_measured_is_no_figure() -> None:
    with pytest.raises(ValueError, match="nothing"):
        PerplexitySum().result()


@pytest.fixture(scope="module")
def candidate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("candidate") / "pip-Q3_K.gguf"
    make_candidate(path)
    return path


def test_figures_are_those_of_llama_perplexity(candidate: Path) -> None:
    text = (DATA / "heldout.txt").read_text(encoding="utf-8")
    theirs = json.loads((DATA / "figures.json").read_text())
    ours = measure_divergence(candidate, PIP, text)
    assert ours.kl_mean == pytest.approx(theirs["kl_mean"], rel=0.01)
    assert ours.kl_median == pytest.approx(theirs["kl_median"], rel=0.02)
    assert ours.kl_p99 == pytest.approx(theirs["kl_p99"], rel=0.03)
    assert ours.perplexity == pytest.approx(theirs["perplexity"], rel=0.005)
    assert ours.reference_perplexity == pytest.approx(theirs["reference_perplexity"], rel=0.005)
    assert 100 * ours.same_top == pytest.approx(theirs["same_top"], abs=0.7)
    assert ours.tokens == 12 * 255


def test_perplexity_alone_is_that_of_the_comparison() -> None:
    text = (DATA / "heldout.txt").read_text(encoding="utf-8")
    theirs = json.loads((DATA / "figures.json").read_text())
    assert measure_perplexity(PIP, text).perplexity == pytest.approx(theirs["reference_perplexity"], rel=0.005)


def test_a_text_of_a_few_words_is_too_short() -> None:
    with pytest.raises(UserError) as told:
        measure_perplexity(PIP, "Too short.")
    assert told.value.kind == "too-little-text"
