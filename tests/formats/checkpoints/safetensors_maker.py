"""Writes safetensors files, right ones and wrong ones, independently of the reader."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from snug.formats.checkpoints.checkpoint_format import CheckpointFormat
from snug.formats.checkpoints.tensor_files import TensorFiles, open_tensor_file
from tests.formats.header_bytes import BytesSource

NAMES = {"float32": "F32", "float16": "F16", "float64": "F64", "int8": "I8", "uint8": "U8", "int16": "I16",
         "uint16": "U16", "int32": "I32", "uint32": "U32", "int64": "I64", "uint64": "U64", "bool": "BOOL"}  # fmt: skip

Tensor = np.ndarray | tuple[str, np.ndarray]
"""An array in its own type, or the name of a type with the array of its bytes (BF16 as uint16, F8 as uint8)."""


def header_and_data(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> tuple[dict, bytes]:
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": dict(metadata)}
    data = b""
    for name, tensor in tensors.items():
        kind, array = tensor if isinstance(tensor, tuple) else (NAMES[tensor.dtype.name], tensor)
        raw = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    return header, data


def file_bytes(header: Mapping[str, Any] | bytes, data: bytes = b"") -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + data


def safetensors(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> bytes:
    return file_bytes(*header_and_data(tensors, metadata))


def tensor_files(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> TensorFiles:
    """The tensors as if they lay in one file."""
    return TensorFiles([open_tensor_file("model.safetensors", BytesSource(safetensors(tensors, metadata)))])


def write_checkpoint(
    folder: Path, config: Mapping[str, Any], tensors: Mapping[str, Tensor], name: str = "model.safetensors"
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / name).write_bytes(safetensors(tensors))
    return folder


def check_weight(weights: CheckpointFormat, name: str, expected: np.ndarray, tolerance: float = 0.0) -> None:
    """The whole tensor, and every way of reading it in pieces, must be what is expected."""
    assert weights.shape(name) == expected.shape
    whole = weights.read(name)
    assert whole.dtype == np.float32
    np.testing.assert_allclose(whole, expected, rtol=tolerance, atol=0)
    flat = whole.reshape(-1, whole.shape[-1])
    for step in (1, 3, 8, 37):
        rows = [weights.read_rows(name, row, min(len(flat), row + step)) for row in range(0, len(flat), step)]
        np.testing.assert_array_equal(np.concatenate(rows), flat)
    assert weights.read_rows(name, 0, 0).shape == (0, flat.shape[1])
