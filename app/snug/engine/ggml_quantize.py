"""ggml's own quantisation functions: for the types without kernels of Snug's, and as the yardstick of those with."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snug.engine.library import llama

GGML_TYPES = {
    "F32": 0,
    "F16": 1,
    "Q4_0": 2,
    "Q4_1": 3,
    "Q5_0": 6,
    "Q5_1": 7,
    "Q8_0": 8,
    "Q2_K": 10,
    "Q3_K": 11,
    "Q4_K": 12,
    "Q5_K": 13,
    "Q6_K": 14,
    "IQ2_XXS": 16,
    "IQ2_XS": 17,
    "IQ3_XXS": 18,
    "IQ1_S": 19,
    "IQ4_NL": 20,
    "IQ3_S": 21,
    "IQ2_S": 22,
    "IQ4_XS": 23,
    "IQ1_M": 29,
    "BF16": 30,
    "MXFP4": 39,
}
"""Numbers of the types, as in every GGUF file (enum ggml_type)."""


class _TypeTraits(ctypes.Structure):
    """The beginning of struct ggml_type_traits of the pinned version."""

    _fields_ = (
        ("type_name", ctypes.c_char_p),
        ("block_values", ctypes.c_int64),
        ("block_values_interleaved", ctypes.c_int64),
        ("block_bytes", ctypes.c_size_t),
        ("is_quantized", ctypes.c_bool),
        ("to_float", ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)),
    )


@cache
def _ggml() -> Any:
    llama()  # loads and starts the engine, which all of ggml's tables need
    from llama_cpp._ggml import libggml

    libggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    libggml.ggml_quantize_chunk.argtypes = [
        ctypes.c_int,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_int64,
        ctypes.c_int64,
        ctypes.c_int64,
        ctypes.c_void_p,
    ]
    libggml.ggml_get_type_traits.restype = ctypes.POINTER(_TypeTraits)
    libggml.ggml_get_type_traits.argtypes = [ctypes.c_int]
    return libggml


def quantize_with_ggml(
    weights: NDArray[np.float32],
    type_name: str,
    importance: NDArray[np.float32] | None,
    threads: int,
    row_bytes: int,
) -> bytes:
    """The bytes of `ggml_quantize_chunk` for finite float32 rows x columns, rows shared among the threads."""
    rows, columns = weights.shape
    chunk: Callable[..., int] = _ggml().ggml_quantize_chunk
    out = np.empty(rows * row_bytes, np.uint8)
    figures = importance.ctypes.data if importance is not None else None

    def quantize(first: int, count: int) -> None:
        chunk(GGML_TYPES[type_name], weights.ctypes.data, out.ctypes.data, first * columns, count, columns, figures)

    share = -(-rows // threads)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda first: quantize(first, min(share, rows - first)), range(0, rows, share)))
    return out.tobytes()


def dequantize_with_ggml(blocks: bytes, type_name: str, count: int) -> NDArray[np.float32]:
    """`count` values as llama.cpp reads them from `blocks`."""
    out = np.empty(count, np.float32)
    if type_name == "F32":  # the one type without a function: it is what the others become
        return np.frombuffer(blocks, np.float32, count).copy()
    source = np.frombuffer(blocks, np.uint8)
    _ggml().ggml_get_type_traits(GGML_TYPES[type_name]).contents.to_float(source.ctypes.data, out.ctypes.data, count)
    return out
