"""Llama and the models that share its shape: Mistral, Mixtral, Ministral, SmolLM3."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from snug.convert.architectures import views
from snug.convert.architectures.architecture import Architecture, Hyper, Rule, in_layers, named
from snug.convert.architectures.hyper_parameters import full_rope
from snug.convert.architectures.settings import Settings, as_number
from snug.convert.architectures.transforms import merge_experts, permute_k, permute_q
from snug.convert.architectures.views import View

ENDS = named("", "", {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"})
"""What stands before and after the layers in most models of today."""
FEED_FORWARD = in_layers({"mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"})
NORMS = in_layers({"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"})
ATTENTION = in_layers(
    {
        "self_attn.q_proj": "attn_q",
        "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
    }
)
ROTATED_ATTENTION = in_layers(
    {
        "self_attn.q_proj": ("attn_q", permute_q),
        "self_attn.k_proj": ("attn_k", permute_k),
        "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output",
    }
)
LLAMA_TENSORS = (*ENDS, *NORMS, *ROTATED_ATTENTION, *FEED_FORWARD)
MIXTRAL_EXPERTS = (
    *in_layers({"block_sparse_moe.gate": "ffn_gate_inp"}),
    Rule(("model.layers.#.block_sparse_moe.experts.@.w1",), "blk.#.ffn_gate_exps", merge_experts),
    Rule(("model.layers.#.block_sparse_moe.experts.@.w2",), "blk.#.ffn_down_exps", merge_experts),
    Rule(("model.layers.#.block_sparse_moe.experts.@.w3",), "blk.#.ffn_up_exps", merge_experts),
)
LLAMA_HYPER = (
    Hyper("vocab_size", "u32", lambda settings: settings.whole("vocab_size")),
    Hyper("rope.dimension_count", "u32", lambda settings: settings.head_size),
)
LLAMA_DEFAULTS = {
    "num_key_value_heads": lambda settings: settings.heads,
    "head_dim": lambda settings: settings.head_size,
}


def llama3_rope(settings: Settings) -> Iterable[tuple[str, View]]:
    """The factor by which each frequency is slowed in Llama 3.1's scaling (transformers, modeling_rope_utils.py)."""
    rope = full_rope(settings)
    if str(rope.get("rope_type", "")).lower() != "llama3":
        return

    def setting(key: str, default: float) -> float:
        return as_number(rope.get(key, default), key)

    size = settings.head_size
    base = setting("rope_theta", 10000.0)
    exponents = np.arange(0, size, 2, dtype=np.float32) / np.float32(size)
    frequencies = np.float32(1) / np.float32(base) ** exponents
    factor, low, high = setting("factor", 8.0), setting("low_freq_factor", 1.0), setting("high_freq_factor", 4.0)
    context = setting("original_max_position_embeddings", 8192)
    factors = []
    for frequency in frequencies:
        length = np.float32(2 * math.pi) / frequency
        if length < context / high:
            factors.append(1.0)
        elif length > context / low:
            factors.append(factor)
        else:
            smooth = (np.float32(context) / length - np.float32(low)) / np.float32(high - low)
            factors.append(float(1 / ((1 - smooth) / np.float32(factor) + smooth)))
    yield "rope_freqs.weight", views.constant(np.array(factors, np.float32))


LLAMA = Architecture(
    "llama",
    ("LlamaForCausalLM", "LLaMAForCausalLM", "MistralForCausalLM", "MixtralForCausalLM"),
    (*LLAMA_TENSORS, *MIXTRAL_EXPERTS),
    LLAMA_HYPER,
    LLAMA_DEFAULTS,
    generated=(llama3_rope,),
)
SMOLLM3 = Architecture(
    "smollm3", ("SmolLM3ForCausalLM",), LLAMA_TENSORS, LLAMA_HYPER, LLAMA_DEFAULTS, generated=(llama3_rope,)
)
ENTRIES = (LLAMA, SMOLLM3)
