"""Rules and hyper-parameters that many architectures share."""

from __future__ import annotations

from snug.convert.architectures.architecture import Hyper, Rule, in_layers, named
from snug.convert.architectures.settings import Settings
from snug.convert.architectures.transforms import halves, merge_experts, permute_k, permute_q

ENDS = named("", "", {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"})
"""What stands before and after the layers in most models of today."""
FEED_FORWARD = in_layers({"mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"})
NORMS = in_layers({"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"})
OUTPUT_PROJECTION = in_layers({"self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output"})
ATTENTION = (*in_layers({"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k"}), *OUTPUT_PROJECTION)
ROTATED_ATTENTION = (
    *in_layers({"self_attn.q_proj": ("attn_q", permute_q), "self_attn.k_proj": ("attn_k", permute_k)}),
    *OUTPUT_PROJECTION,
)
"""Attention whose rotary halves llama.cpp wants interleaved."""
HEAD_NORMS = in_layers({"self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm"})


def mlx_experts(module: str) -> tuple[Rule, ...]:
    """Experts as MLX stacks them in `module`, with the names that it gives them in every architecture."""
    return in_layers({f"{module}.{part}_proj": f"ffn_{part}_exps" for part in ("gate", "up", "down")})


EXPERTS = (
    *(
        Rule((f"model.layers.#.mlp.experts.@.{part}_proj",), f"blk.#.ffn_{part}_exps", merge_experts)
        for part in ("gate", "up", "down")
    ),
    Rule(("model.layers.#.mlp.experts.gate_up_proj",), "blk.#.ffn_gate_exps", halves("ffn_gate_exps", "ffn_up_exps")),
    Rule(("model.layers.#.mlp.experts.down_proj",), "blk.#.ffn_down_exps.weight"),
    *mlx_experts("mlp.switch_mlp"),
    *in_layers({"mlp.gate": "ffn_gate_inp"}),
)
"""Experts one by one, or stacked as newer checkpoints or MLX have them, and their router."""
SHARED_EXPERTS = in_layers(
    {
        "mlp.shared_experts.gate_proj": "ffn_gate_shexp",
        "mlp.shared_experts.up_proj": "ffn_up_shexp",
        "mlp.shared_experts.down_proj": "ffn_down_shexp",
    }
)
SCORE_CORRECTION = (Rule(("model.layers.#.mlp.gate.e_score_correction_bias",), "blk.#.exp_probs_b.bias"),)


def vocabulary(settings: Settings) -> int:
    return settings.whole("vocab_size")


def head_size(settings: Settings) -> int:
    return settings.head_size


VOCABULARY = Hyper("vocab_size", "u32", vocabulary)
ROTARY = Hyper("rope.dimension_count", "u32", head_size)
NO_SCALING = Hyper("rope.scaling.type", "str", lambda settings: "none")
SLIDING_WINDOW = Hyper("attention.sliding_window", "u32", ("sliding_window",))
LOGIT_SCALE = Hyper("logit_scale", "f32", lambda settings: settings.number("logit_scale"))
EXPERT_WIDTH = Hyper("expert_feed_forward_length", "u32", ("moe_intermediate_size",))
SHARED_EXPERT_WIDTH = Hyper("expert_shared_feed_forward_length", "u32", ("shared_expert_intermediate_size",))


def sliding_layers(settings: Settings) -> list[bool] | None:
    """Which layers attend to a window only, None where the settings do not say."""
    types = settings.items("layer_types")
    return [kind == "sliding_attention" for kind in types] or None


KV_HEADS = {"num_key_value_heads": lambda settings: settings.heads}
HEADS = {**KV_HEADS, "head_dim": head_size}
"""What most models take where their config is silent."""
