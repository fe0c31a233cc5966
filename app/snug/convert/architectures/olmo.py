"""OLMo 1, 2 and 3, and OLMoE."""

from __future__ import annotations

from snug.convert.architectures.architecture import Architecture, Hyper, in_layers
from snug.convert.architectures.blocks import (
    ATTENTION,
    ENDS,
    EXPERTS,
    FEED_FORWARD,
    HEAD_NORMS,
    KV_HEADS,
    NORMS,
    ROTATED_ATTENTION,
    SLIDING_WINDOW,
    sliding_layers,
)
from snug.convert.architectures.settings import Settings


def sliding_pattern(settings: Settings) -> list[bool] | None:
    """OLMo 3 attends to all in every fourth layer; OLMo 2 knows no window."""
    if "sliding_window" not in settings.values:
        return None
    return sliding_layers(settings) or [(layer + 1) % 4 != 0 for layer in range(settings.layers)]


OLMO = Architecture(
    "olmo",
    ("OlmoForCausalLM", "OLMoForCausalLM"),
    (*ENDS, *ROTATED_ATTENTION, *FEED_FORWARD),
    (
        Hyper("attention.layer_norm_epsilon", "f32", lambda settings: 1e-5),
        Hyper("attention.clamp_kqv", "f32", ("clip_qkv",)),
    ),
    {**KV_HEADS, "rope_theta": 10000.0},
)
OLMO2_TENSORS = (
    *ENDS,
    *in_layers({"post_attention_layernorm": "post_attention_norm", "post_feedforward_layernorm": "post_ffw_norm"}),
    *HEAD_NORMS,
    *ATTENTION,
    *FEED_FORWARD,
)
OLMO2_HYPER = (SLIDING_WINDOW, Hyper("attention.sliding_window_pattern", "[bool", sliding_pattern))
DEFAULTS = {**KV_HEADS, "rms_norm_eps": 1e-5, "rope_theta": 10000.0}
OLMO2 = Architecture("olmo2", ("Olmo2ForCausalLM",), OLMO2_TENSORS, OLMO2_HYPER, DEFAULTS)
OLMO3 = Architecture("olmo2", ("Olmo3ForCausalLM",), OLMO2_TENSORS, OLMO2_HYPER, {**DEFAULTS, "sliding_window": 4096})
OLMOE = Architecture(
    "olmoe",
    ("OlmoeForCausalLM",),
    (*ENDS, *NORMS, *HEAD_NORMS, *ATTENTION, *EXPERTS),
    (Hyper("attention.layer_norm_rms_epsilon", "f32", lambda settings: 1e-5),),
    {**DEFAULTS, "num_experts": 64, "num_experts_per_tok": 8},
)
ENTRIES = (OLMO, OLMO2, OLMO3, OLMOE)
