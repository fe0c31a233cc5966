"""Every kind of model that MLX stores: the same GGUF as from the plain checkpoint, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snug.convert.architectures import plan_model
from snug.convert.plan import ModelPlan
from snug.core.errors import UserError
from snug.formats.checkpoints.checkpoint import Checkpoint
from snug.formats.checkpoints.mlx_arrangement import is_readable
from tests.convert.architectures.comparison import MODELS
from tests.convert.architectures.mlx_maker import GROUP, arrays_of, rearranged, rounded, write_mlx
from tests.convert.yardstick.tiny_models import TinyModel, values
from tests.formats.checkpoints.safetensors_maker import Tensor, write_checkpoint

BY_NAME = {model.name: model for model in MODELS}
FUSED = ("ernie4_5-fused", "qwen3moe-stacked", "gpt-oss-mxfp4")
"""Forms of models that mlx-lm does not load, and one with a test of its own."""
READABLE = [model for model in MODELS if is_readable(model.config) and model.name not in FUSED]
QUANTISED = {"group_size": GROUP, "bits": 8}
TEXT_ONLY = (".n_deepstack_layers",)
"""What follows from the part that sees, which MLX drops."""


def planned(folder: Path) -> tuple[Checkpoint, ModelPlan]:
    checkpoint = Checkpoint(folder)
    return checkpoint, plan_model(checkpoint.format, checkpoint.config, "tiny")


def content(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Every tensor of the plan, experts' gate and up apart, and its hyper-parameters."""
    checkpoint, plan = planned(folder)
    with checkpoint:
        found = {each.name: each.read_rows(0, each.rows).reshape(each.shape) for each in plan.tensors}
    for name in [name for name in found if "ffn_gate_up_exps" in name]:
        gate, up = np.split(found.pop(name), 2, axis=1)
        found |= {name.replace("gate_up", "gate"): gate, name.replace("gate_up", "up"): up}
    keys = {each.key: each.value for each in plan.metadata if not each.key.endswith(TEXT_ONLY)}
    return found, {key: value for key, value in keys.items() if not key.startswith("general.")}


def both(model: TinyModel, tensors: Mapping[str, Tensor], folder: Path, **more: Any) -> tuple[Any, Any]:
    """What comes of the plain checkpoint, and of MLX's."""
    plain = write_checkpoint(folder / "plain", model.config, arrays_of(model))
    config = {key: value for key, value in model.config.items() if key != "vision_config"}
    return content(plain), content(write_mlx(folder / "mlx", config | more, tensors))


@pytest.mark.parametrize("model", READABLE, ids=lambda model: model.name)
def test_what_mlx_rearranged_is_put_back(model: TinyModel, tmp_path: Path) -> None:
    (tensors, keys), (from_mlx, mlx_keys) = both(model, rearranged(model, arrays_of(model)), tmp_path)
    assert mlx_keys == keys
    assert from_mlx.keys() == tensors.keys()
    for name, expected in tensors.items():
        np.testing.assert_allclose(from_mlx[name], expected, rtol=0, atol=3e-7, err_msg=name)


@pytest.mark.parametrize("model", READABLE, ids=lambda model: model.name)
def test_what_mlx_quantised_is_what_it_was_but_for_rounding(model: TinyModel, tmp_path: Path) -> None:
    packed = rounded(rearranged(model, arrays_of(model)))
    (tensors, keys), (from_mlx, mlx_keys) = both(model, packed, tmp_path, quantization=QUANTISED)
    assert mlx_keys == keys
    assert from_mlx.keys() == tensors.keys()
    for name, expected in tensors.items():
        np.testing.assert_allclose(from_mlx[name], expected, rtol=0, atol=0.002, err_msg=name)


def test_what_nothing_is_known_of_is_refused(tmp_path: Path) -> None:
    for model in (BY_NAME[name] for name in ("gpt2", "gptneox", "falcon", "bert", "olmo", "arcee")):
        folder = write_mlx(tmp_path / model.name, model.config, arrays_of(model))
        with pytest.raises(UserError, match="made for Apple's MLX"), Checkpoint(folder) as checkpoint:
            _ = checkpoint.format


def test_norms_stay_where_the_convolutions_are_in_the_usual_order(tmp_path: Path) -> None:
    model = BY_NAME["qwen35"]
    (tensors, _), (from_mlx, _) = both(model, arrays_of(model), tmp_path)
    np.testing.assert_array_equal(from_mlx["blk.0.attn_norm.weight"], tensors["blk.0.attn_norm.weight"])


def test_a_deepseek_of_before_the_latent_was_split_is_read_too(tmp_path: Path) -> None:
    model = BY_NAME["deepseek3"]
    tensors = rearranged(replace(model, config=model.config | {"model_type": "deepseek_v2"}), arrays_of(model))
    assert "model.layers.0.self_attn.kv_b_proj.weight" in tensors
    (expected, _), (from_mlx, _) = both(model, tensors, tmp_path)
    np.testing.assert_array_equal(from_mlx["blk.0.attn_k_b.weight"], expected["blk.0.attn_k_b.weight"])


def test_what_mlx_made_of_a_quantised_original_is_read_by_its_own_settings(tmp_path: Path) -> None:
    model = BY_NAME["deepseek3"]
    packed = rounded(rearranged(model, arrays_of(model)))
    named = {"quantization": QUANTISED, "quantization_config": {"quant_method": "fp8"}}
    (expected, _), (from_mlx, _) = both(model, packed, tmp_path, **named)
    np.testing.assert_allclose(from_mlx["blk.0.attn_q_a.weight"], expected["blk.0.attn_q_a.weight"], atol=0.002)


def test_experts_of_gpt_oss_keep_their_mxfp4(tmp_path: Path) -> None:
    """MLX views the same bytes as words, and keeps gate and up apart."""
    model = BY_NAME["gpt-oss-mxfp4"]
    plain: dict[str, Tensor] = {}
    mlx: dict[str, Tensor] = {}
    for name, shape in model.shapes.items():
        array = np.asarray(values(name, shape, 1), np.float32)
        if not name.endswith(("_blocks", "_scales")):
            plain[name] = array
            mlx |= rearranged(model, {name: array})
            continue
        codes = np.random.default_rng(len(plain)).integers(100, 130, shape).astype(np.uint8)
        plain[name] = codes
        stem, part = name.rsplit("_", 1)
        stored = codes.reshape(*shape[:2], -1).view("<u4") if part == "blocks" else codes
        halves = {"gate": stored[:, ::2], "up": stored[:, 1::2]} if "gate_up" in name else {"down": stored}
        for half, rows in halves.items():
            ending = "weight" if part == "blocks" else "scales"
            mlx[f"{stem.rsplit('.', 1)[0]}.{half}_proj.{ending}"] = np.ascontiguousarray(rows)
    own = {"quantization": {"group_size": 32, "bits": 4, "mode": "mxfp4"}}
    config = {key: value for key, value in model.config.items() if key != "quantization_config"}
    folders = (
        write_checkpoint(tmp_path / "plain", model.config, plain),
        write_mlx(tmp_path / "mlx", config | own, mlx),
    )
    stored_bytes = []
    for folder in folders:
        checkpoint, plan = planned(folder)
        with checkpoint:
            kept = {each.name: each.read_stored for each in plan.tensors if each.read_stored is not None}
            rows = {each.name: each.rows for each in plan.tensors}
            stored_bytes.append({name: read(0, rows[name]) for name, read in kept.items()})
    assert len(stored_bytes[0]) == 6
    assert stored_bytes[1] == stored_bytes[0]
