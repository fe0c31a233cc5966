"""What MLX changes in a model when it stores it, for each kind of model that is converted from it.

From `sanitize` in ml-explore/mlx-lm (mlx_lm/models) and Blaizzy/mlx-vlm (mlx_vlm/models), and from the parts that these
models consist of there. No setting says what was done to a checkpoint, so a kind that is not listed here is refused.

- Experts are stacked (`switch_mlp`, `switch_glu`), DeepSeek 3's `kv_b_proj` is split into `embed_q` and `unembed_out`:
  these have names of their own, which the architectures know.
- Kernels of convolutions are (channels, width, inputs) instead of (channels, inputs, width).
- The norms of Qwen 3 Next and 3.5, distances from one, have one added; those of Gemma and Nemotron are as they were.

Refused are GPT-2, whose matrices MLX turns round, GPT-NeoX, whose tensors it renames, and what mlx-lm does not know.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from snug.core.errors import UserError
from snug.formats.checkpoints.checkpoint_format import Config, PlainWeight, Weight
from snug.formats.checkpoints.errors import not_supported
from snug.formats.checkpoints.json_text import text
from snug.formats.checkpoints.number_types import Floats
from snug.formats.checkpoints.tensor_files import TensorFiles

LEFT_AS_THEY_ARE = ("cohere", "cohere2", "ernie4_5", "exaone", "exaone4", "gemma", "gemma2", "gemma3", "gemma3_text",
                    "glm4", "granite", "hunyuan_v1_dense", "llama", "ministral3", "mistral", "mistral3", "nemotron",
                    "olmo2", "olmo3", "phi", "phi3", "qwen2", "qwen2_5_vl", "qwen2_vl", "qwen3", "qwen3_vl",
                    "seed_oss", "smollm3", "stablelm", "starcoder2")  # fmt: skip
"""Kinds of models (`model_type`) whose tensors keep the usual names and order, but for names of the whole text part."""
RENAMED = ("deepseek_v2", "deepseek_v3", "gemma4", "gemma4_text", "glm4_moe", "glm4_moe_lite", "gpt_oss", "granitemoe",
           "mixtral", "olmoe", "qwen2_moe", "qwen3_moe", "qwen3_vl_moe")  # fmt: skip
"""Kinds that have stacked experts or split matrices, under names that the architectures know."""
TURNED = ("granitemoehybrid", "lfm2", "lfm2_moe")
"""Kinds that also have convolutions."""
MOVED_NORMS = ("qwen3_5", "qwen3_5_moe", "qwen3_5_moe_text", "qwen3_5_text", "qwen3_next")
"""Kinds that have convolutions, and norms that are moved together with them."""
CONVOLUTIONS = (".conv.conv.weight", ".conv1d.weight")
NORMS = (".input_layernorm.weight", ".post_attention_layernorm.weight", "model.norm.weight", ".q_norm.weight",
         ".k_norm.weight")  # fmt: skip


class _LessOne(PlainWeight):
    """A norm that had one added to it."""

    def rows(self, first: int, last: int) -> Floats:
        rows: Floats = super().rows(first, last) - np.float32(1)
        return rows


def is_readable(config: Config) -> bool:
    """Whether it is known what MLX does to models of this kind, and can be undone."""
    return text(config, "model_type") in (*LEFT_AS_THEY_ARE, *RENAMED, *TURNED, *MOVED_NORMS)


def check_arrangement(config: Config) -> None:
    """Raises UserError for models of which is not known what MLX does to them."""
    if not is_readable(config):
        kind = text(config, "model_type")
        raise refused(f"it does not know how models of the kind {kind[:40] or 'that it is'} are stored there")


def restored(files: TensorFiles, config: Config, weights: Mapping[str, Weight]) -> dict[str, Weight]:
    """The weights with convolutions and norms as the model's makers store them.

    A convolution is known by its shape: what is already in the usual order stays, and so do the norms beside it.
    """
    found = dict(weights)
    kind = text(config, "model_type")
    if kind not in (*TURNED, *MOVED_NORMS):
        return found
    is_turned = False
    for name, weight in weights.items():
        if isinstance(weight, PlainWeight) and name.endswith(CONVOLUTIONS) and len(weight.shape) == 3:
            channels, width, inputs = weight.shape
            if inputs == 1 and width > 1:
                found[name] = PlainWeight(files, name, (channels, 1, width))
                is_turned = True
    if is_turned and kind in MOVED_NORMS:
        for name, weight in weights.items():
            if isinstance(weight, PlainWeight) and name.endswith(NORMS) and len(weight.shape) == 1:
                found[name] = _LessOne(files, name)
    return found


def refused(why: str) -> UserError:
    """The error for what only MLX can read."""
    return not_supported(
        f"This model was made for Apple's MLX, and Snug cannot turn it back: {why}",
        "Choose the model that it was made from: its page names it. Snug makes that one as small as this.",
    )
