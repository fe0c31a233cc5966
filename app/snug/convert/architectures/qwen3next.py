"""Qwen 3 Next: the first of Qwen's hybrids, with all four inputs of the delta net in one matrix."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from snug.convert.architectures import views
from snug.convert.architectures.architecture import Architecture, Match, Rule, in_layers
from snug.convert.architectures.blocks import EXPERTS
from snug.convert.architectures.qwen import QWEN2_SHARED_EXPERT
from snug.convert.architectures.qwen35 import DEFAULTS as QWEN35_DEFAULTS
from snug.convert.architectures.qwen35 import DELTA_NET, HYPER, PREDICTION_HEADS
from snug.convert.architectures.qwen35 import TENSORS as QWEN35_TENSORS
from snug.convert.architectures.settings import Settings
from snug.convert.architectures.transforms import Outputs, flatten_convolution, negative_exponential


def by_kind(match: Match) -> Outputs:
    """Query, key, value and gate of each key head together become all queries, keys and values, and all gates."""
    (view,) = match.views
    settings = match.settings
    heads, key = settings.positive("linear_num_key_heads"), settings.positive("linear_key_head_dim")
    values = settings.positive("linear_num_value_heads") * settings.positive("linear_value_head_dim")
    share = values // heads
    if values % heads or view.shape[0] != heads * 2 * (key + share):
        raise views.disagree(view, f"{view.shape[0]} rows for {heads} heads of {key} and {share}")
    order = np.arange(view.shape[0], dtype=np.int64).reshape(heads, -1)
    ends = (0, key, 2 * key, 2 * key + share, 2 * (key + share))
    parts = [order[:, first:last].reshape(-1) for first, last in pairwise(ends)]
    yield f"blk.{match.layer}.attn_qkv.weight", views.picked(view, np.concatenate(parts[:3]))
    yield f"blk.{match.layer}.attn_gate.weight", views.picked(view, parts[3])


def layer_types(settings: Settings) -> list[str]:
    """Full attention in every fourth layer."""
    return ["linear_attention" if (layer + 1) % 4 else "full_attention" for layer in range(settings.layers)]


QWEN3_NEXT = Architecture(
    "qwen3next",
    ("Qwen3NextForCausalLM",),
    (
        *(rule for rule in QWEN35_TENSORS if rule not in DELTA_NET),
        *EXPERTS,
        *QWEN2_SHARED_EXPERT,
        *in_layers(
            {
                "linear_attn.in_proj_qkvz": ("attn_qkv", by_kind),
                "linear_attn.in_proj_ba": "ssm_ba",
                "linear_attn.conv1d": ("ssm_conv1d", flatten_convolution),
                "linear_attn.norm": "ssm_norm",
                "linear_attn.out_proj": "ssm_out",
                "linear_attn.dt_bias": "ssm_dt.bias",
            }
        ),
        Rule(("model.layers.#.linear_attn.A_log",), "blk.#.ssm_a", negative_exponential),
    ),
    tuple(hyper for hyper in HYPER if hyper.key != "rope.dimension_sections"),
    {**QWEN35_DEFAULTS, "head_dim": 256, "partial_rotary_factor": 0.25, "layer_types": layer_types},
    ignored=PREDICTION_HEADS,
)
ENTRIES = (QWEN3_NEXT,)
