"""Measured divergences: kept by model and type, the newest counts, and nothing damaged is believed."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from snug.store.divergences import DIVERGENCES_FILE, Divergences


def test_what_was_measured_is_known_to_every_reader_and_the_newest_counts(tmp_path: Path) -> None:
    first, second = Divergences(tmp_path), Divergences(tmp_path)
    first.record("qwen3.5-9b", "Q4_K_M", 0.03)
    assert second.known() == {("qwen3.5-9b", "Q4_K_M"): 0.03}
    second.record("qwen3.5-9b", "Q4_K_M", 0.02)
    second.record("owner/name", "Q6_K", 0.0)
    assert first.known() == {("qwen3.5-9b", "Q4_K_M"): 0.02, ("owner/name", "Q6_K"): 0.0}


@pytest.mark.parametrize("nats", [-1.0, math.nan, math.inf, 1e6])
def test_a_figure_that_is_none_is_not_kept(tmp_path: Path, nats: float) -> None:
    kept = Divergences(tmp_path)
    kept.record("a/b", "Q4_K_M", nats)
    kept.record("", "Q4_K_M", 0.1)
    kept.record("a/b", "", 0.1)
    assert kept.known() == {}


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"a/b Q4_K_M": "x", "Q4_K_M": 1, "a/b Q6_K": true, "c": null}', "[" * 9999]
)
def test_a_damaged_file_counts_as_empty(tmp_path: Path, text: str) -> None:
    (tmp_path / DIVERGENCES_FILE).write_text(text)
    assert Divergences(tmp_path).known() == {}
    Divergences(tmp_path).record("a/b", "Q8_0", 0.001)
    assert Divergences(tmp_path).known()["a/b", "Q8_0"] == 0.001
