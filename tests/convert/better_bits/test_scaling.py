"""Scaling: exact where it is folded in, offered only where it can be, kept only where it helps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from snug.convert.better_bits.inputs import collect_inputs
from snug.convert.better_bits.options import BetterBits
from snug.convert.better_bits.scaling import fold, groups_of, scale_plan
from snug.convert.conversion import Settings, convert
from snug.convert.gguf_source import GgufSource
from snug.convert.plan import Meta, ModelPlan, OutputTensor
from snug.engine.calibration import Calibration, importance_of
from snug.engine.text_reader import TextReader
from snug.formats.checkpoints.number_types import Floats
from snug.measure.measuring import measure_divergence
from snug.paths import resources_folder

PIP = resources_folder() / "models" / "pip" / "pip-7m-Q8_0.gguf"
DATA = Path(__file__).parents[2] / "data" / "measure"


def plan_of(source: GgufSource) -> ModelPlan:
    return ModelPlan("llama", (Meta("llama.attention.head_count", "u32", 4),), source.tensors)


def tensor(name: str, rows: int, columns: int) -> OutputTensor:
    values = np.random.default_rng(rows).normal(size=(rows, columns)).astype(np.float32)
    return OutputTensor(name, (rows, columns), lambda first, last: values[first:last], (name,))


def test_every_layer_has_four_groups_and_experts_none() -> None:
    with GgufSource(PIP) as source:
        plan = ModelPlan("llama", (), source.tensors)
        assert len(groups_of(plan)) == 3 * 6  # without the number of heads nothing is known of what values make
        assert len(groups_of(plan_of(source))) == 4 * 6
        assert groups_of(ModelPlan("olmo2", (), source.tensors)) == []
        router = next(tensor for tensor in source.tensors if tensor.name == "blk.0.attn_q.weight")
        experts = (*source.tensors, type(router)("blk.0.ffn_gate_inp.weight", (8, 256), router.read_rows, ()))
        assert len(groups_of(ModelPlan("llama", (), experts))) == 3 * 5


def test_a_scaled_model_computes_the_same(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    with GgufSource(PIP) as source:
        tensors = {tensor.name: tensor for tensor in source.tensors}
        groups = groups_of(plan_of(source))
        assert len(groups) == 4 * 6
        for group in groups:
            size = np.exp2(random.integers(-3, 4, tensors[group.readers[0]].columns)).astype(np.float32)
            fold(tensors, group, group.shared(size))
        source.tensors = tuple(tensors.values())
        out = tmp_path / "scaled.gguf"
        convert(source, out, Settings("F32"), on_progress=lambda report: None, is_cancelled=lambda: False)
    text = (DATA / "heldout.txt").read_text(encoding="utf-8")
    # What is left is the rounding of inputs to 8 bits that the engine does for the reference's own type.
    assert measure_divergence(out, PIP, text, most_tokens=1024).kl_mean < 0.001


def attention(tensors: dict[str, OutputTensor], inputs: Floats, heads: int, value_heads: int, start: int) -> Floats:
    """Every head's value of each input as it is (as if each token looked at itself alone), through the output."""
    maker = tensors.get("blk.0.attn_v.weight") or tensors["blk.0.attn_qkv.weight"]
    bias = tensors.get(maker.name.replace(".weight", ".bias"))
    made = inputs @ maker.read_rows(0, maker.rows).T + (0 if bias is None else bias.read_rows(0, 1).reshape(-1))
    values = made[:, start:].reshape(len(inputs), value_heads, -1)
    seen = np.repeat(values, heads // value_heads, axis=1).reshape(len(inputs), -1)
    output = tensors["blk.0.attn_output.weight"]
    return seen @ output.read_rows(0, output.rows).T


@pytest.mark.parametrize("value_heads", [1, 2, 8])
@pytest.mark.parametrize("is_fused", [False, True])
def test_heads_that_share_a_value_share_its_scale(value_heads: int, is_fused: bool) -> None:
    heads, width, hidden = 8, 4, 24
    found = [tensor("blk.0.attn_output.weight", hidden, heads * width)]
    keys = value_heads * width
    start = heads * width + keys if is_fused else 0
    maker = tensor("blk.0.attn_qkv.weight" if is_fused else "blk.0.attn_v.weight", start + keys, hidden)
    bias = OutputTensor(
        maker.name.replace(".weight", ".bias"), (maker.rows,), lambda *_: np.full((1, maker.rows), 3, np.float32), ()
    )
    plan = ModelPlan("qwen2", (Meta("qwen2.attention.head_count", "u32", heads),), (*found, maker, bias))
    (group,) = groups_of(plan)
    size = np.random.default_rng(9).uniform(0.1, 5, heads * width).astype(np.float32)
    shared = group.shared(size).reshape(value_heads, heads // value_heads, width)
    assert np.all(shared == shared[:, :1])
    tensors = {one.name: one for one in plan.tensors}
    inputs = np.random.default_rng(1).normal(size=(5, hidden)).astype(np.float32)
    before = attention(tensors, inputs, heads, value_heads, start)
    fold(tensors, group, group.shared(size))
    assert np.allclose(attention(tensors, inputs, heads, value_heads, start), before, rtol=1e-4, atol=1e-4)
    changed = tensors[maker.name].read_rows(0, maker.rows) != maker.read_rows(0, maker.rows)
    assert not changed[:start].any()
    assert changed[start:].any()


def test_up_below_gate_in_one_tensor_is_scaled_alone() -> None:
    plan = ModelPlan("phi3", (), (tensor("blk.0.ffn_up.weight", 64, 16), tensor("blk.0.ffn_down.weight", 16, 32)))
    (group,) = groups_of(plan)
    assert group.maker_rows is not None
    assert list(group.maker_rows) == list(range(32, 64))
    not_gated = (tensor("blk.0.ffn_up.weight", 32, 16), tensor("blk.0.ffn_down.weight", 16, 32))
    assert groups_of(ModelPlan("phi3", (), not_gated)) == []


@pytest.mark.parametrize("methods", [BetterBits(), BetterBits(feedback=False)])
def test_scaling_is_kept_only_where_errors_fall(tmp_path: Path, methods: BetterBits) -> None:
    with TextReader(PIP) as reader:
        chunks = reader.chunks(reader.tokenize((DATA / "calibration.txt").read_text(encoding="utf-8")), 6)
    layer = "blk.0."
    inputs = collect_inputs(PIP, chunks, tmp_path / "t", wants_products=lambda name: name.startswith(layer))
    importance = importance_of(Calibration(squares=inputs.squares))
    with GgufSource(PIP) as source:
        tensors = tuple(tensor for tensor in source.tensors if tensor.name.startswith(layer))
        plan = replace(plan_of(source), tensors=tensors)
        types = {tensor.name: "Q3_K" if len(tensor.shape) == 2 else "F32" for tensor in tensors}
        found = scale_plan(plan, types, inputs, importance, methods)
        changed = {
            new.name for new, old in zip(found.plan.tensors, tensors, strict=True) if new.read_rows is not old.read_rows
        }
    expected = {group.maker for group in groups_of(plan) if group.maker in found.makers}
    expected |= {name for group in groups_of(plan) if group.maker in found.makers for name in group.readers}
    assert changed == expected
