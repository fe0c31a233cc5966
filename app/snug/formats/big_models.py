"""Shapes of well-known large models as recipes: headers to plan with, where no file of that size is wanted.

Asked for a model that large the engine would take its memory, so it is asked for a few layers, a small vocabulary and
few experts at full width; the rest follows by repetition.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from snug.formats.random_models import BIASES, NEVER, NORM, RMS, RandomModel

ASKED_VOCABULARY = 512
ASKED_EXPERTS = 16
OF_EACH_EXPERT = ("ffn_gate_inp.weight", "ffn_gate_inp.bias", "exp_probs_b.bias")
_LAYER = re.compile(r"blk\.(\d+)\.(.*)")
_OF_ALL_LAYERS = {"per_layer_token_embd.weight": 0, "per_layer_model_proj.weight": 1}
"""Tensors that hold something for every layer side by side, and the dimension in which they do."""


@dataclass(frozen=True, slots=True)
class BigModel:
    """A large model; its layers repeat the first `sample` of them, or the last of those after dense ones."""

    model: RandomModel
    sample: int = 1

    @property
    def layers(self) -> int:
        count = self.model.metadata()["block_count"]
        assert isinstance(count, int)
        return count

    def sampled(self) -> RandomModel:
        """What to ask the engine about."""
        keys = {key: self._cut(value) for key, value in self.model.metadata().items()}
        keys |= {"block_count": self.sample, "vocab_size": ASKED_VOCABULARY}
        if "expert_count" in keys:
            keys["expert_count"] = min(keys["expert_count"], ASKED_EXPERTS)
        return replace(self.model, keys=keys)

    def _cut(self, value: Any) -> Any:
        return list(value[: self.sample]) if isinstance(value, list) and len(value) == self.layers else value

    def shapes(self, asked: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        """All tensors of the large model, from those of the sampled one."""
        result: dict[str, tuple[int, ...]] = {}
        blocks: dict[int, dict[str, tuple[int, ...]]] = {}
        for name, dims in asked.items():
            layer = _LAYER.fullmatch(name)
            if layer is None:
                result[name] = self._grown(name, dims)
            else:
                blocks.setdefault(int(layer[1]), {})[layer[2]] = self._with_experts(layer[2], dims)
        after_dense = "leading_dense_block_count" in self.model.keys
        for index in range(self.layers):
            like = index if index < self.sample else self.sample - 1 if after_dense else index % self.sample
            result |= {f"blk.{index}.{name}": dims for name, dims in blocks[like].items()}
        return result

    def _grown(self, name: str, dims: tuple[int, ...]) -> tuple[int, ...]:
        vocabulary = self.model.metadata()["vocab_size"]
        grown = [vocabulary if size == ASKED_VOCABULARY and at == 1 else size for at, size in enumerate(dims)]
        if name in _OF_ALL_LAYERS:
            grown[_OF_ALL_LAYERS[name]] = grown[_OF_ALL_LAYERS[name]] // self.sample * self.layers
        return tuple(grown)

    def _with_experts(self, name: str, dims: tuple[int, ...]) -> tuple[int, ...]:
        if "_exps." in name or name in OF_EACH_EXPERT:
            return (*dims[:-1], self.model.metadata()["expert_count"])
        return dims


def _big(
    name: str, architecture: str, layers: int, width: int, heads: tuple[int, Any, int], feed_forward: int,
    vocabulary: int, *keys: Mapping[str, Any], sample: int = 1, without: tuple[str, ...] = (BIASES,),
) -> BigModel:  # fmt: skip
    merged: dict[str, Any] = {
        "block_count": layers, "embedding_length": width, "feed_forward_length": feed_forward,
        "attention.head_count": heads[0], "attention.head_count_kv": heads[1], "vocab_size": vocabulary,
        "context_length": 131_072, "attention.key_length": heads[2], "attention.value_length": heads[2],
    }  # fmt: skip
    for part in keys:
        merged |= part
    return BigModel(RandomModel(name, architecture, merged, NEVER + without), sample)


def _experts(count: int, used: int, length: int) -> dict[str, int]:
    return {"expert_count": count, "expert_used_count": used, "expert_feed_forward_length": length}


def _state(inner: int, size: int, rank: int, groups: int) -> dict[str, int]:
    return {"ssm.conv_kernel": 4, "ssm.inner_size": inner, "ssm.state_size": size, "ssm.time_step_rank": rank,
            "ssm.group_count": groups}  # fmt: skip


def _window(tokens: int) -> dict[str, int]:
    return {"attention.sliding_window": tokens}


BIG_MODELS: tuple[BigModel, ...] = (
    _big("llama 8B", "llama", 32, 4096, (32, 8, 128), 14336, 128256, RMS),
    _big("llama 70B", "llama", 80, 8192, (64, 8, 128), 28672, 128256, RMS),
    _big("mixtral 8x7B", "llama", 32, 4096, (32, 8, 128), 14336, 32000, RMS,
         {"expert_count": 8, "expert_used_count": 2}),
    _big("qwen3 0.6B", "qwen3", 28, 1024, (16, 8, 128), 3072, 151936, RMS),
    _big("qwen3 4B", "qwen3", 36, 2560, (32, 8, 128), 9728, 151936, RMS),
    _big("qwen3 30B-A3B", "qwen3moe", 48, 2048, (32, 4, 128), 6144, 151936, RMS, _experts(128, 8, 768)),
    _big("qwen3next 80B-A3B", "qwen3next", 48, 2048, (16, 2, 256), 5120, 151936, RMS, _experts(512, 10, 512),
         _state(4096, 128, 32, 16), {"expert_shared_feed_forward_length": 512, "full_attention_interval": 4}, sample=4),
    _big("qwen35 27B", "qwen35", 64, 5120, (24, 4, 256), 17408, 248320, RMS, _state(6144, 128, 48, 16),
         {"rope.dimension_sections": [11, 11, 10, 0], "full_attention_interval": 4}, sample=4),
    _big("gpt-oss 20B", "gpt-oss", 24, 2880, (64, 8, 64), 2880, 201088, RMS, _experts(32, 4, 2880), _window(128),
         without=()),
    _big("gemma2 9B", "gemma2", 42, 3584, (16, 8, 256), 14336, 256000, RMS, _window(4096)),
    _big("gemma3 27B", "gemma3", 62, 5376, (32, 16, 128), 21504, 262208, RMS, _window(1024)),
    _big("gemma3n E4B", "gemma3n", 35, 2048, (8, 2, 256), 16384, 262144, RMS, _window(512)),
    _big("gemma4 E4B", "gemma4", 42, 2560, (8, 2, 512), 10240, 262144, RMS, _window(512),
         {"embedding_length_per_layer_input": 256, "attention.key_length_swa": 256, "attention.value_length_swa": 256,
          "attention.shared_kv_layers": 18,
          "attention.sliding_window_pattern": [(layer + 1) % 6 != 0 for layer in range(42)]}, sample=6),
    _big("glm-4.7-flash", "deepseek2", 47, 2048, (20, 1, 576), 10240, 154880, RMS, _experts(64, 4, 1536),
         {"attention.q_lora_rank": 768, "attention.kv_lora_rank": 512, "attention.value_length": 512,
          "attention.key_length_mla": 256, "attention.value_length_mla": 256, "rope.dimension_count": 64,
          "leading_dense_block_count": 1, "expert_shared_count": 1}, sample=2),
    _big("falcon-h1 7B", "falcon-h1", 44, 3072, (12, 2, 128), 12288, 130048, RMS, _state(3072, 256, 24, 1)),
    _big("granite-h tiny", "granitehybrid", 40, 1536, (12, [4 if layer % 10 == 5 else 0 for layer in range(40)], 128),
         512, 100352, RMS, _experts(64, 6, 512), _state(3072, 128, 48, 1),
         {"expert_shared_feed_forward_length": 1024}, sample=10, without=()),
    _big("lfm2 1.2B", "lfm2", 16, 2048, (32, [8 if layer in (2, 5, 8, 10, 12, 14) else 0 for layer in range(16)], 64),
         8192, 65536, RMS, {"shortconv.l_cache": 3}, sample=16),
    _big("starcoder2 3B", "starcoder2", 30, 3072, (24, 2, 128), 12288, 49152, NORM, without=()),
    _big("falcon 7B", "falcon", 32, 4544, (71, 1, 64), 18176, 65024, NORM),
    _big("cohere2 7B", "cohere2", 32, 4096, (32, 8, 128), 14336, 256000, NORM, _window(4096), {"logit_scale": 0.06}),
    _big("seed-oss 36B", "seed_oss", 64, 5120, (80, 8, 128), 27648, 155136, RMS),
)  # fmt: skip
"""Shapes to plan with; widths and counts as their makers' configurations state them."""
