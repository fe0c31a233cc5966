"""MLX: weights as Apple's MLX and its mlx-lm keep them, with a scale and a bias for each group.

Layout, from ml-explore/mlx (`mlx.core.quantize`, mode "affine"): `weight` U32 (outputs, inputs * bits / 32), numbers of
2, 3, 4, 5, 6 or 8 bits one after the other along each row, lowest bits first; `scales` and `biases` (outputs, groups);
weight = number * scale + bias. `quantization` in config.json holds bits and group_size, for single layers too.

mlx-lm rearranges some models when it stores them (experts in one tensor, convolutions turned, norms moved by one), and
no setting says so: only those are read that it leaves as they are (`sanitize` in mlx_lm/models).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from snug.core.errors import UserError
from snug.formats.checkpoints.bit_strings import unpack_columns, words_needed
from snug.formats.checkpoints.checkpoint_format import CheckpointFormat, Config, Weight, method, with_ending
from snug.formats.checkpoints.errors import bad_checkpoint, not_supported
from snug.formats.checkpoints.json_text import table, text, whole
from snug.formats.checkpoints.number_types import Floats
from snug.formats.checkpoints.tensor_files import TensorFiles

BITS = (2, 3, 4, 5, 6, 8)
LEFT_AS_THEY_ARE = ("llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text", "phi3", "smollm3", "olmo2",
                    "granite", "starcoder2")  # fmt: skip
"""The kinds of models (`model_type`) whose tensors MLX stores under the usual names and in the usual order."""


class MlxWeight:
    """One linear layer or embedding."""

    def __init__(self, files: TensorFiles, layer: str, settings: Mapping[str, Any]) -> None:
        self._files = files
        self.parts = tuple(f"{layer}.{part}" for part in ("weight", "scales", "biases"))
        weight, scales, biases = (files.info(name) for name in self.parts)
        self._bits, self._group = whole(settings, "bits", 4) or 0, whole(settings, "group_size", 64) or 0
        details = f"weight {weight.kind.name} {weight.shape}, scales {scales.shape}, biases {biases.shape}"
        disagreement = bad_checkpoint(f"the parts of {layer[:120]} disagree", details)
        if any(len(part.shape) != 2 or not all(part.shape) for part in (weight, scales, biases)):
            raise disagreement
        outputs, groups = scales.shape
        self.shape = (outputs, groups * self._group)
        if weight.kind.name != "U32" or biases.shape != scales.shape or self._bits not in BITS or self._group < 1:
            raise disagreement
        if not (scales.kind.is_float and biases.kind.is_float):
            raise disagreement
        if weight.shape != (outputs, words_needed(self.shape[1], self._bits)):
            raise disagreement

    def rows(self, first: int, last: int) -> Floats:
        numbers = unpack_columns(self._files.stored(self.parts[0], first, last), self._bits, self.shape[1])
        weight = numbers.reshape(last - first, -1, self._group).astype("f4")
        weight *= self._files.floats(self.parts[1], first, last)[:, :, None]
        weight += self._files.floats(self.parts[2], first, last)[:, :, None]
        return weight.reshape(last - first, self.shape[1])


class Mlx(CheckpointFormat):
    """MLX's affine quantisation of models that it does not rearrange."""

    key = "mlx"
    sentence = "Weights of 2 to 8 bits, made with Apple's MLX."

    def __init__(self, files: TensorFiles, config: Config) -> None:
        super().__init__(files, config)
        check_arrangement(config)
        self._settings = table(config, "quantization")
        mode = text(self._settings, "mode", "affine")
        if mode != "affine":
            raise refused(f"its numbers are of the kind {mode[:40]}")

    @classmethod
    def recognises(cls, config: Config, tensor_names: Collection[str]) -> bool:
        is_named = "bits" in table(config, "quantization") and not method(config)
        return is_named and any(name.endswith(".scales") for name in tensor_names)

    def packed_weights(self) -> Iterable[tuple[str, Weight]]:
        for layer in with_ending(self.files.tensors, ".scales"):
            yield f"{layer}.weight", MlxWeight(self.files, layer, {**self._settings, **table(self._settings, layer)})


def check_arrangement(config: Config) -> None:
    """Raises UserError for models that MLX stores in another order than their makers."""
    kind = text(config, "model_type")
    if kind not in LEFT_AS_THEY_ARE:
        raise refused(f"models of the kind {kind[:40] or 'that it is'} are rearranged for it")


def refused(why: str) -> UserError:
    """The error for what only MLX can read."""
    return not_supported(
        f"This model was made for Apple's MLX, and Snug cannot turn it back: {why}",
        "Choose the model that it was made from: its page names it. Snug makes that one as small as this.",
    )
