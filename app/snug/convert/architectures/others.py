"""Smaller families in today's usual shape: Arcee, Seed-OSS, ERNIE 4.5, Hunyuan."""

from __future__ import annotations

import numpy as np

from snug.convert.architectures import views
from snug.convert.architectures.architecture import Architecture, Hyper, Match, in_layers
from snug.convert.architectures.blocks import ATTENTION, ENDS, FEED_FORWARD, HEADS, KV_HEADS, NORMS, ROTATED_ATTENTION
from snug.convert.architectures.hyper_parameters import rope_settings
from snug.convert.architectures.llama import HYPER as LLAMA_HYPER
from snug.convert.architectures.llama import llama3_rope
from snug.convert.architectures.settings import Settings, as_number, impossible
from snug.convert.architectures.transforms import Outputs, halves

HUNYUAN_CONTEXT = 256 * 1024
"""What Hunyuan was trained for; with dynamic scaling its config states less."""


def split_attention(match: Match) -> Outputs:
    """Queries, keys and values out of one matrix."""
    (view,) = match.views
    settings = match.settings
    queries, keys = settings.heads * settings.head_size, settings.kv_heads * settings.head_size
    if view.shape[0] != queries + 2 * keys:
        raise views.disagree(view, f"{view.shape[0]} rows for {queries} + 2 x {keys}")
    first = 0
    for name, rows in (("q", queries), ("k", keys), ("v", keys)):
        index = np.arange(first, first + rows, dtype=np.int64)
        yield f"blk.{match.layer}.attn_{name}{match.suffix}", views.picked(view, index)
        first += rows


def is_stretched(settings: Settings) -> bool:
    return rope_settings(settings).get("rope_type") in ("dynamic", "xdrope")


def is_dynamic(settings: Settings) -> bool:
    return rope_settings(settings).get("rope_type") == "dynamic"


def stretched_base(settings: Settings) -> float | None:
    """The base frequency for a longer context, by the factor alpha (Hunyuan's report)."""
    rope = rope_settings(settings)
    if not is_stretched(settings):
        return None
    alpha, base = as_number(rope.get("alpha", 50), "alpha"), as_number(rope.get("rope_theta", 10000.0), "rope_theta")
    size = settings.head_size
    if size < 4 or not 0 < alpha < 1e6 or not 0 < base < 1e12:
        raise impossible("rope_scaling", dict(rope))
    return float(base * alpha ** (size / (size - 2)))


ARCEE = Architecture(
    "arcee",
    ("ArceeForCausalLM",),
    (*ENDS, *NORMS, *ROTATED_ATTENTION, *in_layers({"mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"})),
    LLAMA_HYPER,
    {**HEADS, "rms_norm_eps": 1e-5, "rope_theta": 10000.0},
    generated=(llama3_rope,),
)
SEED_OSS = Architecture(
    "seed_oss",
    ("SeedOssForCausalLM",),
    (
        *ENDS,
        *ATTENTION,
        *FEED_FORWARD,
        *in_layers({"input_layernorm": "attn_norm", "post_attention_layernorm": "post_attention_norm"}),
    ),
    (),
    {**HEADS, "rms_norm_eps": 1e-6, "rope_theta": 10000.0},
)
ERNIE = Architecture(
    "ernie4_5",
    ("Ernie4_5ForCausalLM", "Ernie4_5_ForCausalLM"),
    (
        *ENDS,
        *NORMS,
        *ATTENTION,
        *FEED_FORWARD,
        *in_layers(
            {
                "self_attn.qkv_proj": ("attn_qkv", split_attention),
                "mlp.up_gate_proj": ("ffn_gate", halves("ffn_gate", "ffn_up")),
            }
        ),
    ),
    (),
    {**KV_HEADS, "head_dim": 128, "rms_norm_eps": 1e-5, "rope_theta": 500_000.0},
)
HUNYUAN = Architecture(
    "hunyuan-dense",
    ("HunYuanDenseV1ForCausalLM",),
    (
        *ENDS,
        *NORMS,
        *ATTENTION,
        *FEED_FORWARD,
        *in_layers({"self_attn.query_layernorm": "attn_q_norm", "self_attn.key_layernorm": "attn_k_norm"}),
    ),
    (
        Hyper("rope.freq_base", "f32", stretched_base),
        Hyper("rope.scaling.type", "str", lambda settings: "none" if is_stretched(settings) else None),
        Hyper("rope.scaling.factor", "f32", lambda settings: 1.0 if is_stretched(settings) else None),
        Hyper("rope.scaling.original_context_length", "u32",
              lambda settings: HUNYUAN_CONTEXT if is_dynamic(settings) else None),
        Hyper("context_length", "u32", lambda settings: HUNYUAN_CONTEXT if is_dynamic(settings) else None),
    ),
    {**KV_HEADS, "rms_norm_eps": 1e-5, "rope_theta": 10000.0},
)  # fmt: skip
ENTRIES = (ARCEE, SEED_OSS, ERNIE, HUNYUAN)
