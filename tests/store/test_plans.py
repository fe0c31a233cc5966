"""Kept figures of memory: found again by file and settings, and never trusted when damaged."""

from __future__ import annotations

import importlib.metadata
from dataclasses import replace
from pathlib import Path

import pytest

from snug.core.catalogue import facts_of, load_catalogue
from snug.core.fit import FitSettings, Offload, Parts, PlannedMemory
from snug.core.known_memory import MeasuredLoad, accuracy_words, memory_key
from snug.core.memory_fit import fit, known_fit
from snug.paths import resources_folder
from snug.store import kept_file
from snug.store.plans import MEASURED_FILE, Plans, engine_version
from tests.core.machines import card, machine

CATALOGUE = {entry.key: entry for entry in load_catalogue(resources_folder() / "catalogue" / "models.json")}
EIGHT = replace(facts_of(CATALOGUE["qwen3-8b"], "Q4_K_M"), exact=True)
SETTINGS = FitSettings(context=8192)
PLAN = PlannedMemory(8192, "f16", 512, 1_000, 2_000)
TAKEN = (Parts(weights=5_000_000_000, conversation=1_200_000_000, compute=310_000_000, other=123_000_000),)


def plans_in(folder: Path) -> Plans:
    return Plans(folder / "cache", folder)


def test_a_plan_is_found_again_by_file_and_settings(tmp_path: Path) -> None:
    plans_in(tmp_path).keep_planned(EIGHT, SETTINGS, PLAN)
    kept = plans_in(tmp_path)
    assert kept.planned(EIGHT, SETTINGS) == PLAN
    assert kept.planned(replace(EIGHT, name="the same file, renamed"), SETTINGS) == PLAN
    assert kept.planned(replace(EIGHT, weight_bytes=EIGHT.weight_bytes + 1), SETTINGS) is None
    for other in (FitSettings(4096), FitSettings(8192, kv_type="q8_0"), FitSettings(8192, batch=256)):
        assert kept.planned(EIGHT, other) is None


def test_figures_of_a_catalogue_stand_for_no_file(tmp_path: Path) -> None:
    guessed = replace(EIGHT, exact=False)
    plans = plans_in(tmp_path)
    plans.keep_planned(guessed, SETTINGS, PLAN)
    assert memory_key(guessed) == ""
    assert plans.planned(guessed, SETTINGS) is None


def test_what_a_load_took_replaces_formula_and_plan(tmp_path: Path) -> None:
    here, plans = machine(32), plans_in(tmp_path)
    before = fit(EIGHT, SETTINGS, here)
    plans.keep_planned(EIGHT, SETTINGS, PLAN)
    assert known_fit(EIGHT, SETTINGS, here, plans).basis == "dry-run"
    plans.record("Eight", EIGHT, SETTINGS, before, TAKEN)
    after = known_fit(EIGHT, SETTINGS, here, plans_in(tmp_path))
    assert after.basis == "measured"
    assert after.memory.total == TAKEN[0].total == after.memory.devices[0].needed
    assert plans.loads() == (MeasuredLoad("Eight", before.memory.total, TAKEN[0].total),)


def test_the_first_estimate_of_a_load_stays(tmp_path: Path) -> None:
    here, plans = machine(32), plans_in(tmp_path)
    first = fit(EIGHT, SETTINGS, here)
    plans.record("Eight", EIGHT, SETTINGS, first, TAKEN)
    plans.record("Eight", EIGHT, SETTINGS, known_fit(EIGHT, SETTINGS, here, plans), TAKEN)
    assert [load.estimated for load in plans.loads()] == [first.memory.total]


def test_a_load_with_another_layout_is_another_load(tmp_path: Path) -> None:
    plans = plans_in(tmp_path)
    with_card = machine(32, card())
    on_card = fit(EIGHT, SETTINGS, with_card)
    plans.record("Eight", EIGHT, SETTINGS, on_card, (*TAKEN, Parts(weights=4_000_000_000)))
    assert plans.measured(EIGHT, SETTINGS, Offload()) is None
    assert known_fit(EIGHT, SETTINGS, with_card, plans).basis == "measured"
    assert known_fit(EIGHT, SETTINGS, machine(32), plans).basis == "formula"


def test_estimates_are_judged_from_three_loads_on() -> None:
    loads = [MeasuredLoad(str(number), 1030, 1000) for number in range(3)]
    assert accuracy_words(loads[:2]) == ""
    assert accuracy_words(loads) == "Estimates on this computer have been within 3 % (3 loads)."
    assert "within 11 %" in accuracy_words([*loads, MeasuredLoad("one that was further off", 895, 1000)])


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"x": 1}', b'{"x": [1, -2]}', b'{"x": ["a", {}]}']
)
def test_a_damaged_file_is_as_none(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "plans.json").write_bytes(damage)
    (tmp_path / MEASURED_FILE).write_bytes(damage)
    plans = plans_in(tmp_path)
    assert plans.planned(EIGHT, SETTINGS) is None
    assert plans.measured(EIGHT, SETTINGS, Offload()) is None
    assert plans.loads() == ()
    plans.keep_planned(EIGHT, SETTINGS, PLAN)
    assert plans.planned(EIGHT, SETTINGS) == PLAN


def test_the_oldest_plans_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_file, "MOST_KEPT", 2)
    plans = plans_in(tmp_path)
    for context in (1, 2, 3):
        plans.keep_planned(EIGHT, FitSettings(context), PlannedMemory(context, "f16", 512, 1, 1))
    assert [bool(plans.planned(EIGHT, FitSettings(context))) for context in (1, 2, 3)] == [False, True, True]


def test_a_disk_that_refuses_costs_only_the_plan(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"")
    plans = Plans(tmp_path / "cache", tmp_path / "cache")
    plans.keep_planned(EIGHT, SETTINGS, PLAN)
    plans.record("Eight", EIGHT, SETTINGS, fit(EIGHT, SETTINGS, machine(32)), TAKEN)
    assert plans.planned(EIGHT, SETTINGS) is None


def test_the_engines_version_is_read_from_the_name_of_its_record() -> None:
    assert engine_version() == importlib.metadata.version("llama-cpp-python")
