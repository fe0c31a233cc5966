"""gpt-oss: experts in MXFP4, gate and up interleaved."""

from __future__ import annotations

import numpy as np

from snug.convert.architectures import views
from snug.convert.architectures.architecture import Architecture, Hyper, Match, in_layers
from snug.convert.architectures.blocks import ATTENTION, ENDS, KV_HEADS
from snug.convert.architectures.transforms import Outputs, beside


def expert_outputs(match: Match) -> views.View:
    """Experts as (experts, outputs, inputs): those in MXFP4 come so, plain ones have the last two axes swapped."""
    (view,) = match.views
    return views.transposed(view) if view.is_plain else view


def down(match: Match) -> Outputs:
    yield match.name, expert_outputs(match)


def gate_and_up(match: Match) -> Outputs:
    """The even rows are the gate's, the odd ones up's."""
    view = expert_outputs(match)
    for number, name in enumerate(("ffn_gate_exps", "ffn_up_exps")):
        yield beside(match, name), views.block_rows(view, np.arange(number, view.shape[-2], 2))


def gate_and_up_biases(match: Match) -> Outputs:
    (view,) = match.views
    for number, name in enumerate(("ffn_gate_exps", "ffn_up_exps")):
        yield f"blk.{match.layer}.{name}.bias", views.columns_picked(view, np.arange(number, view.columns, 2))


GPT_OSS = Architecture(
    "gpt-oss",
    ("GptOssForCausalLM",),
    (
        *ENDS,
        *ATTENTION,
        *in_layers(
            {
                "input_layernorm": "attn_norm",
                "post_attention_layernorm": "post_attention_norm",
                "self_attn.sinks": "attn_sinks.weight",
                "mlp.router": "ffn_gate_inp",
                "mlp.experts.down_proj": ("ffn_down_exps.weight", down),
                "mlp.experts.down_proj_bias": "ffn_down_exps.bias",
                "mlp.experts.gate_up_proj": ("ffn_gate_up_exps.weight", gate_and_up),
                "mlp.experts.gate_up_proj_bias": ("ffn_gate_up_exps.bias", gate_and_up_biases),
            }
        ),
        *in_layers(
            {
                f"mlp.experts.{part}_proj.{ending}": f"ffn_{part}_exps.{ending}"
                for part in ("gate", "up", "down")
                for ending in ("weight", "bias")
            }
        ),  # as MLX has them: gate and up apart, experts as (experts, outputs, inputs)
    ),
    (
        Hyper("attention.sliding_window", "u32", lambda settings: settings.whole("sliding_window")),
        Hyper("expert_feed_forward_length", "u32", lambda settings: settings.whole("intermediate_size")),
    ),
    {
        **KV_HEADS,
        "head_dim": 64,
        "sliding_window": 128,
        "rope_theta": 150000.0,
        "rms_norm_eps": 1e-5,
        "num_local_experts": 128,
        "num_experts_per_tok": 4,
        "max_position_embeddings": 131072,
    },
)
ENTRIES = (GPT_OSS,)
