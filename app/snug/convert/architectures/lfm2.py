"""LFM2: short convolutions between layers of attention, dense and with experts."""

from __future__ import annotations

from snug.convert.architectures.architecture import Architecture, Hyper, Rule, in_layers, named
from snug.convert.architectures.blocks import EXPERT_WIDTH, VOCABULARY, mlx_experts
from snug.convert.architectures.hyper_parameters import GATING
from snug.convert.architectures.settings import Settings
from snug.convert.architectures.transforms import flatten_convolution, merge_experts


def kv_heads(settings: Settings) -> list[int]:
    """None in layers of convolution."""
    return [settings.kv_heads if kind == "full_attention" else 0 for kind in settings.items("layer_types")]


def feed_forward(settings: Settings) -> int:
    """The config gives the width before it is cut to two thirds and rounded up."""
    width = settings.positive("block_ff_dim", "intermediate_size")
    if not settings.flag("block_auto_adjust_ff_dim"):
        return width
    width = int(2 * width / 3)
    if settings.get("block_ffn_dim_multiplier") is not None:
        width = int(settings.number("block_ffn_dim_multiplier") * width)
    multiple = settings.positive("block_multiple_of")
    return multiple * ((width + multiple - 1) // multiple)


TENSORS = (
    *named(
        "", "", {"model.embed_tokens": "token_embd", "model.embedding_norm": "token_embd_norm", "lm_head": "output"}
    ),
    *in_layers(
        {
            "operator_norm": "attn_norm",
            "ffn_norm": "ffn_norm",
            "conv.conv": ("shortconv.conv", flatten_convolution),
            "conv.in_proj": "shortconv.in_proj",
            "conv.out_proj": "shortconv.out_proj",
            "self_attn.q_proj": "attn_q",
            "self_attn.k_proj": "attn_k",
            "self_attn.v_proj": "attn_v",
            "self_attn.out_proj": "attn_output",
            "self_attn.q_layernorm": "attn_q_norm",
            "self_attn.k_layernorm": "attn_k_norm",
            "feed_forward.w1": "ffn_gate",
            "feed_forward.w2": "ffn_down",
            "feed_forward.w3": "ffn_up",
        }
    ),
)
HYPER = (
    VOCABULARY,
    Hyper("attention.head_count_kv", "[i32", kv_heads),
    Hyper("shortconv.l_cache", "u32", lambda settings: settings.whole("conv_L_cache")),
)
DEFAULTS = {
    "num_key_value_heads": 8,
    "norm_eps": 1e-5,
    "rope_theta": 1_000_000.0,
    "conv_L_cache": 3,
    "max_position_embeddings": 128_000,
}
LFM2 = Architecture(
    "lfm2",
    ("Lfm2ForCausalLM", "LFM2ForCausalLM"),
    TENSORS,
    (*HYPER, Hyper("feed_forward_length", "u32", feed_forward)),
    {
        **DEFAULTS,
        "block_auto_adjust_ff_dim": True,
        "block_ffn_dim_multiplier": 1.0,
        "block_multiple_of": 256,
    },
)
LFM2_MOE = Architecture(
    "lfm2moe",
    ("Lfm2MoeForCausalLM",),
    (
        *TENSORS,
        *in_layers({"feed_forward.gate": "ffn_gate_inp", "feed_forward.expert_bias": "exp_probs_b.bias"}),
        Rule(("model.layers.#.feed_forward.experts.@.w1",), "blk.#.ffn_gate_exps", merge_experts),
        Rule(("model.layers.#.feed_forward.experts.@.w2",), "blk.#.ffn_down_exps", merge_experts),
        Rule(("model.layers.#.feed_forward.experts.@.w3",), "blk.#.ffn_up_exps", merge_experts),
        *mlx_experts("feed_forward.switch_mlp"),
        *in_layers({f"feed_forward.{part}_proj": f"ffn_{part}" for part in ("gate", "up", "down")}),  # MLX's names
    ),
    (
        *HYPER,
        EXPERT_WIDTH,
        Hyper("leading_dense_block_count", "u32", lambda settings: settings.whole("num_dense_layers")),
        Hyper("expert_gating_func", "u32", lambda settings: GATING["sigmoid"]),
    ),
    DEFAULTS,
)
ENTRIES = (LFM2, LFM2_MOE)
