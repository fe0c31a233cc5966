"""Phi 2, 3 and 4."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from snug.convert.architectures import views
from snug.convert.architectures.architecture import Architecture, Hyper, in_layers, named
from snug.convert.architectures.blocks import ATTENTION, ENDS, KV_HEADS, NORMS
from snug.convert.architectures.hyper_parameters import BASIC, full_rope, rope_settings
from snug.convert.architectures.settings import Settings, as_number, as_whole, impossible
from snug.convert.architectures.views import View


def rotary_size(settings: Settings) -> int:
    share = as_number(rope_settings(settings).get("partial_rotary_factor", 1.0), "partial_rotary_factor")
    return int(share * settings.width) // settings.heads


def original_context(settings: Settings) -> int:
    """The length that the model was first trained on."""
    value = rope_settings(settings).get("original_max_position_embeddings")
    if value is None or as_whole(value, "original_max_position_embeddings") < 2:
        raise impossible("original_max_position_embeddings", value)
    return int(value)


def attention_factor(settings: Settings) -> float | None:
    """By how much attention is sharpened for a long context (transformers, modeling_rope_utils.py)."""
    rope = rope_settings(settings)
    if not rope.get("long_factor"):
        return None
    scale = settings.positive("max_position_embeddings") / original_context(settings)
    if scale <= 1:
        return 1.0
    if rope.get("rope_type") == "yarn":
        return 0.1 * math.log(scale) + 1.0
    return math.sqrt(1 + math.log(scale) / math.log(original_context(settings)))


def long_rope(settings: Settings) -> Iterable[tuple[str, View]]:
    """The factors of each frequency within the original context and beyond it."""
    rope = rope_settings(settings)
    if not rope.get("long_factor"):
        return
    for key, name in (("long_factor", "rope_factors_long"), ("short_factor", "rope_factors_short")):
        factors: Any = rope.get(key)
        if not isinstance(factors, list) or len(factors) != rotary_size(settings) // 2:
            raise impossible(key, factors)
        values = np.array([as_number(factor, key) for factor in factors], np.float32)
        yield f"{name}.weight", views.constant(values)


PHI2 = Architecture(
    "phi2",
    ("PhiForCausalLM",),
    (
        *named(
            "", "", {"model.embed_tokens": "token_embd", "model.final_layernorm": "output_norm", "lm_head": "output"}
        ),
        *ATTENTION,
        *in_layers(
            {
                "input_layernorm": "attn_norm",
                "self_attn.dense": "attn_output",
                "mlp.fc1": "ffn_up",
                "mlp.fc2": "ffn_down",
            }
        ),
    ),
    (
        Hyper("feed_forward_length", "u32", lambda settings: 4 * settings.width),
        Hyper("attention.head_count_kv", "u32", lambda settings: settings.heads),
        Hyper("rope.dimension_count", "u32", rotary_size),
    ),
    {**KV_HEADS, "partial_rotary_factor": 0.5, "layer_norm_eps": 1e-5},
    common=(*BASIC, "attention.layer_norm_epsilon"),
)
PHI3 = Architecture(
    "phi3",
    ("Phi3ForCausalLM", "Phi4ForCausalLMV"),
    (
        *ENDS,
        *NORMS,
        *in_layers(
            {
                "self_attn.qkv_proj": "attn_qkv",
                "self_attn.o_proj": "attn_output",
                "mlp.gate_up_proj": "ffn_up",
                "mlp.down_proj": "ffn_down",
            }
        ),
    ),
    (
        Hyper("rope.scaling.original_context_length", "u32", original_context),
        Hyper("rope.dimension_count", "u32", rotary_size),
        Hyper("rope.freq_base", "f32", lambda settings: full_rope(settings).get("rope_theta")),
        Hyper("rope.scaling.attn_factor", "f32", attention_factor),
        Hyper("attention.sliding_window", "u32", lambda settings: settings.get("sliding_window") or 0),
    ),
    {
        **KV_HEADS,
        "rope_theta": 10000.0,
        "partial_rotary_factor": 1.0,
        "original_max_position_embeddings": 4096,
        "rms_norm_eps": 1e-5,
    },
    generated=(long_rope,),
    common=(*BASIC, "attention.layer_norm_rms_epsilon"),
)
ENTRIES = (PHI2, PHI3)
