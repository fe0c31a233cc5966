"""DeepSeek 2 and 3: attention through a small latent, experts beside shared ones."""

from __future__ import annotations

import numpy as np

from snug.convert.architectures import views
from snug.convert.architectures.architecture import Architecture, Hyper, Match, in_layers
from snug.convert.architectures.blocks import (
    ENDS,
    EXPERTS,
    FEED_FORWARD,
    NORMS,
    SCORE_CORRECTION,
    SHARED_EXPERTS,
    VOCABULARY,
)
from snug.convert.architectures.hyper_parameters import rope_settings
from snug.convert.architectures.settings import Settings, as_number
from snug.convert.architectures.transforms import Outputs


def split_keys_and_values(match: Match) -> Outputs:
    """What unfolds the latent into keys and values, by head: the keys' part transposed, so that llama.cpp can fold it
    into the queries instead."""
    (view,) = match.views
    settings = match.settings
    heads, keys, values = settings.heads, settings.positive("qk_nope_head_dim"), settings.positive("v_head_dim")
    if len(view.shape) != 2 or view.shape[0] != heads * (keys + values):
        raise views.disagree(view, f"{view.shape} for {heads} heads of {keys} and {values}")
    by_head = views.reshaped(view, (heads, keys + values, view.columns))
    name = f"blk.{match.layer}.attn_"
    yield f"{name}k_b.weight", views.transposed(views.block_rows(by_head, np.arange(keys)))
    yield f"{name}v_b.weight", views.block_rows(by_head, np.arange(keys, keys + values))


def leading_dense(settings: Settings) -> int:
    """How many layers at the start have no experts."""
    if settings.get("first_k_dense_replace") is not None:
        return settings.whole("first_k_dense_replace")
    return 0 if settings.get("n_routed_experts") is not None else settings.layers


def latent(settings: Settings) -> int:
    return settings.positive("kv_lora_rank")


def rotary(settings: Settings) -> int:
    return settings.positive("qk_rope_head_dim")


def log_multiplier(settings: Settings) -> float | None:
    value = rope_settings(settings).get("mscale_all_dim")
    return None if value is None else 0.1 * as_number(value, "mscale_all_dim")


def weights_norm(settings: Settings) -> bool | None:
    return True if settings.flag("norm_topk_prob") else None


TENSORS = (
    *ENDS,
    *NORMS,
    *FEED_FORWARD,
    *EXPERTS,
    *SHARED_EXPERTS,
    *SCORE_CORRECTION,
    *in_layers(
        {
            "self_attn.q_proj": "attn_q",
            "self_attn.q_a_proj": "attn_q_a",
            "self_attn.q_a_layernorm": "attn_q_a_norm",
            "self_attn.q_b_proj": "attn_q_b",
            "self_attn.kv_a_proj_with_mqa": "attn_kv_a_mqa",
            "self_attn.kv_a_layernorm": "attn_kv_a_norm",
            "self_attn.kv_b_proj": ("attn_kv_b", split_keys_and_values),
            "self_attn.embed_q": "attn_k_b",  # the two parts of kv_b_proj, split by MLX
            "self_attn.unembed_out": "attn_v_b",
            "self_attn.o_proj": "attn_output",
        }
    ),
)
HYPER = (
    Hyper("attention.head_count_kv", "u32", lambda settings: 1),
    Hyper("leading_dense_block_count", "u32", leading_dense),
    VOCABULARY,
    Hyper("attention.q_lora_rank", "u32", ("q_lora_rank",)),
    Hyper("attention.kv_lora_rank", "u32", latent),
    Hyper("attention.key_length", "u32", lambda settings: latent(settings) + rotary(settings)),
    Hyper("attention.value_length", "u32", latent),
    Hyper("attention.key_length_mla", "u32", lambda settings: settings.positive("qk_nope_head_dim") + rotary(settings)),
    Hyper("attention.value_length_mla", "u32", lambda settings: settings.positive("v_head_dim")),
    Hyper("expert_feed_forward_length", "u32", ("moe_intermediate_size", "intermediate_size")),
    Hyper("expert_count", "u32", ("n_routed_experts",)),
    Hyper("expert_shared_count", "u32", ("n_shared_experts",)),
    Hyper("expert_weights_scale", "f32", ("routed_scaling_factor",)),
    Hyper("expert_weights_norm", "bool", weights_norm),
    Hyper("rope.dimension_count", "u32", rotary),
    Hyper("rope.scaling.yarn_log_multiplier", "f32", log_multiplier),
)
SHARED_DEFAULTS = {
    "num_key_value_heads": lambda settings: settings.heads,
    "head_dim": lambda settings: settings.get("qk_rope_head_dim"),
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "kv_lora_rank": 512,
    "q_lora_rank": 1536,
    "qk_rope_head_dim": 64,
    "qk_nope_head_dim": 128,
    "v_head_dim": 128,
}


DEEPSEEK2 = Architecture(
    "deepseek2",
    ("DeepseekV2ForCausalLM",),
    TENSORS,
    HYPER,
    {
        **SHARED_DEFAULTS,
        "first_k_dense_replace": 0,
        "n_routed_experts": 64,
        "n_shared_experts": 2,
        "routed_scaling_factor": 1.0,
        "moe_intermediate_size": 1407,
    },
    skips_later_layers=True,
)
DEEPSEEK3 = Architecture(
    "deepseek2",
    ("DeepseekV3ForCausalLM",),
    TENSORS,
    HYPER,
    {
        **SHARED_DEFAULTS,
        "first_k_dense_replace": 3,
        "n_routed_experts": 256,
        "n_shared_experts": 1,
        "num_experts_per_tok": 8,
        "n_group": 8,
        "topk_group": 4,
        "norm_topk_prob": True,
        "routed_scaling_factor": 2.5,
        "moe_intermediate_size": 2048,
    },
    skips_later_layers=True,
)
GLM_LITE = Architecture(
    "deepseek2", ("Glm4MoeLiteForCausalLM",), TENSORS, HYPER, SHARED_DEFAULTS, skips_later_layers=True
)
"""GLM 4.7 Flash has DeepSeek's shape."""
ENTRIES = (DEEPSEEK2, DEEPSEEK3, GLM_LITE)
