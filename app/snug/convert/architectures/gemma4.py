"""Gemma 4, the text part: wide heads in layers of full attention, embeddings for each layer, experts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from snug.convert.architectures import views
from snug.convert.architectures.architecture import Architecture, Hyper, Rule, in_layers, named
from snug.convert.architectures.blocks import ATTENTION, FEED_FORWARD, HEAD_NORMS, mlx_experts, sliding_layers
from snug.convert.architectures.gemma import base_frequency, sliding_window, soft_cap, vocabulary_rows
from snug.convert.architectures.hyper_parameters import full_rope, rope_settings
from snug.convert.architectures.settings import MOST_HEAD, Settings, as_number, as_whole, impossible
from snug.convert.architectures.views import View

UNROTATED = 1e30
"""By this much a frequency is slowed that should not turn at all."""


def of_full_layers(settings: Settings, key: str, in_layer: str) -> int | None:
    """A setting of the layers of full attention: at `key`, or `in_layer` of the first such layer's own settings."""
    value = settings.get(key)
    if value is None:
        types = settings.items("layer_types")
        for layer, own in settings.table("per_layer_config").items():
            is_full = layer.isdecimal() and int(layer) < len(types) and types[int(layer)] == "full_attention"
            if is_full and isinstance(own, dict) and in_layer in own:
                value = own[in_layer]
                break
    return None if value is None else as_whole(value, key)


def full_head_size(settings: Settings) -> int:
    size = of_full_layers(settings, "global_head_dim", "head_dim")
    if not size or size > MOST_HEAD:
        raise impossible("global_head_dim", size)
    return size


def sliding_rotary(settings: Settings) -> int:
    return int(settings.head_size * as_number(rope_settings(settings).get("partial_rotary_factor", 1.0), "rope"))


def feed_forward(settings: Settings) -> int | list[int]:
    """Layers that share keys and values may have a feed-forward part of twice the width."""
    width = settings.positive("intermediate_size")
    if not settings.flag("use_double_wide_mlp"):
        return width
    own = settings.layers - settings.whole("num_kv_shared_layers")
    return [width if layer < own else 2 * width for layer in range(settings.layers)]


def kv_heads(settings: Settings) -> int | list[int]:
    full, sliding = of_full_layers(settings, "num_global_key_value_heads", "num_key_value_heads"), settings.kv_heads
    layers = sliding_layers(settings)
    if full is None or layers is None:
        return sliding
    return [sliding if is_sliding else full for is_sliding in layers]


def proportional_rope(settings: Settings) -> Iterable[tuple[str, View]]:
    """In layers of full attention only a share of each head turns; the rest gets frequencies of nothing."""
    rope: Mapping[str, Any] = full_rope(settings)
    if rope.get("rope_type") != "proportional":
        raise impossible("rope_parameters", rope.get("rope_type"))
    size = full_head_size(settings)
    turned = int(size * as_number(rope.get("partial_rotary_factor"), "partial_rotary_factor") / 2)
    if not 0 <= turned <= size // 2:
        raise impossible("partial_rotary_factor", turned)
    factors = np.array([1.0] * turned + [UNROTATED] * (size // 2 - turned), np.float32)
    yield "rope_freqs.weight", views.constant(factors)


GEMMA4 = Architecture(
    "gemma4",
    ("Gemma4ForCausalLM", "Gemma4ForConditionalGeneration"),
    (
        Rule(("model.embed_tokens",), "token_embd", vocabulary_rows),
        *named(
            "model.",
            "",
            {
                "norm": "output_norm",
                "embed_tokens_per_layer": "per_layer_token_embd",
                "per_layer_model_projection": "per_layer_model_proj",
                "per_layer_projection_norm": "per_layer_proj_norm",
            },
        ),
        Rule(("lm_head",), "output"),
        *in_layers(
            {
                "input_layernorm": "attn_norm",
                "post_attention_layernorm": "post_attention_norm",
                "pre_feedforward_layernorm": "ffn_norm",
                "post_feedforward_layernorm": "post_ffw_norm",
                "pre_feedforward_layernorm_2": "pre_ffw_norm_2",
                "post_feedforward_layernorm_1": "post_ffw_norm_1",
                "post_feedforward_layernorm_2": "post_ffw_norm_2",
                "post_per_layer_input_norm": "post_norm",
                "per_layer_input_gate": "inp_gate",
                "per_layer_projection": "proj",
                "layer_scalar": "layer_output_scale.weight",
                "router.proj": "ffn_gate_inp",
                "router.scale": "ffn_gate_inp.scale",
                "router.per_expert_scale": "ffn_down_exps.scale",
                "experts.gate_up_proj": "ffn_gate_up_exps.weight",
                "experts.down_proj": "ffn_down_exps.weight",
            }
        ),
        *mlx_experts("experts.switch_glu"),
        *HEAD_NORMS,
        *ATTENTION,
        *FEED_FORWARD,
    ),
    (
        Hyper("final_logit_softcapping", "f32", soft_cap),
        Hyper("attention.sliding_window", "u32", sliding_window),
        Hyper("rope.freq_base", "f32", base_frequency),
        Hyper("attention.shared_kv_layers", "u32", lambda settings: settings.whole("num_kv_shared_layers")),
        Hyper(
            "embedding_length_per_layer_input", "u32", lambda settings: settings.get("hidden_size_per_layer_input") or 0
        ),
        Hyper("attention.sliding_window_pattern", "[bool", sliding_layers),
        Hyper("attention.key_length", "u32", full_head_size),
        Hyper("attention.value_length", "u32", full_head_size),
        Hyper("attention.key_length_swa", "u32", lambda settings: settings.head_size),
        Hyper("attention.value_length_swa", "u32", lambda settings: settings.head_size),
        Hyper("expert_feed_forward_length", "u32", ("expert_intermediate_size", "moe_intermediate_size")),
        Hyper("feed_forward_length", "u32", feed_forward),
        Hyper("attention.head_count_kv", "u32", kv_heads),
        Hyper("rope.dimension_count", "u32", full_head_size),
        Hyper("rope.dimension_count_swa", "u32", sliding_rotary),
    ),
    {"head_dim": 256},
    generated=(proportional_rope,),
)
ENTRIES = (GEMMA4,)
