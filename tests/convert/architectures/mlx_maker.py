"""Tiny checkpoints as MLX would store them: rearranged, and rounded to 8 bits where asked for; independent of Snug."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.convert.yardstick.tiny_models import TinyModel, values
from tests.formats.checkpoints.safetensors_maker import Tensor, safetensors

Arrays = dict[str, np.ndarray]
GROUP = 32
W_NAMES = {"w1": "gate_proj", "w2": "down_proj", "w3": "up_proj"}
EXPERT = re.compile(r"(.*\.)experts\.(\d+)\.(\w+)\.weight$")
NORMS = re.compile(
    r"(input_layernorm|post_attention_layernorm|model\.norm|language_model\.norm|q_norm|k_norm)\.weight$"
)
SEEING = ("vision_tower.", "model.visual.", "visual.", "multi_modal_projector.")


def arrays_of(model: TinyModel) -> Arrays:
    """The plain checkpoint's tensors, without those that see."""
    return {
        name: np.asarray(values(name, shape, 1), np.float32)
        for name, shape in model.shapes.items()
        if not name.startswith(SEEING)
    }


def rearranged(model: TinyModel, tensors: Arrays) -> Arrays:
    """The tensors under MLX's names and in its order."""
    kind = model.config["model_type"]
    found: Arrays = {}
    experts: dict[str, dict[int, np.ndarray]] = {}
    for name, array in tensors.items():
        expert = EXPERT.match(name)
        stem = name.rsplit(".", 1)[0]
        if expert is not None:
            part = W_NAMES.get(expert[3], expert[3])
            experts.setdefault(f"{expert[1]}switch_mlp.{part}.weight", {})[int(expert[2])] = array
        elif kind == "gpt_oss" and "experts.gate_up_proj" in name:
            ending = "bias" if name.endswith("_bias") else "weight"
            for number, part in enumerate(("gate", "up")):
                half = array[..., number::2] if ending == "bias" else array.swapaxes(1, 2)[:, number::2]
                found[f"{stem}.{part}_proj.{ending}"] = half
        elif kind == "gpt_oss" and "experts.down_proj" in name:
            is_bias = name.endswith("_bias")
            found[f"{stem}.down_proj.{'bias' if is_bias else 'weight'}"] = array if is_bias else array.swapaxes(1, 2)
        elif name.endswith("experts.gate_up_proj"):
            module = stem.removesuffix("experts") + ("experts.switch_glu" if kind == "gemma4" else "switch_mlp")
            both = array.swapaxes(1, 2) if kind == "qwen3_vl_moe" else array
            for half, part in zip(np.split(both, 2, axis=1), ("gate", "up"), strict=True):
                found[f"{module}.{part}_proj.weight"] = half
        elif name.endswith("experts.down_proj"):
            module = stem.removesuffix("experts") + ("experts.switch_glu" if kind == "gemma4" else "switch_mlp")
            found[f"{module}.down_proj.weight"] = array.swapaxes(1, 2) if kind == "qwen3_vl_moe" else array
        elif "block_sparse_moe.input_linear" in name or ("shared_mlp.input_linear" in name and not has_experts(model)):
            module = re.sub(r"input_linear$", "switch_mlp", stem) if array.ndim == 3 else dense(stem)
            for half, part in zip(np.split(array, 2, axis=-2), ("gate", "up"), strict=True):
                found[f"{module}.{part}_proj.weight"] = half
        elif "block_sparse_moe.output_linear" in name:
            found[name.replace("output_linear", "switch_mlp.down_proj")] = array
        elif "shared_mlp.output_linear" in name and not has_experts(model):
            found[f"{dense(stem)}.down_proj.weight"] = array
        elif kind in ("deepseek_v3", "glm4_moe_lite") and name.endswith("kv_b_proj.weight"):
            keys = model.config["qk_nope_head_dim"]
            by_head = array.reshape(model.config["num_attention_heads"], -1, array.shape[-1])
            found[name.replace("kv_b_proj", "embed_q")] = by_head[:, :keys].swapaxes(1, 2)
            found[name.replace("kv_b_proj", "unembed_out")] = by_head[:, keys:]
        elif array.ndim == 3 and ".conv" in name:
            found[name] = np.moveaxis(array, 2, 1)
        elif kind in ("qwen3_next", "qwen3_5", "qwen3_5_moe") and NORMS.search(name) and "linear_attn" not in name:
            found[name] = array + np.float32(1)
        elif kind == "lfm2_moe" and re.search(r"feed_forward\.w\d\.", name):
            found[re.sub(r"w\d", lambda match: W_NAMES[match[0]], name)] = array
        else:
            found[name] = array
    found |= {name: np.stack([parts[number] for number in sorted(parts)]) for name, parts in experts.items()}
    return {of_text_part(model, name): array for name, array in found.items()}


def has_experts(model: TinyModel) -> bool:
    return bool(model.config.get("num_local_experts"))


def dense(stem: str) -> str:
    """Where MLX keeps the feed-forward part of a Granite without experts."""
    return re.sub(r"shared_mlp\.\w+$", "mlp", stem)


def of_text_part(model: TinyModel, name: str) -> str:
    """Models that see have their text part under one name."""
    if "text_config" not in model.config or name.startswith("language_model."):
        return name
    if name.startswith("model.language_model."):
        return name.replace("model.language_model.", "language_model.model.")
    return f"language_model.{name}"


def rounded(tensors: Arrays) -> dict[str, Tensor]:
    """Matrices and experts as numbers of 8 bits with scales and biases; the rest as it is."""
    found: dict[str, Tensor] = {}
    for name, array in tensors.items():
        if array.ndim < 2 or not name.endswith(".weight") or array.shape[-1] % GROUP or "conv" in name:
            found[name] = array
            continue
        groups = array.reshape(*array.shape[:-1], -1, GROUP)
        lowest = groups.min(-1)
        scales = np.maximum(groups.max(-1) - lowest, 1e-6) / np.float32(255)
        numbers = np.clip(np.rint((groups - lowest[..., None]) / scales[..., None]), 0, 255).astype(np.uint8)
        stem = name.removesuffix("weight")
        found[name] = np.ascontiguousarray(numbers.reshape(array.shape)).view("<u4")
        found[f"{stem}scales"], found[f"{stem}biases"] = scales, lowest
    return found


def write_mlx(folder: Path, config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(dict(config)))
    (folder / "model.safetensors").write_bytes(safetensors(tensors, {"format": "mlx"}))
    return folder
