"""Sensitivities: of a large model some layers are measured, and the others lie between."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from snug.convert.better_bits.budget import MixChooser
from snug.convert.better_bits.inputs import InputTables
from snug.convert.better_bits.options import BetterBits
from snug.convert.better_bits.rounding import Rounder
from snug.convert.better_bits.sensitivity import MOST_WORK, SAMPLE_ROWS, measured_names, sampled_rows
from snug.convert.plan import OutputTensor

NAMES = [f"blk.{layer}.{part}.weight" for layer in range(32) for part in ("attn_q", "ffn_up")] + ["output.weight"]


def layers(names: frozenset[str]) -> list[int]:
    return sorted({int(name.split(".")[1]) for name in names if name.startswith("blk.")})


def test_of_a_small_model_every_tensor_is_measured() -> None:
    assert measured_names(NAMES, 10_000_000) == set(NAMES)


@pytest.mark.parametrize("weights", [10**9, 10**11, 10**13])
def test_of_a_large_model_some_layers_are_measured_from_the_first_to_the_last(weights: int) -> None:
    found = measured_names(NAMES, weights * 512)
    assert "output.weight" in found
    assert layers(found)[0] == 0
    assert layers(found)[-1] == 31
    assert len(layers(found)) >= 4
    assert len(layers(found)) == 4 or len(found) * weights * 512 <= 1.2 * MOST_WORK


def test_rows_of_a_few_experts_stand_for_all_each_group_from_one_of_them() -> None:
    def of(*shape: int) -> list[tuple[int, list[int]]]:
        return sampled_rows(OutputTensor("x", shape, lambda first, last: np.zeros((last - first, shape[-1])), ()))

    experts = of(128, 768, 2048)
    assert [first for first, _ in experts] == [0, 32 * 768, 64 * 768, 96 * 768]
    assert all(first <= row < first + 768 for first, rows in experts for row in rows)
    assert sum(len(rows) for _, rows in experts) == SAMPLE_ROWS
    ((first, rows),) = of(4096, 2048)
    assert (first, len(rows), rows[0], rows[-1] > 3900) == (0, SAMPLE_ROWS, 10, True)
    assert of(2, 3, 32) == [(0, [0, 1, 2]), (3, [3, 4, 5])]


def test_without_room_for_the_model_each_tensors_own_error_chooses(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    rough = random.normal(size=(64, 512)).astype(np.float32)
    even = random.choice(np.array([-1, 1], np.float32), size=(64, 512))
    tensors = [
        OutputTensor(f"blk.0.{name}.weight", (64, 512), lambda a, b, v=values: v[a:b], ())
        for name, values in (("ffn_up", rough), ("ffn_down", even))
    ]
    chooser = MixChooser.measured(
        tensors, Rounder(BetterBits(), {}, None), InputTables(tmp_path / "t"), None, lambda done, total, name: None
    )
    found = chooser.choose(2 * 64 * 512 * 45 // 80)
    assert found.divergence == -1
    assert found.size_bytes <= 2 * 64 * 512 * 45 // 80
    bits = {name: choice.size_bytes for name, choice in found.choices.items()}
    assert bits["blk.0.ffn_up.weight"] > bits["blk.0.ffn_down.weight"]
