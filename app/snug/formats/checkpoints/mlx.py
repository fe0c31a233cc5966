"""Checkpoints that Apple's MLX wrote, quantised or not: mlx-lm's and mlx-vlm's.

`quantization` in config.json holds `mode`, `bits` and `group_size`, and the same for single layers under their names;
false for a layer that was left as it is. How weights are packed: `mlx_weights`. What else is done to the model:
`mlx_arrangement`. Source: `load_model` and `quantize_model` in mlx_lm/utils.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cached_property

from snug.formats.checkpoints.checkpoint_format import CheckpointFormat, Config, Weight, method, with_ending
from snug.formats.checkpoints.json_text import table
from snug.formats.checkpoints.mlx_arrangement import check_arrangement, refused, restored
from snug.formats.checkpoints.mlx_weights import USUAL, MlxWeight, Packing, packing
from snug.formats.checkpoints.plain import Plain
from snug.formats.checkpoints.tensor_files import TensorFiles

MODE_BY_WORDS = {2: "nvfp4", 4: "mxfp4", 8: "mxfp8"}
"""The modes of floats by how many words of U32 share a scale: each has one group size and one number of bits."""


class Mlx(CheckpointFormat):
    """MLX's quantisation."""

    key = "mlx"
    sentence = "Weights of 1 to 8 bits, made with Apple's MLX."

    def __init__(self, files: TensorFiles, config: Config) -> None:
        super().__init__(files, config)
        check_arrangement(config)
        self._settings = table(config, "quantization")

    @classmethod
    def recognises(cls, config: Config, tensor_names: Collection[str]) -> bool:
        return not method(config) and _is_quantised(config, tensor_names)

    def packed_weights(self) -> Iterable[tuple[str, Weight]]:
        for layer in with_ending(self.files.tensors, ".scales"):
            if f"{layer}.global_scale" in self.files:
                raise refused("some of its layers have one more scale for all")
            yield f"{layer}.weight", MlxWeight(self.files, layer, self._packing(layer))

    @cached_property
    def weights(self) -> dict[str, Weight]:
        return restored(self.files, self.config, super().weights)

    def _packing(self, layer: str) -> Packing:
        """The layer's own settings count alone; nothing is taken from the model's. mlx-vlm may leave out the name of
        the text part. Scales of bytes tell the mode where no settings do."""
        for name in (layer, layer.removeprefix("language_model.")):
            if table(self._settings, name):
                return _known(packing(table(self._settings, name)))
        packed = _known(packing(self._settings))
        scales, words = self.files.info(f"{layer}.scales"), self.files.info(f"{layer}.weight")
        if scales.kind.name == "U8" and all(scales.shape) and scales.shape and words.shape:
            mode = MODE_BY_WORDS.get(words.shape[-1] // scales.shape[-1], packed.mode)
            return Packing(mode, *USUAL[mode])
        return packed


class MlxFloats(Plain):
    """What MLX stored without rounding it."""

    def __init__(self, files: TensorFiles, config: Config) -> None:
        super().__init__(files, config)
        check_arrangement(config)

    @cached_property
    def weights(self) -> dict[str, Weight]:
        return restored(self.files, self.config, super().weights)


def written_by_mlx(config: Config, tensor_names: Collection[str]) -> type[CheckpointFormat]:
    """The reader of a checkpoint that names MLX as its writer. Its config may still name how the original was
    quantised."""
    return Mlx if _is_quantised(config, tensor_names) else MlxFloats


def _is_quantised(config: Config, tensor_names: Collection[str]) -> bool:
    return "bits" in table(config, "quantization") and any(name.endswith(".scales") for name in tensor_names)


def _known(packed: Packing) -> Packing:
    if packed.mode not in USUAL:
        raise refused(f"its numbers are of the kind {packed.mode[:40]}")
    return packed
