"""Granite, dense and with experts."""

from __future__ import annotations

from snug.convert.architectures.architecture import Architecture, Hyper, Value, in_layers
from snug.convert.architectures.blocks import KV_HEADS, VOCABULARY, mlx_experts
from snug.convert.architectures.llama import TENSORS, llama3_rope
from snug.convert.architectures.settings import Settings
from snug.convert.architectures.transforms import halves


def scale(key: str) -> Value:
    """A multiplier, where there is one and it is not zero."""
    return lambda settings: settings.number(key) if settings.get(key) else None


def without_head_size(settings: Settings) -> None:
    settings.values.pop("head_dim", None)


HYPER = (
    VOCABULARY,
    Hyper("rope.dimension_count", "u32", lambda settings: settings.width // settings.heads),
    Hyper("attention.scale", "f32", scale("attention_multiplier")),
    Hyper("embedding_scale", "f32", scale("embedding_multiplier")),
    Hyper("residual_scale", "f32", scale("residual_multiplier")),
    Hyper("logit_scale", "f32", scale("logits_scaling")),
)
DEFAULTS = {
    **KV_HEADS,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "attention_multiplier": 1.0,
    "embedding_multiplier": 1.0,
    "residual_multiplier": 1.0,
    "logits_scaling": 1.0,
}
GRANITE = Architecture(
    "granite", ("GraniteForCausalLM",), TENSORS, HYPER, DEFAULTS, generated=(llama3_rope,), prepare=without_head_size
)
EXPERT_TENSORS = in_layers(
    {
        "block_sparse_moe.router.layer": "ffn_gate_inp",
        "block_sparse_moe.input_linear": ("ffn_gate_exps", halves("ffn_gate_exps", "ffn_up_exps")),
        "block_sparse_moe.output_linear": "ffn_down_exps",
    }
) + mlx_experts("block_sparse_moe.switch_mlp")
SHARED_WIDTH = Hyper(
    "expert_shared_feed_forward_length", "u32", lambda settings: settings.get("shared_intermediate_size") or None
)
GRANITE_MOE = Architecture(
    "granitemoe",
    ("GraniteMoeForCausalLM", "GraniteMoeSharedForCausalLM"),
    (
        *TENSORS,
        *EXPERT_TENSORS,
        *in_layers(
            {
                "shared_mlp.input_linear": ("ffn_gate_shexp", halves("ffn_gate_shexp", "ffn_up_shexp")),
                "shared_mlp.output_linear": "ffn_down_shexp",
            }
        ),
    ),
    (*HYPER, SHARED_WIDTH),
    {**DEFAULTS, "num_local_experts": 8, "num_experts_per_tok": 2},
    generated=(llama3_rope,),
    prepare=without_head_size,
)
ENTRIES = (GRANITE, GRANITE_MOE)
