"""Llama and the models that share its shape: Mistral, Mixtral, Ministral, SmolLM3."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from snug.convert.architectures import views
from snug.convert.architectures.architecture import Architecture, Hyper, Rule, in_layers
from snug.convert.architectures.blocks import (
    ENDS,
    FEED_FORWARD,
    HEADS,
    KV_HEADS,
    NORMS,
    ROTARY,
    ROTATED_ATTENTION,
    VOCABULARY,
    mlx_experts,
)
from snug.convert.architectures.hyper_parameters import full_rope, rope_settings
from snug.convert.architectures.settings import Settings, as_number, impossible
from snug.convert.architectures.transforms import merge_experts
from snug.convert.architectures.views import View

TENSORS = (*ENDS, *NORMS, *ROTATED_ATTENTION, *FEED_FORWARD)
MIXTRAL_EXPERTS = (
    *in_layers({"block_sparse_moe.gate": "ffn_gate_inp"}),
    Rule(("model.layers.#.block_sparse_moe.experts.@.w1",), "blk.#.ffn_gate_exps", merge_experts),
    Rule(("model.layers.#.block_sparse_moe.experts.@.w2",), "blk.#.ffn_down_exps", merge_experts),
    Rule(("model.layers.#.block_sparse_moe.experts.@.w3",), "blk.#.ffn_up_exps", merge_experts),
    *mlx_experts("block_sparse_moe.switch_mlp"),
)
HYPER = (VOCABULARY, ROTARY)


def llama3_rope(settings: Settings) -> Iterable[tuple[str, View]]:
    """The factor by which each frequency is slowed in Llama 3.1's scaling (transformers, modeling_rope_utils.py)."""
    rope = full_rope(settings)
    if str(rope.get("rope_type", "")).lower() != "llama3":
        return

    def setting(key: str, default: float) -> float:
        value = as_number(rope.get(key, default), key)
        if not 1e-6 <= value <= 1e12:
            raise impossible(key, value)
        return value

    size = np.float32(settings.head_size)
    base = np.float32(setting("rope_theta", 10000.0))
    factor, low, high = setting("factor", 8.0), setting("low_freq_factor", 1.0), setting("high_freq_factor", 4.0)
    context = setting("original_max_position_embeddings", 8192)
    factors = []
    for frequency in np.float32(1) / base ** (np.arange(0, size, 2, dtype=np.float32) / size):
        length = np.float32(2 * math.pi) / frequency
        if length < context / high:
            factors.append(1.0)
        elif length > context / low:
            factors.append(factor)
        else:
            smooth = (np.float32(context) / length - np.float32(low)) / np.float32(high - low)
            factors.append(float(1 / ((1 - smooth) / np.float32(factor) + smooth)))
    yield "rope_freqs.weight", views.constant(np.array(factors, np.float32))


def of_ministral(key: str) -> Any:
    """A setting that Ministral 3 keeps among its rope's."""

    def value(settings: Settings) -> Any:
        if settings.get("model_type") != "ministral3":
            return None
        return as_number(rope_settings(settings).get(key), key)

    return value


DEFAULTS = {"rms_norm_eps": 1e-6, "rope_theta": 10000.0}
LLAMA = Architecture(
    "llama",
    ("LlamaForCausalLM", "LLaMAForCausalLM", "LlamaModel"),
    TENSORS,
    HYPER,
    {**HEADS, **DEFAULTS, "max_position_embeddings": 2048},
    generated=(llama3_rope,),
)
MISTRAL = Architecture(
    "llama",
    ("MistralForCausalLM", "MixtralForCausalLM"),
    (*TENSORS, *MIXTRAL_EXPERTS),
    HYPER,
    {**KV_HEADS, **DEFAULTS},
    generated=(llama3_rope,),
)
MINISTRAL = Architecture(
    "mistral3",
    ("Mistral3ForConditionalGeneration", "Ministral3ForCausalLM"),
    TENSORS,
    (
        *HYPER,
        Hyper("rope.scaling.yarn_log_multiplier", "f32", of_ministral("mscale_all_dim")),
        Hyper("attention.temperature_scale", "f32", of_ministral("llama_4_scaling_beta")),
    ),
    {**KV_HEADS, **DEFAULTS},
    generated=(llama3_rope,),
)
SMOLLM3 = Architecture(
    "smollm3",
    ("SmolLM3ForCausalLM",),
    TENSORS,
    HYPER,
    {**KV_HEADS, "rms_norm_eps": 1e-6, "rope_theta": 2_000_000.0},
    generated=(llama3_rope,),
)
ENTRIES = (LLAMA, MISTRAL, MINISTRAL, SMOLLM3)
