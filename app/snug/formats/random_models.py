"""Small models of many architectures, as recipes: metadata that the engine accepts, and weights to leave out.

The keys are those that llama.cpp's `src/models` read for each architecture. The shapes are small, yet every rule for
memory is in play: grouped heads, heads that differ by layer, windows, latent attention, states, shared caches, experts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

WIDTH, HEADS, KV_HEADS, FEED_FORWARD, LAYERS = 256, 4, 2, 768, 4
CONTEXT, VOCABULARY = 32_768, 1024
RMS = {"attention.layer_norm_rms_epsilon": 1e-5}
NORM = {"attention.layer_norm_epsilon": 1e-5}
EXPERTS = {"expert_count": 8, "expert_used_count": 2, "expert_feed_forward_length": 256}
HEAD_64 = {"attention.key_length": 64, "attention.value_length": 64}
WINDOW = {"attention.sliding_window": 512}
DELTA_NET = {
    "ssm.conv_kernel": 4, "ssm.inner_size": 256, "ssm.state_size": 64, "ssm.time_step_rank": 4, "ssm.group_count": 2,
    "full_attention_interval": 4,
}  # fmt: skip
MAMBA_2 = {
    "ssm.conv_kernel": 4, "ssm.inner_size": 512, "ssm.state_size": 64, "ssm.time_step_rank": 8, "ssm.group_count": 1,
}  # fmt: skip
LATENT = {
    "attention.head_count_kv": 1, "attention.q_lora_rank": 96, "attention.kv_lora_rank": 128,
    "attention.key_length": 160, "attention.value_length": 128, "attention.key_length_mla": 96,
    "attention.value_length_mla": 64, "rope.dimension_count": 32, "leading_dense_block_count": 1,
    "expert_shared_count": 1, "expert_weights_scale": 1.0,
}  # fmt: skip
BIASES = r"\.(attn_(q|k|v|qkv|output)|ffn_(gate|up|down)(_exps|_inp)?)\.bias$|^output\.bias$"


@dataclass(frozen=True, slots=True)
class RandomModel:
    """One model: `keys` stand below the architecture's name in the metadata; tensors matching `without` are left
    out, which the engine may do without and real models of the kind do not have."""

    name: str
    architecture: str
    keys: Mapping[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()

    def metadata(self) -> dict[str, Any]:
        """All keys with their values."""
        usual = {
            "block_count": LAYERS, "context_length": CONTEXT, "embedding_length": WIDTH,
            "feed_forward_length": FEED_FORWARD, "attention.head_count": HEADS, "attention.head_count_kv": KV_HEADS,
            "vocab_size": VOCABULARY,
        }  # fmt: skip
        return usual | dict(self.keys)


NEVER = (r"(?<!ffn_gate_inp)\.(scale|input_scale)$", r"^cls")
"""What files straight from a converter do not hold: scales of checkpoints quantised elsewhere, classifiers."""


def _model(
    name: str, architecture: str, *keys: Mapping[str, Any], without: tuple[str, ...] = (BIASES,), **more: Any
) -> RandomModel:
    merged: dict[str, Any] = {}
    for part in keys:
        merged |= part
    return RandomModel(name, architecture, merged | more.pop("also", {}) | more, NEVER + without)


RANDOM_MODELS: tuple[RandomModel, ...] = (
    _model("llama", "llama", RMS),
    _model("llama, own head width, tied", "llama", RMS, HEAD_64, without=(BIASES, r"^output\.weight$")),
    _model("mistral", "llama", RMS, HEAD_64, WINDOW),
    _model("mixtral", "llama", RMS, EXPERTS),
    _model("qwen2", "qwen2", RMS, without=(r"(output|gate|up|down)\.bias$",)),
    _model("qwen2moe", "qwen2moe", RMS, EXPERTS, {"expert_shared_feed_forward_length": 512},
           without=(r"(output|gate|up|down)\.bias$",)),
    _model("qwen3", "qwen3", RMS, HEAD_64),
    _model("qwen3moe", "qwen3moe", RMS, HEAD_64, EXPERTS),
    _model("qwen3next", "qwen3next", RMS, HEAD_64, EXPERTS, DELTA_NET, {"expert_shared_feed_forward_length": 256}),
    _model("qwen35", "qwen35", RMS, HEAD_64, DELTA_NET, {"rope.dimension_sections": [8, 8, 8, 0]}),
    _model("qwen35 with a draft layer", "qwen35", RMS, HEAD_64, DELTA_NET,
           {"rope.dimension_sections": [8, 8, 8, 0], "block_count": 5, "nextn_predict_layers": 1}),
    _model("qwen35moe", "qwen35moe", RMS, HEAD_64, EXPERTS, DELTA_NET,
           {"rope.dimension_sections": [8, 8, 8, 0], "expert_shared_feed_forward_length": 256}),
    _model("gemma", "gemma", RMS, HEAD_64),
    _model("gemma2", "gemma2", RMS, HEAD_64, WINDOW),
    _model("gemma3", "gemma3", RMS, HEAD_64, WINDOW, {"block_count": 7}),
    _model("gemma3n", "gemma3n", RMS, HEAD_64, WINDOW, {"block_count": 22, "feed_forward_length": 256}),
    _model("gemma4", "gemma4", RMS, HEAD_64, WINDOW,
           {"block_count": 6, "embedding_length_per_layer_input": 64, "attention.key_length_swa": 32,
            "attention.value_length_swa": 32, "attention.shared_kv_layers": 2,
            "attention.sliding_window_pattern": [True, True, True, False, True, False]}),
    _model("gemma4 moe", "gemma4", RMS, HEAD_64, WINDOW, EXPERTS,
           {"embedding_length_per_layer_input": 0, "attention.key_length_swa": 32, "attention.value_length_swa": 32,
            "attention.shared_kv_layers": 0, "attention.sliding_window_pattern": [True, True, False, True],
            "attention.head_count_kv": [2, 2, 1, 2]}),
    _model("phi2", "phi2", NORM, without=()),
    _model("phi3", "phi3", RMS, WINDOW),
    _model("gpt-oss", "gpt-oss", RMS, HEAD_64, EXPERTS, WINDOW, without=()),
    _model("deepseek", "deepseek", RMS, EXPERTS,
           {"expert_shared_count": 1, "leading_dense_block_count": 1, "expert_weights_scale": 1.0}),
    _model("deepseek2", "deepseek2", RMS, EXPERTS, LATENT),
    _model("minicpm3", "minicpm3", RMS, {"attention.q_lora_rank": 96, "attention.kv_lora_rank": 64,
           "attention.key_length": 96, "attention.value_length": 64, "rope.dimension_count": 32,
           "attention.head_count_kv": 4}),
    _model("mamba", "mamba", RMS, {"ssm.conv_kernel": 4, "ssm.inner_size": 512, "ssm.state_size": 16,
           "ssm.time_step_rank": 16, "attention.head_count": 0, "attention.head_count_kv": 0,
           "feed_forward_length": 0}, without=()),
    _model("mamba2", "mamba2", RMS, MAMBA_2, {"attention.head_count": 0, "attention.head_count_kv": 0,
           "feed_forward_length": 0}, without=()),
    _model("falcon-h1", "falcon-h1", RMS, HEAD_64, MAMBA_2),
    _model("jamba", "jamba", RMS, EXPERTS, {"ssm.conv_kernel": 4, "ssm.inner_size": 512, "ssm.state_size": 16,
           "ssm.time_step_rank": 16, "attention.head_count_kv": [0, 2, 0, 0]}, without=()),
    _model("granitehybrid", "granitehybrid", RMS, MAMBA_2, {"attention.head_count_kv": [0, 0, 2, 0]}, without=()),
    _model("nemotron_h", "nemotron_h", RMS, NORM, MAMBA_2,
           {"attention.head_count_kv": [0, 2, 0, 0], "feed_forward_length": [0, 0, 768, 0]}, without=()),
    _model("rwkv7", "rwkv7", NORM, {"wkv.head_size": 64, "attention.decay_lora_rank": 32,
           "attention.iclr_lora_rank": 32, "attention.value_residual_mix_lora_rank": 32,
           "attention.gate_lora_rank": 64, "attention.head_count": 0, "attention.head_count_kv": 0}, without=()),
    _model("lfm2", "lfm2", RMS, {"shortconv.l_cache": 3, "attention.head_count_kv": [0, 0, 2, 0]}),
    _model("granite", "granite", RMS, {"logit_scale": 8.0, "residual_scale": 0.22, "embedding_scale": 12.0,
           "attention.scale": 0.015}),
    _model("granitemoe", "granitemoe", RMS, EXPERTS, {"logit_scale": 8.0, "expert_shared_feed_forward_length": 256}),
    _model("olmo2", "olmo2", RMS),
    _model("olmo2 with windows", "olmo2", RMS, WINDOW),
    _model("olmoe", "olmoe", RMS, EXPERTS, {"attention.head_count_kv": 4}),
    _model("smollm3", "smollm3", RMS),
    _model("glm4", "glm4", RMS),
    _model("glm4moe", "glm4moe", RMS, HEAD_64, EXPERTS, {"expert_shared_count": 1, "leading_dense_block_count": 1,
           "block_count": 5, "nextn_predict_layers": 1}),
    _model("command-r", "command-r", NORM, {"logit_scale": 0.06}),
    _model("cohere2", "cohere2", NORM, WINDOW, {"logit_scale": 0.06}),
    _model("starcoder2", "starcoder2", NORM, without=()),
    _model("falcon", "falcon", NORM, {"attention.head_count_kv": 1}),
    _model("gpt2", "gpt2", NORM, {"attention.head_count_kv": 4}, without=()),
    _model("bloom", "bloom", NORM, {"attention.head_count_kv": 4}, without=()),
    _model("bert", "bert", NORM, {"attention.head_count_kv": 4, "attention.causal": False, "pooling_type": 1},
           without=()),
    _model("stablelm", "stablelm", NORM, {"rope.dimension_count": 16}),
    _model("exaone", "exaone", RMS),
    _model("exaone4", "exaone4", RMS),
    _model("nemotron", "nemotron", NORM),
    _model("internlm2", "internlm2", RMS),
    _model("ernie4_5", "ernie4_5", RMS),
    _model("seed_oss", "seed_oss", RMS, without=(r"output\.bias$",)),
    _model("mistral3", "mistral3", RMS, HEAD_64),
    _model("llama4", "llama4", RMS, EXPERTS, {"interleave_moe_layer_step": 1}),
    _model("hunyuan-dense", "hunyuan-dense", RMS),
    _model("bailingmoe2", "bailingmoe2", RMS, EXPERTS, {"expert_shared_count": 1, "leading_dense_block_count": 1,
           "expert_gating_func": 2}),
)  # fmt: skip
"""The models of `snug bench fit`."""
