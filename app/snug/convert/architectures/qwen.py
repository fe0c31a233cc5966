"""Qwen 2 and 3, dense and with experts."""

from __future__ import annotations

from snug.convert.architectures.architecture import Architecture, in_layers
from snug.convert.architectures.blocks import (
    ATTENTION,
    ENDS,
    EXPERT_WIDTH,
    EXPERTS,
    FEED_FORWARD,
    HEAD_NORMS,
    KV_HEADS,
    NORMS,
    SHARED_EXPERT_WIDTH,
)

QWEN2_SHARED_EXPERT = in_layers(
    {
        "mlp.shared_expert_gate": "ffn_gate_inp_shexp",
        "mlp.shared_expert.gate_proj": "ffn_gate_shexp",
        "mlp.shared_expert.up_proj": "ffn_up_shexp",
        "mlp.shared_expert.down_proj": "ffn_down_shexp",
    }
)
DENSE = (*ENDS, *NORMS, *ATTENTION, *FEED_FORWARD)

QWEN2 = Architecture("qwen2", ("Qwen2ForCausalLM", "Qwen2Model"), DENSE, (), KV_HEADS)
QWEN2_MOE = Architecture(
    "qwen2moe",
    ("Qwen2MoeForCausalLM",),
    (*DENSE, *EXPERTS, *QWEN2_SHARED_EXPERT),
    (EXPERT_WIDTH, SHARED_EXPERT_WIDTH),
    {**KV_HEADS, "num_experts": 60, "num_experts_per_tok": 4},
)
QWEN3 = Architecture(
    "qwen3", ("Qwen3ForCausalLM", "Qwen3Model"), (*DENSE, *HEAD_NORMS), (), {**KV_HEADS, "head_dim": 128}
)
QWEN3_MOE = Architecture(
    "qwen3moe",
    ("Qwen3MoeForCausalLM",),
    (*DENSE, *HEAD_NORMS, *EXPERTS),
    (EXPERT_WIDTH, SHARED_EXPERT_WIDTH),
    {**KV_HEADS, "num_experts": 128, "num_experts_per_tok": 8},
)
ENTRIES = (QWEN2, QWEN2_MOE, QWEN3, QWEN3_MOE)
