"""Tensors that lose much more than others keep more bits."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from snug.convert.checks.outliers import (
    MOST_GROWTH,
    TensorError,
    check_outliers,
    finer_types,
    normal_error,
    outliers_among,
    relative_error,
    sampled_rows,
    trial_error,
)
from snug.convert.plan import OutputTensor
from snug.formats.checkpoints.number_types import Floats

ROWS, COLUMNS = 64, 256


def tensor(name: str, values: Floats, fixed: str | None = None) -> OutputTensor:
    return OutputTensor(name, values.shape, lambda first, last: values[first:last], (name,), fixed)


def gaussian(seed: int, rows: int = ROWS) -> Floats:
    return np.random.default_rng(seed).standard_normal((rows, COLUMNS)).astype(np.float32)


def with_outliers(seed: int) -> Floats:
    """One weight eight times as large in each block of 32: the others get coarse steps."""
    values = gaussian(seed)
    values[:, ::32] = 8.0
    return values


def many() -> list[OutputTensor]:
    return [tensor(f"blk.{i}.ffn_up.weight", gaussian(i, 4 * ROWS)) for i in range(24)]


def test_equal_tensors_keep_their_types() -> None:
    tensors = many()
    assert finer_types(tensors, dict.fromkeys((t.name for t in tensors), "Q4_0")) == {}


def test_a_tensor_that_loses_much_more_gets_a_finer_type() -> None:
    odd = tensor("blk.9.attn_v.weight", with_outliers(99))
    tensors = [*many(), odd]
    chosen = finer_types(tensors, dict.fromkeys((t.name for t in tensors), "Q4_0"))
    assert chosen == {"blk.9.attn_v.weight": "Q5_0"}
    before, after = trial_error(odd, "Q4_0"), trial_error(odd, "Q5_0")
    assert before is not None
    assert after is not None
    assert after < before / 2


def test_the_file_grows_by_a_small_share_only() -> None:
    wild = [tensor(f"wild.{i}.weight", with_outliers(i)) for i in range(30)]
    tensors = [*many(), *wild]
    types = dict.fromkeys((t.name for t in tensors), "Q4_0")
    chosen = finer_types(tensors, types, factor=0.0)
    grown = sum(t.rows * t.columns * (5.5 - 4.5) / 8 for t in tensors if t.name in chosen)
    assert chosen
    assert grown <= MOST_GROWTH * sum(t.rows * t.columns * 4.5 / 8 for t in tensors)


def test_types_that_llama_cpp_fixes_are_left() -> None:
    tensors = [*many(), tensor("blk.0.ffn_gate_inp.weight", with_outliers(1), "F32")]
    types = dict.fromkeys((t.name for t in tensors), "Q4_0") | {"blk.0.ffn_gate_inp.weight": "F32"}
    assert "blk.0.ffn_gate_inp.weight" not in finer_types(tensors, types, factor=0.0)


def test_weights_that_are_no_numbers_are_left_to_the_conversion() -> None:
    values = gaussian(1)
    values[0, 0] = np.nan
    assert finer_types([tensor("a.weight", values)], {"a.weight": "Q4_0"}) == {}


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (3, 7), (1000, 4096), (8, 1_000_000), (200_000, 64)])
def test_few_rows_from_all_over_a_tensor_are_looked_at(rows: int, columns: int) -> None:
    spans = sampled_rows(rows, columns)
    assert spans[0][0] == 0
    assert spans[-1][1] == rows
    assert all(0 <= first < last <= rows for first, last in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert sum(last - first for first, last in spans) * columns <= max(64 * 1024, 4 * columns)


def test_errors_are_relative_and_infinite_for_what_is_no_number() -> None:
    values = gaussian(2)
    assert relative_error(values, values) == 0.0
    assert relative_error(values, 0.9 * values) == pytest.approx(0.01, rel=1e-3)
    assert relative_error(values, np.full_like(values, np.nan)) == np.inf
    assert relative_error(np.zeros_like(values), values) == np.inf


def test_the_report_names_the_worst_first() -> None:
    errors = [TensorError(f"t{i}", "Q4_K", 0.005) for i in range(9)] + [TensorError("bad", "Q4_K", 0.02)]
    assert [item.name for item in outliers_among(errors)] == ["bad"]
    assert check_outliers(errors, {}).details.startswith("bad: Q4_K")
    assert check_outliers(errors, {}).ok
    assert "keep more bits" in check_outliers(errors, {"bad": "Q5_K"}).words
    assert not check_outliers([*errors, TensorError("gone", "missing", np.inf)], {}).ok


def test_tensors_that_are_copied_make_no_outliers_of_the_others() -> None:
    copied = [TensorError(f"c{i}", "Q4_K", 0.0) for i in range(20)]
    rounded = [TensorError(f"r{i}", "Q4_K", 0.005) for i in range(5)]
    assert outliers_among([*copied, *rounded]) == []


def test_weights_on_a_grid_make_no_outliers_of_normal_ones() -> None:
    on_grid = [TensorError(f"g{i}", "Q5_K", 0.00002) for i in range(20)]
    usual = normal_error("Q5_K")
    assert 0.0001 < usual < 0.01
    assert outliers_among([*on_grid, TensorError("r", "Q5_K", usual)]) == []
    assert [item.name for item in outliers_among([*on_grid, TensorError("r", "Q5_K", 4 * usual)])] == ["r"]


def test_of_two_tensors_neither_is_usual() -> None:
    assert outliers_among([TensorError("a", "Q6_K", 0.0001), TensorError("b", "Q6_K", 0.01)]) == []
