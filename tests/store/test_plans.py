"""Kept dry runs: found again by header and settings, and never trusted when damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from snug.core.fit import PlannedMemory
from snug.store import plans as plans_module
from snug.store.plans import Plans

PLAN = PlannedMemory(8192, "f16", 512, 1_000, 2_000)
HEADER = "a" * 64


def test_a_plan_is_found_again_by_header_and_settings(tmp_path: Path) -> None:
    Plans(tmp_path / "cache").keep(HEADER, PLAN)
    kept = Plans(tmp_path / "cache")
    assert kept.find(HEADER, 8192, "f16", 512) == PLAN
    assert kept.find("b" * 64, 8192, "f16", 512) is None
    assert kept.find(HEADER, 4096, "f16", 512) is None
    assert kept.find(HEADER, 8192, "q8_0", 512) is None
    assert kept.find(HEADER, 8192, "f16", 256) is None


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"x": 1}', b'{"x": [1, -2]}', b'{"x": ["a", {}]}']
)
def test_a_damaged_file_is_as_none(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "plans.json").write_bytes(damage)
    plans = Plans(tmp_path)
    assert plans.find(HEADER, 8192, "f16", 512) is None
    plans.keep(HEADER, PLAN)
    assert plans.find(HEADER, 8192, "f16", 512) == PLAN


def test_the_oldest_plans_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans_module, "MOST_KEPT", 2)
    plans = Plans(tmp_path)
    for context in (1, 2, 3):
        plans.keep(HEADER, PlannedMemory(context, "f16", 512, 1, 1))
    assert [bool(plans.find(HEADER, context, "f16", 512)) for context in (1, 2, 3)] == [False, True, True]


def test_a_disk_that_refuses_costs_only_the_plan(tmp_path: Path) -> None:
    (tmp_path / "cache").write_bytes(b"")
    plans = Plans(tmp_path / "cache")
    plans.keep(HEADER, PLAN)
    assert plans.find(HEADER, 8192, "f16", 512) is None
