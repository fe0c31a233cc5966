"""The tensors of the engine's graph, read where they lie: names, shapes, operations and values.

`struct ggml_tensor` is laid out as in ggml.h of the pinned version. Before its first use `check_layout` compares what
the structure says with what ggml's own functions say of the same tensor, so that another version cannot be misread.
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snug.core.errors import UserError
from snug.engine.library import llama

Floats = NDArray[np.float32]

MULTIPLY, MULTIPLY_BY_EXPERT = "MUL_MAT", "MUL_MAT_ID"
F32, F16, BF16 = 0, 1, 30


class GgmlTensor(ctypes.Structure):
    """`struct ggml_tensor` up to its name."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("buffer", ctypes.c_void_p),
        ("dims", ctypes.c_int64 * 4),
        ("strides", ctypes.c_size_t * 4),
        ("op", ctypes.c_int),
        ("op_params", ctypes.c_int32 * 16),
        ("flags", ctypes.c_int32),
        ("sources", ctypes.c_void_p * 10),
        ("view_source", ctypes.c_void_p),
        ("view_offset", ctypes.c_size_t),
        ("data", ctypes.c_void_p),
        ("name", ctypes.c_char * 64),
    )


@cache
def ggml_base() -> Any:
    """The part of the engine's library that knows tensors."""
    folder = Path(llama().__file__).parent / "lib"
    library = ctypes.CDLL(str(next(iter(sorted(folder.glob("*ggml-base*"))))))
    library.ggml_get_name.restype = ctypes.c_char_p
    library.ggml_op_name.restype = ctypes.c_char_p
    library.ggml_op_name.argtypes = [ctypes.c_int]
    library.ggml_get_data.restype = ctypes.c_void_p
    library.ggml_nbytes.restype = ctypes.c_size_t
    library.ggml_nelements.restype = ctypes.c_int64
    library.ggml_backend_buffer_is_host.restype = ctypes.c_bool
    for function in ("ggml_get_name", "ggml_get_data", "ggml_nbytes", "ggml_nelements", "ggml_backend_buffer_is_host"):
        getattr(library, function).argtypes = [ctypes.c_void_p]
    return library


def tensor_at(address: int) -> GgmlTensor:
    """The tensor at an address that the engine gave."""
    return GgmlTensor.from_address(address)


def check_layout(address: int) -> None:
    """Raises UserError where this engine's tensors lie otherwise than this module reads them."""
    base, tensor = ggml_base(), tensor_at(address)
    dims = list(tensor.dims)
    agrees = (
        tensor.name == base.ggml_get_name(address)
        and (tensor.data or 0) == (base.ggml_get_data(address) or 0)
        and dims[0] * dims[1] * dims[2] * dims[3] == base.ggml_nelements(address)
        and min(dims) >= 1
    )
    if not agrees:
        raise UserError(
            "This version of the engine cannot be looked into.",
            "Install the version that Snug was made for: run its set-up again.",
            kind="unsupported-engine",
        )


def operation(tensor: GgmlTensor) -> str:
    """ggml's name of what makes this tensor."""
    name: bytes = ggml_base().ggml_op_name(tensor.op)
    return name.decode()


def float_values(tensor: GgmlTensor) -> Floats:
    """A view of an F32 tensor's values in main memory, of shape (dims[3], dims[2], dims[1], dims[0]). Copy what you
    keep: the engine writes there again. Raises ValueError for other types and other memory."""
    if tensor.type != F32 or not tensor.data or not ggml_base().ggml_backend_buffer_is_host(tensor.buffer):
        raise ValueError(f"{tensor.name!r} is not in main memory as F32")
    values: Floats = _view(tensor, np.float32)
    return values


def integer_values(tensor: GgmlTensor) -> NDArray[np.int32]:
    """The same of a tensor of 32-bit whole numbers."""
    if not tensor.data or not ggml_base().ggml_backend_buffer_is_host(tensor.buffer):
        raise ValueError(f"{tensor.name!r} is not in main memory")
    values: NDArray[np.int32] = _view(tensor, np.int32)
    return values


def _view(tensor: GgmlTensor, kind: Any) -> Any:
    dims, strides = list(tensor.dims), list(tensor.strides)
    last = sum((size - 1) * stride for size, stride in zip(dims, strides, strict=True)) + np.dtype(kind).itemsize
    raw = (ctypes.c_uint8 * last).from_address(tensor.data)
    flat = np.frombuffer(raw, np.uint8)
    return np.ndarray(tuple(reversed(dims)), kind, buffer=flat.data, strides=tuple(reversed(strides)))
