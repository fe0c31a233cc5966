"""The weights of a GGUF as float32, by rows, so that it can be made smaller again."""

from __future__ import annotations

import numpy as np

from snug.formats.byte_source import ByteSource
from snug.formats.checkpoints.checkpoint_format import row_count
from snug.formats.checkpoints.errors import bad_checkpoint, not_supported
from snug.formats.checkpoints.gguf_blocks import BLOCKS
from snug.formats.checkpoints.number_types import TYPE_BY_NAME, Floats, to_float32
from snug.formats.checkpoints.safetensors_header import read_exact
from snug.formats.ggml_types import GgmlType
from snug.formats.gguf_header import GgufHeader, TensorInfo

PLAIN = ("F32", "F16", "BF16", "F64", "I8", "I16", "I32", "I64")


class GgufWeights:
    """The tensors of one GGUF file under its own names; shapes are given rows first, as everywhere outside of GGUF."""

    def __init__(self, header: GgufHeader, source: ByteSource) -> None:
        self._source = source
        self._data_offset = header.data_offset
        self.tensors: dict[str, TensorInfo] = {tensor.name: tensor for tensor in header.tensors}

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(reversed(self._info(name).dims))

    def read(self, name: str) -> Floats:
        """The whole tensor as float32, in its shape."""
        shape = self.shape(name)
        return self.read_rows(name, 0, row_count(shape)).reshape(shape)

    def read_rows(self, name: str, first: int, last: int) -> Floats:
        """Rows `first` to `last` as float32 of shape (last - first, columns); all axes but the last count as rows."""
        info, shape = self._info(name), self.shape(name)
        if not 0 <= first <= last <= row_count(shape):
            raise IndexError(f"rows {first} to {last} of {name!r}, which has {row_count(shape)}")
        columns = shape[-1]
        row_bytes = columns // info.kind.block * info.kind.bytes
        start = self._data_offset + info.offset + first * row_bytes
        raw = read_exact(self._source, start, (last - first) * row_bytes, "it")
        with np.errstate(all="ignore"):
            return floats_of(raw, info.kind).reshape(last - first, columns)

    def _info(self, name: str) -> TensorInfo:
        info = self.tensors.get(name)
        if info is None:
            raise bad_checkpoint(f"the tensor {name[:120]} is missing")
        return info


def floats_of(raw: bytes, kind: GgmlType) -> Floats:
    """The weights in `raw`, whole blocks of one type, as float32 without a shape."""
    if kind.name in PLAIN:
        number_type = TYPE_BY_NAME[kind.name]
        return to_float32(np.frombuffer(raw, number_type.storage), number_type)
    unpack = BLOCKS.get(kind.name)
    if unpack is None:
        raise not_supported(
            f"This file's weights ({kind.name}) have too few bits left to make another file from",
            "Choose the same model with 4 bits or more, or its original weights.",
        )
    return unpack(np.frombuffer(raw, np.uint8).reshape(-1, kind.bytes))
