"""GLM 4, dense and with experts."""

from __future__ import annotations

from snug.convert.architectures.architecture import Architecture, Hyper, in_layers
from snug.convert.architectures.blocks import (
    ATTENTION,
    ENDS,
    EXPERT_WIDTH,
    EXPERTS,
    FEED_FORWARD,
    HEAD_NORMS,
    KV_HEADS,
    SCORE_CORRECTION,
    SHARED_EXPERTS,
)
from snug.convert.architectures.hyper_parameters import GATING, rope_settings
from snug.convert.architectures.settings import Settings, as_number


def rotary_size(settings: Settings) -> int:
    share = as_number(rope_settings(settings).get("partial_rotary_factor", 0.5), "partial_rotary_factor")
    return int(settings.head_size * share)


ROTARY = Hyper("rope.dimension_count", "u32", rotary_size)
GLM4 = Architecture(
    "glm4",
    ("Glm4ForCausalLM",),
    (
        *ENDS,
        *ATTENTION,
        *in_layers(
            {
                "input_layernorm": "attn_norm",
                "post_attention_layernorm": "ffn_norm",
                "post_self_attn_layernorm": "post_attention_norm",
                "post_mlp_layernorm": "post_ffw_norm",
                "mlp.gate_up_proj": "ffn_up",
                "mlp.down_proj": "ffn_down",
            }
        ),
    ),
    (ROTARY,),
    {**KV_HEADS, "head_dim": 128, "rope_theta": 10000.0, "partial_rotary_factor": 0.5, "rms_norm_eps": 1.5625e-07},
)
GLM4_MOE = Architecture(
    "glm4moe",
    ("Glm4MoeForCausalLM",),
    (
        *ENDS,
        *ATTENTION,
        *HEAD_NORMS,
        *FEED_FORWARD,
        *EXPERTS,
        *SHARED_EXPERTS,
        *SCORE_CORRECTION,
        *in_layers({"input_layernorm": "attn_norm", "post_attention_layernorm": "post_attention_norm"}),
    ),
    (
        ROTARY,
        EXPERT_WIDTH,
        Hyper("expert_shared_count", "u32", ("n_shared_experts",)),
        Hyper("leading_dense_block_count", "u32", ("first_k_dense_replace",)),
        Hyper("expert_gating_func", "u32", lambda settings: GATING["sigmoid"]),
        Hyper("expert_weights_scale", "f32", ("routed_scaling_factor",)),
        Hyper("expert_weights_norm", "bool", ("norm_topk_prob",)),
    ),
    {
        **KV_HEADS,
        "rope_theta": 10000.0,
        "partial_rotary_factor": 0.5,
        "rms_norm_eps": 1e-5,
        "n_routed_experts": 128,
        "num_experts_per_tok": 8,
        "n_group": 1,
        "topk_group": 1,
        "moe_intermediate_size": 1408,
        "first_k_dense_replace": 1,
        "n_shared_experts": 1,
        "routed_scaling_factor": 1.0,
        "norm_topk_prob": True,
    },
    skips_later_layers=True,
)
ENTRIES = (GLM4, GLM4_MOE)
