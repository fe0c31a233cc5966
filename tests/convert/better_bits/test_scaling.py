"""Scaling: exact where it is folded in, offered only where it can be, kept only where it helps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from snug.convert.better_bits.inputs import collect_inputs
from snug.convert.better_bits.options import BetterBits
from snug.convert.better_bits.scaling import fold, groups_of, scale_plan
from snug.convert.conversion import Settings, convert
from snug.convert.gguf_source import GgufSource
from snug.convert.plan import ModelPlan
from snug.engine.calibration import Calibration, importance_of
from snug.engine.text_reader import TextReader
from snug.measure.measuring import measure_divergence
from snug.paths import resources_folder

PIP = resources_folder() / "models" / "pip" / "pip-7m-Q8_0.gguf"
DATA = Path(__file__).parents[2] / "data" / "measure"


def test_every_layer_has_three_groups_and_experts_none() -> None:
    with GgufSource(PIP) as source:
        plan = ModelPlan("llama", (), source.tensors)
        assert len(groups_of(plan)) == 3 * 6
        assert groups_of(ModelPlan("olmo2", (), source.tensors)) == []
        router = next(tensor for tensor in source.tensors if tensor.name == "blk.0.attn_q.weight")
        experts = (*source.tensors, type(router)("blk.0.ffn_gate_inp.weight", (8, 256), router.read_rows, ()))
        assert len(groups_of(ModelPlan("llama", (), experts))) == 3 * 5


def test_a_scaled_model_computes_the_same(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    with GgufSource(PIP) as source:
        tensors = {tensor.name: tensor for tensor in source.tensors}
        for group in groups_of(ModelPlan("llama", (), source.tensors)):
            columns = tensors[group.readers[0]].columns
            fold(tensors, group, np.exp2(random.integers(-3, 4, columns)).astype(np.float32))
        source.tensors = tuple(tensors.values())
        out = tmp_path / "scaled.gguf"
        convert(source, out, Settings("F32"), on_progress=lambda report: None, is_cancelled=lambda: False)
    text = (DATA / "heldout.txt").read_text(encoding="utf-8")
    # What is left is the rounding of inputs to 8 bits that the engine does for the reference's own type.
    assert measure_divergence(out, PIP, text, most_tokens=1024).kl_mean < 0.001


@pytest.mark.parametrize("methods", [BetterBits(), BetterBits(feedback=False)])
def test_scaling_is_kept_only_where_errors_fall(tmp_path: Path, methods: BetterBits) -> None:
    with TextReader(PIP) as reader:
        chunks = reader.chunks(reader.tokenize((DATA / "calibration.txt").read_text(encoding="utf-8")), 6)
    layer = "blk.0."
    inputs = collect_inputs(PIP, chunks, tmp_path / "t", wants_products=lambda name: name.startswith(layer))
    importance = importance_of(Calibration(squares=inputs.squares))
    with GgufSource(PIP) as source:
        tensors = tuple(tensor for tensor in source.tensors if tensor.name.startswith(layer))
        plan = ModelPlan("llama", (), tensors)
        types = {tensor.name: "Q3_K" if len(tensor.shape) == 2 else "F32" for tensor in tensors}
        found = scale_plan(plan, types, inputs, importance, methods)
        changed = {
            new.name for new, old in zip(found.plan.tensors, tensors, strict=True) if new.read_rows is not old.read_rows
        }
    expected = {group.maker for group in groups_of(plan) if group.maker in found.makers}
    expected |= {name for group in groups_of(plan) if group.maker in found.makers for name in group.readers}
    assert changed == expected
