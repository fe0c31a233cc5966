"""`snug bench speed`: foretold beside measured, judged on what was measured in quiet."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from snug import cli
from snug.commands import bench_speed
from snug.commands.bench_speed import best_of, compare, quiet_ones, within_share
from snug.core.fit import FitSettings
from snug.core.memory_fit import fit
from snug.core.speed_learning import learnt
from snug.core.speed_test import SpeedRow
from snug.paths import Paths
from snug.store import open_store
from snug.worker.speed_messages import SpeedMeasured
from tests.core.machines import machine
from tests.core.test_speed import CATALOGUE, facts_of

HERE = machine(32)
FACTS = facts_of(CATALOGUE["qwen3-1.7b"], "Q4_K_M")


def row(factor: float, busy: float = 0.0) -> SpeedRow:
    answer = fit(FACTS, FitSettings(), HERE)
    assert answer.speed is not None
    assert answer.prefill is not None
    return SpeedRow(FACTS, answer.speed.mid * factor, answer.prefill.mid * factor, busy)


def test_the_share_within_an_eighth_counts_both_sides() -> None:
    rows = compare([row(1.0), row(1.1), row(0.92), row(1.5), row(0.5)], HERE, HERE)
    assert [round(one.ratio, 2) for one in rows] == [1.0, 0.91, 1.09, 0.67, 2.0]
    assert within_share([one.ratio for one in rows], 0.12) == pytest.approx(3 / 5)


def test_a_model_measured_beside_busy_programs_is_not_judged() -> None:
    rows = compare([row(1.0), row(0.1, busy=0.9)], HERE, HERE)
    assert [one.busy for one in quiet_ones(rows)] == [0.0]


def test_what_the_short_test_taught_moves_the_second_figure_alone() -> None:
    taught = replace(HERE, speed_correction=learnt((), HERE, [row(1.2)] * 3))
    (one,) = compare([row(1.2)], HERE, taught)
    assert one.ratio == pytest.approx(1 / 1.2)
    assert one.ratio < one.corrected_ratio <= 1.0


def test_each_models_fastest_round_counts() -> None:
    rounds = [
        SpeedMeasured(rows=[row(factor)], bandwidth=bandwidth, pip_tokens_per_s=1.0, seconds=3.0)
        for factor, bandwidth in ((0.8, 2e9), (1.0, 1e9), (0.9, 1e9))
    ]
    best = best_of(rounds)
    assert [one.tokens_per_s for one in best.rows] == [row(1.0).tokens_per_s]
    assert (best.bandwidth, best.seconds) == (2e9, 9.0)


@pytest.mark.parametrize(("busy", "code"), [(0.0, 0), (0.9, 1)])
def test_the_document_has_every_figure_and_keeps_what_was_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], busy: float, code: int
) -> None:
    done = SpeedMeasured(rows=[row(1.05, busy)] * 3, bandwidth=0.0, pip_tokens_per_s=300.0, seconds=12.0)
    monkeypatch.setattr(bench_speed, "read_here", lambda context: HERE)
    monkeypatch.setattr(bench_speed, "measured_by", lambda context, request: done)
    paths = Paths(tmp_path)
    assert cli.run(["bench", "speed", "--keep", "--json"], paths) == code
    document = json.loads(capfd.readouterr().out)
    assert document["is_quiet"] is (busy == 0.0)
    assert document["kept"] is True
    assert document["models"][0]["ratio"] == pytest.approx(1 / 1.05)
    assert {"within_12_percent", "median_ratio", "prompt_median_ratio", "bandwidth", "cpu"} <= document.keys()
    store, _ = open_store(paths)
    test = store.machine.speed_test()
    store.close()
    assert test is not None
    assert test.is_quiet is (busy == 0.0)
