"""FP8: weights of 8-bit floats (E4M3 or E5M2) with scales for the tensor, each output, or blocks of 128 x 128.

Layouts, weight = number * scale in all of them:
- `weight_scale_inv` (DeepSeek-V3's `inference/kernel.py`, transformers' fine-grained FP8): one scale for each block of
  `weight_block_size`, or one for the tensor;
- `weight_scale` (transformers' FBGEMM FP8: one for each output; AutoFP8 and NVIDIA's ModelOpt: one for the tensor);
- `qscale_weight` (Mistral): one for the tensor.
Number format: arXiv:2209.05433.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from snug.formats.checkpoints.checkpoint_format import CheckpointFormat, Config, Weight, method, quantisation
from snug.formats.checkpoints.errors import bad_checkpoint, not_supported
from snug.formats.checkpoints.json_text import text
from snug.formats.checkpoints.scaled_weight import Block, ScaledWeight

METHODS = ("fp8", "fbgemm-fp8", "modelopt")
SCALES = {"_scale_inv": "", "_scale": "", ".qscale_weight": ".weight"}
"""The ending of a scale's name, and what stands there in the name of its weight."""


class Fp8(CheckpointFormat):
    """FP8 as DeepSeek, Qwen, Mistral, Meta and NVIDIA publish it."""

    key = "fp8"
    sentence = "Weights of 8 bits (FP8), nearly as good as the original."
    ignored = (".input_scale", ".activation_scale", "_activation_scale", ".qscale_act", ".k_scale", ".v_scale",
               ".input_scale_ub", ".activation_scale_inv")  # fmt: skip

    @classmethod
    def recognises(cls, config: Config, tensor_names: Collection[str]) -> bool:
        if method(config) == "modelopt":
            return "NVFP4" not in text(quantisation(config), "quant_algo").upper()
        return method(config) in METHODS

    def packed_weights(self) -> Iterable[tuple[str, Weight]]:
        block = _block(quantisation(self.config).get("weight_block_size"))
        for ending, instead in SCALES.items():
            for scale in sorted(name for name in self.files.tensors if name.endswith(ending)):
                weight = scale.removesuffix(ending) + instead
                if not scale.endswith(self.ignored) and weight in self.files:
                    if not self.files.info(weight).kind.name.startswith("F8"):
                        raise not_supported(
                            "This model mixes FP8 with weights of 4 bits in a way that Snug does not read",
                            "Choose another quantisation of it.",
                            weight,
                        )
                    yield weight, ScaledWeight(self.files, weight, scale, block=block)


def _block(size: object) -> Block | None:
    if size is None:
        return None
    if isinstance(size, list) and len(size) == 2 and all(type(side) is int and side > 0 for side in size):
        return size[0], size[1]
    raise bad_checkpoint("the size of its blocks is impossible", repr(size)[:80])
