"""Command R (Cohere) and Command R7B (Cohere 2)."""

from __future__ import annotations

from snug.convert.architectures.architecture import Architecture, Hyper, in_layers
from snug.convert.architectures.blocks import (
    ATTENTION,
    ENDS,
    FEED_FORWARD,
    HEAD_NORMS,
    KV_HEADS,
    LOGIT_SCALE,
    NO_SCALING,
    VOCABULARY,
)
from snug.convert.architectures.settings import Settings

TENSORS = (*ENDS, *ATTENTION, *FEED_FORWARD, *in_layers({"input_layernorm": "attn_norm"}))


def trained_context(settings: Settings) -> int:
    """Command R states a shorter context than it was trained on; the true one stands beside it."""
    return settings.whole("model_max_length", "max_position_embeddings")


def rotary_size(settings: Settings) -> int:
    return int(settings.number("rotary_pct") * (settings.width // settings.heads))


ZERO_BIASES = (r"\.bias$",)
"""Cohere 2 was trained without biases; some checkpoints hold zeros for them, which the engine does not take."""
DEFAULTS = {**KV_HEADS, "logit_scale": 0.0625, "layer_norm_eps": 1e-5, "rope_theta": 10000.0,
            "max_position_embeddings": 8192}  # fmt: skip
COHERE = Architecture(
    "command-r",
    ("CohereForCausalLM",),
    (*TENSORS, *HEAD_NORMS),
    (Hyper("context_length", "u32", trained_context), LOGIT_SCALE, NO_SCALING),
    DEFAULTS,
)
COHERE2 = Architecture(
    "cohere2",
    ("Cohere2ForCausalLM",),
    TENSORS,
    (
        LOGIT_SCALE,
        Hyper("attention.sliding_window", "u32", lambda settings: settings.whole("sliding_window")),
        VOCABULARY,
        Hyper("rope.dimension_count", "u32", rotary_size),
        NO_SCALING,
    ),
    {**DEFAULTS, "head_dim": lambda settings: settings.head_size, "sliding_window": 4096},
    ignored=ZERO_BIASES,
)
ENTRIES = (COHERE, COHERE2)
