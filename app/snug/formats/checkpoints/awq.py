"""AWQ: 4-bit weights, packed along the outputs in the order that its GEMM kernel wants.

Layout, from AutoAWQ (`awq/modules/linear/gemm.py`, `awq/utils/packing_utils.py`): `qweight` I32 (inputs, outputs / 8),
`qzeros` I32 (groups, outputs / 8), `scales` (groups, outputs). Bits 4k to 4k+3 of a word belong to output
8 * word + ORDER[k]. weight[o, i] = scales[g, o] * (q[i, o] - z[g, o]) with g = i // group size.
Paper: arXiv:2306.00978.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from snug.formats.checkpoints.checkpoint_format import (
    CheckpointFormat,
    Config,
    Weight,
    method,
    quantisation,
    with_ending,
)
from snug.formats.checkpoints.errors import bad_checkpoint, not_supported
from snug.formats.checkpoints.json_text import text, whole
from snug.formats.checkpoints.number_types import Array, Floats, to_float32
from snug.formats.checkpoints.tensor_files import TensorFiles

ORDER = (0, 2, 4, 6, 1, 3, 5, 7)


class AwqWeight:
    """One linear layer."""

    def __init__(self, files: TensorFiles, layer: str) -> None:
        self._files = files
        self._names = tuple(f"{layer}.{part}" for part in ("qweight", "qzeros", "scales"))
        weight, zeros, scales = (files.info(name) for name in self._names)
        shapes = f"qweight {weight.shape}, qzeros {zeros.shape}, scales {scales.shape}"
        disagreement = bad_checkpoint(f"the parts of {layer[:120]} disagree", shapes)
        if any(len(part.shape) != 2 or not all(part.shape) for part in (weight, zeros, scales)):
            raise disagreement
        if weight.kind.name != "I32" or zeros.kind.name != "I32" or not scales.kind.is_float:
            raise bad_checkpoint(f"the parts of {layer[:120]} are of unexpected types", weight.kind.name)
        inputs, words = weight.shape
        groups, outputs = scales.shape
        if zeros.shape != (groups, words) or outputs != 8 * words or inputs % groups:
            raise disagreement
        self._group_size = inputs // groups
        self.shape = (outputs, inputs)
        self.parts = self._names

    def rows(self, first: int, last: int) -> Floats:
        start, end = first // 8, -(-last // 8)
        values, zeros = (
            _unpack(self._files.stored_columns(name, start, end))[first - 8 * start : last - 8 * start]
            for name in self._names[:2]
        )
        stored = self._files.stored_columns(self._names[2], first, last)
        scales = to_float32(stored, self._files.info(self._names[2]).kind)
        weight = values.reshape(last - first, -1, self._group_size).astype(np.float32)
        weight -= zeros[:, :, None]
        weight *= np.ascontiguousarray(scales.T)[:, :, None]
        return weight.reshape(last - first, self.shape[1])


def _unpack(words: Array) -> np.ndarray:
    """Words (m, w) as 4-bit values (8 * w, m): the outputs come first."""
    unsigned = np.ascontiguousarray(words.T).view(np.uint32)
    values = np.empty((unsigned.shape[0], 8, unsigned.shape[1]), np.uint8)
    for place, output in enumerate(ORDER):
        values[:, output] = unsigned >> np.uint32(4 * place) & np.uint32(15)
    return values.reshape(-1, unsigned.shape[1])


class Awq(CheckpointFormat):
    """AWQ in its GEMM packing, which nearly every published AWQ model has."""

    key = "awq"
    sentence = "Weights of 4 bits, made with AWQ."

    def __init__(self, files: TensorFiles, config: Config) -> None:
        super().__init__(files, config)
        settings = quantisation(config)
        version = text(settings, "version", "gemm")
        bits = whole(settings, "bits", whole(settings, "w_bit", 4))
        if version != "gemm" or bits != 4:
            raise not_supported(
                f"This AWQ model is packed in a rare way ({bits} bits, {version[:40]})",
                "Choose the usual AWQ version (4 bits, GEMM) of the same model, or its original weights.",
            )

    @classmethod
    def recognises(cls, config: Config, tensor_names: Collection[str]) -> bool:
        if method(config):
            return method(config) == "awq"
        return "w_bit" in quantisation(config) and any(name.endswith(".qzeros") for name in tensor_names)

    def packed_weights(self) -> Iterable[tuple[str, Weight]]:
        for layer in with_ending(self.files.tensors, ".qweight"):
            yield f"{layer}.weight", AwqWeight(self.files, layer)
