"""Qwen 3.5: layers of gated delta net between layers of attention, dense and with experts."""

from __future__ import annotations

import numpy as np

from snug.convert.architectures import views
from snug.convert.architectures.architecture import Architecture, Hyper, Match, Rule, in_layers, named
from snug.convert.architectures.blocks import (
    ATTENTION,
    EXPERT_WIDTH,
    EXPERTS,
    FEED_FORWARD,
    KV_HEADS,
    SHARED_EXPERT_WIDTH,
)
from snug.convert.architectures.hyper_parameters import rope_settings
from snug.convert.architectures.qwen import QWEN2_SHARED_EXPERT
from snug.convert.architectures.settings import Settings, as_number, impossible
from snug.convert.architectures.transforms import Outputs, negative_exponential, plus_one, rows_in_order
from snug.convert.architectures.views import Index

DEFAULT_SECTIONS = [11, 11, 10, 0]
"""How many rotary pairs follow time, height and width where the config does not say (transformers, Qwen3_5)."""


def value_order(settings: Settings, head_size: int, rows: int) -> Index:
    """Value heads are stored beside the key head that they belong to; llama.cpp wants the first of each key head, then
    the second of each, so that it can repeat the keys without moving them. There must be `rows` in all."""
    keys, values = settings.positive("linear_num_key_heads"), settings.positive("linear_num_value_heads")
    if values % keys or values * head_size != rows:
        raise impossible("linear_num_value_heads", f"{values} of {head_size}, {rows} rows are there")
    return np.arange(rows, dtype=np.int64).reshape(keys, values // keys, head_size).swapaxes(0, 1).reshape(-1)


def value_rows(settings: Settings, rows: int) -> Index:
    return value_order(settings, settings.positive("linear_value_head_dim"), rows)


def value_heads(settings: Settings, rows: int) -> Index:
    return value_order(settings, 1, rows)


def after_keys(settings: Settings, rows: int) -> Index:
    """Queries and keys as they are, then the values in llama.cpp's order."""
    before = 2 * settings.positive("linear_key_head_dim") * settings.positive("linear_num_key_heads")
    values = value_order(settings, settings.positive("linear_value_head_dim"), rows - before)
    return np.concatenate([np.arange(before, dtype=np.int64), values + before])


def value_columns(match: Match) -> Outputs:
    (view,) = match.views
    yield match.name, views.columns_picked(view, value_rows(match.settings, view.columns))


def convolution(match: Match) -> Outputs:
    (view,) = match.views
    flat = views.reshaped(view, (view.shape[0], view.shape[-1]))
    yield match.name, views.picked(flat, after_keys(match.settings, flat.shape[0]))


def decay(match: Match) -> Outputs:
    ((name, view),) = negative_exponential(match)
    yield name, views.picked(view, value_heads(match.settings, view.shape[0]))


DELTA_NET = (
    *in_layers(
        {
            "linear_attn.in_proj_qkv": ("attn_qkv", rows_in_order(after_keys)),
            "linear_attn.in_proj_z": ("attn_gate", rows_in_order(value_rows)),
            "linear_attn.in_proj_b": ("ssm_beta", rows_in_order(value_heads)),
            "linear_attn.in_proj_a": ("ssm_alpha", rows_in_order(value_heads)),
            "linear_attn.conv1d": ("ssm_conv1d", convolution),
            "linear_attn.norm": "ssm_norm",
            "linear_attn.out_proj": ("ssm_out", value_columns),
        }
    ),
    Rule(("model.layers.#.linear_attn.A_log",), "blk.#.ssm_a", decay),
    Rule(("model.layers.#.linear_attn.dt_bias",), "blk.#.ssm_dt.bias", rows_in_order(value_heads)),
)
TENSORS = (
    *named("", "", {"model.embed_tokens": "token_embd", "lm_head": "output"}),
    Rule(("model.norm",), "output_norm", plus_one),
    *in_layers(
        {
            "input_layernorm": ("attn_norm", plus_one),
            "post_attention_layernorm": ("post_attention_norm", plus_one),
            "self_attn.q_norm": ("attn_q_norm", plus_one),
            "self_attn.k_norm": ("attn_k_norm", plus_one),
        }
    ),
    *ATTENTION,
    *FEED_FORWARD,
    *DELTA_NET,
)


def inner_size(settings: Settings) -> int:
    return settings.positive("linear_value_head_dim") * settings.positive("linear_num_value_heads")


def recurrent_layers(settings: Settings) -> list[bool] | None:
    types = settings.items("layer_types")
    if types and len(types) != settings.layers:
        raise impossible("layer_types", f"{len(types)} entries for {settings.layers} layers")
    return [kind == "linear_attention" for kind in types] or None


def rotary_size(settings: Settings) -> int:
    return int(settings.head_size * as_number(rope_settings(settings).get("partial_rotary_factor", 0.25), "rope"))


def sections(settings: Settings) -> list[int] | None:
    return None if "mrope_section" in rope_settings(settings) else DEFAULT_SECTIONS


HYPER = (
    EXPERT_WIDTH,
    SHARED_EXPERT_WIDTH,
    Hyper("ssm.conv_kernel", "u32", lambda settings: settings.positive("linear_conv_kernel_dim")),
    Hyper("ssm.state_size", "u32", lambda settings: settings.positive("linear_key_head_dim")),
    Hyper("ssm.group_count", "u32", lambda settings: settings.positive("linear_num_key_heads")),
    Hyper("ssm.time_step_rank", "u32", lambda settings: settings.positive("linear_num_value_heads")),
    Hyper("ssm.inner_size", "u32", inner_size),
    Hyper("attention.recurrent_layers", "[bool", recurrent_layers),
    Hyper("full_attention_interval", "u32", ("full_attention_interval",)),
    Hyper("rope.dimension_count", "u32", rotary_size),
    Hyper("rope.dimension_sections", "[i32", sections),
)
DEFAULTS = {**KV_HEADS, "full_attention_interval": 4}
PREDICTION_HEADS = (r"(^|\.)mtp\.",)
"""Layers that guess several tokens ahead: left out as with the converter's --no-mtp."""

QWEN35 = Architecture(
    "qwen35",
    ("Qwen3_5ForCausalLM", "Qwen3_5ForConditionalGeneration"),
    TENSORS,
    HYPER,
    DEFAULTS,
    ignored=PREDICTION_HEADS,
)
QWEN35_MOE = Architecture(
    "qwen35moe",
    ("Qwen3_5MoeForCausalLM", "Qwen3_5MoeForConditionalGeneration"),
    (*TENSORS, *EXPERTS, *QWEN2_SHARED_EXPERT),
    HYPER,
    DEFAULTS,
    ignored=PREDICTION_HEADS,
)
ENTRIES = (QWEN35, QWEN35_MOE)
