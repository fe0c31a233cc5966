"""The memory calculator: one fit function, honest estimates, errors for figures that no model has."""

from __future__ import annotations

from pathlib import Path

import pytest

from snug.core.calculator import CALCULATOR_TYPES, Question, calculate, facts_of_question, usual_computers
from snug.core.catalogue import facts_of, load_catalogue
from snug.core.errors import UserError
from snug.core.fit import FitSettings, Verdict
from snug.core.known_machines import load_known_machines
from snug.core.memory_fit import fit
from tests.core.machines import card, machine

RESOURCES = Path(__file__).parents[2] / "resources" / "catalogue"
COMPUTERS = usual_computers(load_known_machines(RESOURCES / "machines.json"))
CATALOGUE = {entry.key: entry for entry in load_catalogue(RESOURCES / "models.json")}


def test_an_8b_model_needs_what_a_real_one_needs() -> None:
    real = fit(facts_of(CATALOGUE["llama-3.1-8b-instruct"], "Q4_K_M"), FitSettings(context=8192), machine(64)).memory
    need = calculate(Question(8_030_000_000), ()).need
    assert need.total == pytest.approx(real.total, rel=0.05)


def test_more_of_anything_never_needs_less() -> None:
    sizes = [calculate(Question(count * 10**9), ()).need.total for count in (1, 3, 8, 14, 32, 70, 405)]
    types = [calculate(Question(8 * 10**9, kind), ()).need.total for kind in CALCULATOR_TYPES]
    contexts = [calculate(Question(8 * 10**9, context=2**power), ()).need.total for power in range(9, 18)]
    assert sizes == sorted(sizes)
    assert types == sorted(types, reverse=True)
    assert contexts == sorted(contexts)


def test_each_bar_is_the_one_fit_answer_for_that_computer() -> None:
    question = Question(14 * 10**9, "Q5_K_M", 16_384, "q8_0")
    result = calculate(question, COMPUTERS)
    facts = facts_of_question(question)
    for bar, (name, _, computer) in zip(result.bars, COMPUTERS, strict=True):
        assert bar.name == name
        assert bar.answer == fit(facts, FitSettings(context=16_384, kv_type="q8_0"), computer)
        assert (bar.share > 1) <= (bar.answer.verdict is Verdict.TOO_BIG)


def test_a_model_that_runs_on_the_card_is_shown_beside_the_cards_memory_alone() -> None:
    result = calculate(Question(3 * 10**9), [("Mine", "desktop", machine(64, card()))])
    assert result.bars[0].total == 12 * 2**30


def test_the_smallest_computer_that_fits_is_named() -> None:
    smallest = calculate(Question(8 * 10**9), COMPUTERS).smallest
    assert smallest is not None
    assert smallest.answer.verdict is Verdict.FITS_WELL
    assert calculate(Question(2000 * 10**9, "F16"), COMPUTERS).smallest is None


@pytest.mark.parametrize(
    "question",
    [Question(0), Question(-8), Question(10**18), Question(8 * 10**9, context=0), Question(8 * 10**9, context=10**12),
     Question(8 * 10**9, "Q9_Z"), Question(8 * 10**9, kv_type="q9"), Question(8 * 10**9, active_parameters=9 * 10**9),
     Question(8 * 10**9, active_parameters=0)],
)  # fmt: skip
def test_figures_that_no_model_has_are_a_clear_error(question: Question) -> None:
    with pytest.raises(UserError) as caught:
        calculate(question, ())
    assert caught.value.bad_input
