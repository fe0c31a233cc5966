"""MXFP4 as gpt-oss has it: the experts' weights in 4-bit floats with a power of two for each 32.

Layout, from OpenAI's gpt-oss (`gpt_oss/torch/weights.py`) and transformers (`integrations/mxfp4.py`): `X_blocks` U8
(experts, outputs, groups, 16) and `X_scales` U8 (experts, outputs, groups), the lower half of a byte first,
weight = E2M1[code] * 2^(scale - 127).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from snug.formats.checkpoints.checkpoint_format import CheckpointFormat, Config, Weight, method, with_ending
from snug.formats.checkpoints.float4 import Float4Weight


class Mxfp4(CheckpointFormat):
    """gpt-oss. Its experts come as (experts, outputs, inputs): the plain layout of that model has the axes swapped."""

    key = "mxfp4"
    sentence = "Experts of 4 bits (MXFP4), the way this model was trained."

    @classmethod
    def recognises(cls, config: Config, tensor_names: Collection[str]) -> bool:
        return method(config) == "mxfp4"

    def packed_weights(self) -> Iterable[tuple[str, Weight]]:
        for name in with_ending(self.files.tensors, "_blocks"):
            if f"{name}_scales" in self.files:
                yield name, Float4Weight(self.files, f"{name}_blocks", f"{name}_scales")
