"""Tensors made of others: the right values, and never much more in memory than what was asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from snug.convert.architectures import views
from snug.convert.architectures.architecture import Match
from snug.convert.architectures.older import from_inputs
from snug.convert.architectures.settings import Settings
from snug.convert.architectures.views import View
from snug.formats.checkpoints.checkpoint_format import CheckpointFormat
from snug.formats.checkpoints.number_types import Floats
from tests.convert.architectures.comparison import MODELS, planned
from tests.convert.yardstick.tiny_models import TinyModel

TRANSPOSED = {"gpt2", "gpt-oss", "qwen3vlmoe", "deepseek2-lite", "deepseek3", "glm4-moe-lite"}
"""Models whose matrices lie the other way round: a strip of many short pieces is read for each row."""


def source(*shape: int) -> tuple[View, Floats]:
    values = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    flat = values.reshape(-1, shape[-1])
    return View(shape, lambda first, last: flat[first:last], ("x",), "BF16"), values


def in_steps(view: View, step: int) -> Floats:
    parts = [view.read_rows(first, min(view.rows, first + step)) for first in range(0, view.rows, step)]
    return np.concatenate(parts).reshape(view.shape)


@pytest.mark.parametrize("step", [1, 3, 5, 100])
def test_each_view_gives_the_same_rows_in_any_steps(step: int) -> None:
    cube, values = source(3, 4, 6)
    matrix, table = source(12, 5)
    order = np.array([7, 0, 1, 2, 11, 3, 3, 8])
    assert (in_steps(views.transposed(cube), step) == values.swapaxes(1, 2)).all()
    assert (in_steps(views.picked(matrix, order), step) == table[order]).all()
    assert (in_steps(views.block_rows(cube, np.array([0, 2])), step) == values[:, [0, 2]]).all()
    assert (in_steps(views.columns_picked(matrix, order[1:4]), step) == table[:, order[1:4]]).all()
    assert (in_steps(views.stacked([matrix, matrix, matrix]), step) == np.stack([table] * 3)).all()
    assert (in_steps(views.reshaped(matrix, (4, 15)), step) == table.reshape(4, 15)).all()
    assert (in_steps(views.reshaped(matrix, (5, 3, 4)), step) == table.reshape(5, 3, 4)).all()
    assert (in_steps(views.row_slice(cube, 1, 3), step) == values[1:3]).all()


def test_a_transposed_matrix_is_cut_out_of_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "STRIP_VALUES", 10)
    matrix, table = source(12, 5)
    assert (in_steps(views.transposed(matrix), 2) == table.T).all()


@pytest.mark.parametrize(
    "model",
    [model for model in MODELS if model.name.removesuffix("-v5") not in TRANSPOSED],
    ids=lambda model: model.name,
)
def test_a_row_costs_little_more_than_a_row(model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    plain_read = CheckpointFormat.read_rows

    def counted(weights: CheckpointFormat, name: str, first: int, last: int) -> Floats:
        rows = plain_read(weights, name, first, last)
        read.append(rows.size)
        return rows

    monkeypatch.setattr(CheckpointFormat, "read_rows", counted)
    checkpoint, plan = planned(model, tmp_path)
    with checkpoint:
        assert read == []  # the plan itself needs no weights
        for tensor in plan.tensors:
            read.clear()
            tensor.read_rows(tensor.rows // 2, tensor.rows // 2 + 1)
            assert sum(read) <= max(4 * tensor.columns, 64), tensor.name


@pytest.mark.parametrize(("stored_type", "shape"), [("F16", (12, 4)), ("gptq", (4, 12))])
def test_a_quantised_matrix_of_gpt2_already_lies_the_usual_way(stored_type: str, shape: tuple[int, int]) -> None:
    values = np.zeros((4, 12), np.float32)
    view = View(values.shape, lambda first, last: values[first:last], ("h.0.mlp.c_fc.weight",), stored_type)
    ((name, result),) = from_inputs(Match(Settings({}, {}), [view], "blk.0.ffn_up.weight", 0, ".weight"))
    assert (name, result.shape) == ("blk.0.ffn_up.weight", shape)
