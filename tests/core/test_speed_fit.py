"""The speed model's constants come from the cleaned rows, and foretell rows that the fit did not see."""

from __future__ import annotations

import itertools
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from snug.core import speed_constants
from snug.core.catalogue import facts_of
from snug.core.fit import FitSettings
from snug.core.machine import Cpu
from snug.core.memory_fit import fit
from snug.core.speed_cpu import BYTES_PER_THREAD, cpu_token_seconds
from tests.core.machines import GIB, apple, card, machine

PACKAGING = Path(__file__).parents[2] / "packaging"
SHORT_CONTEXT = 8192
Reports = tuple[Any, Any, Any, Any]


@pytest.fixture(scope="module")
def fit_speed() -> ModuleType:
    sys.path.insert(0, str(PACKAGING))
    try:
        import fit_speed as module
    finally:
        sys.path.remove(str(PACKAGING))
    return module


@pytest.fixture(scope="module")
def reports(fit_speed: ModuleType) -> Reports:
    return fit_speed.both_reports(json.loads(fit_speed.ROWS.read_text("utf-8"))["rows"])


def test_the_constants_in_the_program_are_those_of_the_fit(fit_speed: ModuleType, reports: Reports) -> None:
    _, answers, _, prompts = reports
    on_cpu = fit_speed.cpu_report(json.loads(fit_speed.CPU_ROWS.read_text("utf-8"))).constants
    assert {**prompts.constants, **on_cpu} == pytest.approx(speed_constants.FITTED, rel=2e-3)
    for backend, ends in answers.ranges.items():
        assert ends == pytest.approx(speed_constants.ANSWER_RANGES[backend], rel=0.02)
    for backend, ends in prompts.ranges.items():
        assert ends == pytest.approx(speed_constants.PROMPT_RANGES[backend], rel=0.02)


@pytest.mark.parametrize("kind", ["by_device", "by_model", "by_pair"])
def test_unseen_rows_are_foretold_within_a_fifth(fit_speed: ModuleType, reports: Reports, kind: str) -> None:
    samples, answers, _, _ = reports
    errors = getattr(answers, kind)
    assert fit_speed.within_20(errors) >= 0.65
    assert 0.93 <= fit_speed.median_ratio(errors) <= 1.07
    assert 0.75 <= fit_speed.coverage(samples, errors, answers.ranges) <= 0.90


@pytest.mark.parametrize("kind", ["by_device", "by_model", "by_pair"])
def test_the_reading_of_unseen_prompts_is_foretold_too(fit_speed: ModuleType, reports: Reports, kind: str) -> None:
    _, _, samples, prompts = reports
    errors = getattr(prompts, kind)
    assert fit_speed.within_20(errors) >= 0.75
    assert 0.93 <= fit_speed.median_ratio(errors) <= 1.07
    assert 0.75 <= fit_speed.coverage(samples, errors, prompts.ranges) <= 0.90


def test_half_of_the_pairs_foretells_the_other_half(fit_speed: ModuleType, reports: Reports) -> None:
    """What a range from so few rows still leaves outside is more than the whole fit's: only the middle is held."""
    draws = list(fit_speed.halves_of(reports[0], fit_speed.fit_answers, fit_speed.answer_seconds, 6))
    within, ratio, inside = np.median(draws, axis=0)
    assert within >= 0.65
    assert 0.93 <= ratio <= 1.07
    assert inside >= 0.60


def test_the_kept_rows_are_clean_by_the_one_rule(fit_speed: ModuleType) -> None:
    document = json.loads(fit_speed.ROWS.read_text("utf-8"))
    assert len(document["rows"]) + sum(document["left_out"].values()) == document["given"]
    for row in document["rows"]:
        assert row["depth"] <= 8192 + 512
        assert row["tokens_per_s"] > 0


def test_the_marks_hold_for_the_rows_with_a_short_context_alone(fit_speed: ModuleType, reports: Reports) -> None:
    samples, answers, _, _ = reports
    short = [index for index, item in enumerate(samples) if item.row["context"] <= SHORT_CONTEXT]
    assert len(short) >= 80
    for errors in (answers.by_device, answers.by_model):
        assert fit_speed.within_20(errors[short]) >= 0.65
        assert 0.93 <= fit_speed.median_ratio(errors[short]) <= 1.07


def test_the_answer_that_people_see_meets_the_marks_too(fit_speed: ModuleType) -> None:
    """The whole way from a model's figures and a machine file, at the context that the measurement had set."""
    shapes = sys.modules["speed_rows"].entries()
    ratios, inside = [], []
    for row in json.loads(fit_speed.ROWS.read_text("utf-8"))["rows"]:
        if row["context"] > SHORT_CONTEXT:
            continue
        if row["backend"] == "metal":
            computer = apple(row["memory_bytes"] / GIB, row["device"])
        else:
            computer = machine(64, card(row["device"], row["memory_bytes"] / GIB, bandwidth=None, free=1.0))
        facts = facts_of(shapes[row["model"]], row["file_type"])
        speed = fit(facts, FitSettings(context=row["context"]), computer).speed
        assert speed is not None
        ratios.append(speed.mid / row["tokens_per_s"])
        inside.append(speed.low <= row["tokens_per_s"] <= speed.high)
    assert np.mean(np.abs(np.array(ratios) - 1) <= 0.2) >= 0.65
    assert 0.93 <= np.median(ratios) <= 1.07
    assert 0.75 <= np.mean(inside) <= 0.90


def test_no_kept_row_is_faster_than_its_memory_allows(reports: Reports) -> None:
    for item in reports[0]:
        assert item.measured * (item.load.weights + item.load.conversation) <= item.load.bandwidth, item.row["id"]


def test_a_wrong_row_hardly_moves_the_fit(fit_speed: ModuleType, reports: Reports) -> None:
    samples, answers, _, _ = reports
    wrong = replace(samples[0], measured=20 * samples[0].measured, device="another", model="another")
    with_it = fit_speed.fit_answers([*samples, wrong])
    assert with_it["efficiency.cuda"] == pytest.approx(answers.constants["efficiency.cuda"], rel=0.05)


def test_processors_are_foretold_within_an_eighth(fit_speed: ModuleType) -> None:
    """At least twelve models from 0.1B to 3B in five types; also where the fit saw no model of that size."""
    report = fit_speed.cpu_report(json.loads(fit_speed.CPU_ROWS.read_text("utf-8")))
    held = report.is_held
    assert held.sum() >= 12
    assert {item.row["file_type"] for item in report.samples} == {"Q4_0", "Q4_K_M", "Q6_K", "Q8_0", "F16"}
    assert fit_speed.within(report.answers[held], 0.12) >= 0.8
    assert fit_speed.within(report.answers_by_size[held], 0.12) >= 0.8
    assert fit_speed.within(report.prompts_by_size[held], 0.20) >= 0.8


def test_a_model_within_the_cache_is_faster_than_memory_alone_allows_and_that_fades_smoothly() -> None:
    cpu, bandwidth = Cpu(cores=8, features=("avx2",)), 10e9

    def bytes_per_s(touched: float) -> float:
        seconds = cpu_token_seconds(cpu, bandwidth, touched, 0.0, "k", 0, speed_constants.FITTED)
        return touched / seconds

    sizes = [BYTES_PER_THREAD * step / 8 for step in range(1, 80)]
    rates = [bytes_per_s(size) for size in sizes]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] > 2 * bandwidth
    assert rates[-1] < bandwidth
    assert all(before / after < 1.2 for before, after in itertools.pairwise(rates))
