"""torchao: the plain ones of its layouts, as it writes them to safetensors.

Layout, from pytorch/ao (`prototype/safetensors/safetensors_support.py`): a weight `M.weight` is stored as
`M._weight_qdata`, `M._weight_scale`, `M._weight_zero_point`; the file's metadata holds, under `M.weight`, JSON with its
`_type`. Read are:
- Int8Tensor and IntxUnpackedToInt8Tensor: I8, weight = (number - zero point) * scale, by blocks;
- Float8Tensor: F8, weight = number * scale;
- Int4Tensor: two signed 4-bit numbers in a byte, the lower half first, scale and zero (groups, outputs);
  weight = number * scale + zero (`int4_row_quantize_zp` and `pack_int4` of FBGEMM's `quantize_utils.py`).
The other types are ordered for one kind of graphics card, and refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from snug.formats.checkpoints.checkpoint_format import CheckpointFormat, Config, Weight, method
from snug.formats.checkpoints.errors import bad_checkpoint, not_supported
from snug.formats.checkpoints.json_text import parse_object
from snug.formats.checkpoints.number_types import Floats, nibbles, to_float32
from snug.formats.checkpoints.scaled_weight import ScaledWeight
from snug.formats.checkpoints.tensor_files import TensorFiles

EIGHT_BITS = ("Int8Tensor", "IntxUnpackedToInt8Tensor", "Float8Tensor")
QDATA = "_qdata"


class Int4Weight:
    """One linear layer of Int4Tensor; `stem` is the name of its parts up to their endings."""

    def __init__(self, files: TensorFiles, stem: str) -> None:
        self._files = files
        self.parts = tuple(f"{stem}_{part}" for part in ("qdata", "scale", "zero_point"))
        codes, scales, zeros = (files.info(name) for name in self.parts)
        details = f"{codes.kind.name} {codes.shape}, scale {scales.shape}, zero {zeros.shape}"
        disagreement = bad_checkpoint(f"the parts of {stem[:120]} disagree", details)
        if len(codes.shape) != 2 or len(scales.shape) != 2 or not all(codes.shape + scales.shape):
            raise disagreement
        self.shape = (codes.shape[0], 2 * codes.shape[1])
        is_alike = scales.shape == zeros.shape and scales.shape[1] == self.shape[0]
        if not is_alike or codes.kind.name not in ("I8", "U8") or self.shape[1] % scales.shape[0]:
            raise disagreement

    def rows(self, first: int, last: int) -> Floats:
        codes = nibbles(self._files.stored(self.parts[0], first, last)).astype(np.int8)
        codes[codes > 7] -= 16
        scales, zeros = (
            to_float32(self._files.stored_columns(name, first, last), self._files.info(name).kind).T[:, :, None]
            for name in self.parts[1:]
        )
        weight = codes.reshape(last - first, scales.shape[1], -1) * scales + zeros
        return weight.reshape(last - first, self.shape[1])


class Torchao(CheckpointFormat):
    """torchao's 4- and 8-bit weights, where they are stored in a plain order."""

    key = "torchao"
    sentence = "Weights of 4 or 8 bits, made with torchao."

    @classmethod
    def recognises(cls, config: Config, tensor_names: Collection[str]) -> bool:
        return method(config) == "torchao"

    def packed_weights(self) -> Iterable[tuple[str, Weight]]:
        for name in sorted(self.files.tensors):
            if name.endswith(QDATA):
                stem = name.removesuffix(QDATA)
                module, _, attribute = stem.rpartition(".")
                weight = f"{module}.{attribute[1:]}" if module else attribute[1:]
                yield weight, self._packed(weight, stem)

    def _packed(self, weight: str, stem: str) -> Weight:
        described = self.files.metadata.get(weight)
        if described is None:
            raise bad_checkpoint(f"the description of {weight[:120]} is missing")
        kind = parse_object(described.encode(), f"the description of {weight[:120]}").get("_type")
        if f"{stem}_act_pre_scale" in self.files or kind not in (*EIGHT_BITS, "Int4Tensor"):
            raise not_supported(
                f"This torchao model is stored in an order that only some graphics cards use ({str(kind)[:40]})",
                "Choose its original weights, or another quantisation of it.",
            )
        if kind == "Int4Tensor":
            return Int4Weight(self.files, stem)
        zeros = f"{stem}_zero_point"
        return ScaledWeight(self.files, f"{stem}_qdata", f"{stem}_scale", zeros=zeros if zeros in self.files else None)
