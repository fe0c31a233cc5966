"""Quantised bytes of a tensor's rows, in any type that llama.cpp reads.

Q4_0 to Q8_0, Q2_K to Q6_K, IQ4_NL and IQ4_XS are Snug's own kernels (native/quantize), F32, F16 and BF16 are numpy's,
the others are ggml's own functions. The block layouts are those of ggml-common.h in llama.cpp.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snug.core.errors import UserError

_LARGEST_HALF = 65504.0
_LARGEST_BFLOAT16 = float(np.array([0x7F7F0000], np.uint32).view(np.float32)[0])
_WIDE_RANGE = frozenset({"F32", "MXFP4"})
_SMALLEST_IMPORTANCE = 1e-6  # of the mean: a column that never mattered must still be a number that decodes well


@dataclass(frozen=True)
class TypeShape:
    """How a type lies in a file: `block_values` values in `block_bytes` bytes. `by`: "numpy", "kernels" or "ggml"."""

    block_values: int
    block_bytes: int
    by: str
    fallback: str = ""
    needs_importance: bool = False


TYPES: dict[str, TypeShape] = {
    "F32": TypeShape(1, 4, "numpy"),
    "F16": TypeShape(1, 2, "numpy"),
    "BF16": TypeShape(1, 2, "numpy"),
    "Q8_0": TypeShape(32, 34, "kernels", "F16"),
    "Q4_0": TypeShape(32, 18, "kernels", "F16"),
    "Q4_1": TypeShape(32, 20, "kernels", "F16"),
    "Q5_0": TypeShape(32, 22, "kernels", "F16"),
    "Q5_1": TypeShape(32, 24, "kernels", "F16"),
    "Q2_K": TypeShape(256, 84, "kernels", "Q4_0"),
    "Q3_K": TypeShape(256, 110, "kernels", "Q4_0"),
    "Q4_K": TypeShape(256, 144, "kernels", "Q5_0"),
    "Q5_K": TypeShape(256, 176, "kernels", "Q5_1"),
    "Q6_K": TypeShape(256, 210, "kernels", "Q8_0"),
    "IQ4_NL": TypeShape(32, 18, "kernels", "F16"),
    "IQ4_XS": TypeShape(256, 136, "kernels", "IQ4_NL"),
    "IQ3_S": TypeShape(256, 110, "ggml", "IQ4_NL"),
    "IQ3_XXS": TypeShape(256, 98, "ggml", "IQ4_NL"),
    "IQ2_S": TypeShape(256, 82, "ggml", "IQ4_NL"),
    "IQ2_XS": TypeShape(256, 74, "ggml", "IQ4_NL", needs_importance=True),
    "IQ2_XXS": TypeShape(256, 66, "ggml", "IQ4_NL", needs_importance=True),
    "IQ1_M": TypeShape(256, 56, "ggml", "IQ4_NL"),
    "IQ1_S": TypeShape(256, 50, "ggml", "IQ4_NL", needs_importance=True),
    "MXFP4": TypeShape(32, 17, "ggml", "F16"),
}
"""Every type, with the one that llama-quantize takes instead for rows that its blocks do not divide."""


def shape_of(type_name: str) -> TypeShape:
    """The layout of `type_name`. Raises UserError for a name that is not in `TYPES`."""
    shape = TYPES.get(type_name)
    if shape is None:
        raise _bad_input(f"“{type_name}” is not a type that Snug writes.", f"Choose one of {', '.join(TYPES)}.")
    return shape


def type_for_columns(type_name: str, columns: int) -> str:
    """`type_name`, or what stands in for it where rows of `columns` values are no whole number of its blocks."""
    name = type_name
    while columns % shape_of(name).block_values:
        name = TYPES[name].fallback
    return name


def row_bytes(type_name: str, columns: int) -> int:
    """Bytes of one row. Raises UserError where its blocks do not divide the row."""
    shape = shape_of(type_name)
    if columns % shape.block_values:
        raise _bad_input(
            f"Rows of {columns} values cannot be written as {type_name}: its blocks hold {shape.block_values} each.",
            f"Use {type_for_columns(type_name, columns)} for them.",
        )
    return columns // shape.block_values * shape.block_bytes


def quantize_rows(
    weights: NDArray[np.float32],
    type_name: str,
    importance: NDArray[np.float32] | None = None,
    threads: int = 1,
) -> bytes:
    """The rows of `weights` (float32, rows x columns) as `type_name`, one after the other.

    `importance` has one figure of zero or more for each column: squared errors are weighted by it (F32, F16, BF16,
    Q8_0 and MXFP4 do not look at it). The bytes do not depend on `threads`. Raises UserError for infinities, NaN,
    rows that the type's blocks do not divide (see `type_for_columns`), values beyond F16, BF16 or ggml's types (the
    kernels cut them off), and importance that does not fit.
    """
    shape = shape_of(type_name)
    matrix = np.ascontiguousarray(weights, dtype=np.float32)
    if matrix.ndim != 2:
        raise _bad_input("Weights must be a table of rows and columns.", f"These have {matrix.ndim} dimensions.")
    if not 1 <= threads <= 1024:
        raise _bad_input("The number of threads must be between 1 and 1024.", "Use the number of processor cores.")
    row_bytes(type_name, matrix.shape[1])
    if matrix.size == 0:
        return b""
    _check_finite(matrix)
    if shape.by != "kernels":
        check_range(matrix, type_name)
    figures = None if importance is None else _checked_importance(importance, matrix.shape[1])
    if shape.by == "numpy":
        return _floats(matrix, type_name)
    if shape.by == "kernels":
        return _quantize_with_kernels(matrix, type_name, figures, threads)
    if shape.needs_importance and figures is None:
        raise _bad_input(f"{type_name} needs importance weights.", "Give calibration text, or choose a larger type.")
    from snug.engine.ggml_quantize import quantize_with_ggml  # loads the engine's library: only these types need it

    return quantize_with_ggml(matrix, type_name, figures, threads, row_bytes(type_name, matrix.shape[1]))


def simd_paths() -> tuple[str, ...]:
    """The kernel paths that this processor can run, slowest first; SNUG_SIMD forces one of them."""
    return tuple(_kernels().simd_paths())


@cache
def _kernels() -> Any:
    from snug import _native

    return _native


def _quantize_with_kernels(
    matrix: NDArray[np.float32], type_name: str, importance: NDArray[np.float32] | None, threads: int
) -> bytes:
    try:
        blocks: bytes = _kernels().quantize_blocks(matrix, type_name, importance=importance, threads=threads)
    except ValueError as error:
        raise _bad_input(
            "The path named in SNUG_SIMD is not one that this processor has.",
            f"Use one of {', '.join(simd_paths())}, or leave SNUG_SIMD out.",
        ) from error
    return blocks


def _check_finite(matrix: NDArray[np.float32]) -> None:
    index = _kernels().first_not_finite(matrix)
    if index >= 0:
        row, column = divmod(index, matrix.shape[1])
        raise UserError(
            "The weights hold a value that is infinite or not a number.",
            "The file is damaged or its training failed: fetch it again, or choose another model.",
            kind="not-finite",
            details=f"row {row}, column {column}: {matrix[row, column]}",
        )


def check_range(matrix: NDArray[np.float32], type_name: str) -> None:
    """Raise UserError where a weight is beyond what the type can hold: all but F32, BF16 and MXFP4 keep their scales in
    half precision. Beyond it Snug's kernels cut off, ggml's functions end the process or write infinities."""
    if type_name in _WIDE_RANGE:
        return
    largest = max(float(matrix.max()), -float(matrix.min()))
    if largest > (_LARGEST_BFLOAT16 if type_name == "BF16" else _LARGEST_HALF):
        raise UserError(
            f"The weights hold values too large for {type_name}.",
            "Use F32 for them." if type_name == "BF16" else "Use BF16 for them.",
            kind="too-large",
            details=f"the largest is {largest:g}",
            bad_input=True,
        )


def _checked_importance(importance: NDArray[np.float32], columns: int) -> NDArray[np.float32] | None:
    """Figures around one, all above zero; None where no column matters more than another because none does."""
    figures = np.ascontiguousarray(importance, dtype=np.float32)
    if figures.shape != (columns,):
        raise _bad_input("Importance must hold one figure for each column.", f"{columns} are needed.")
    if not np.isfinite(figures).all() or (figures < 0).any():
        raise _bad_input("Importance must be zero or more.", "Collect it again: it holds other figures.")
    mean = figures.mean(dtype=np.float64)
    if mean == 0:
        return None
    levelled: NDArray[np.float32] = np.maximum(figures / mean, _SMALLEST_IMPORTANCE).astype(np.float32)
    return levelled


def _floats(matrix: NDArray[np.float32], type_name: str) -> bytes:
    if type_name == "F32":
        return matrix.tobytes()
    if type_name == "F16":
        return matrix.astype(np.float16).tobytes()
    words = matrix.view(np.uint32)
    rounded = words + (np.uint32(0x7FFF) + ((words >> np.uint32(16)) & np.uint32(1)))  # to nearest even
    return (rounded >> np.uint32(16)).astype(np.uint16).tobytes()


def _bad_input(title: str, advice: str) -> UserError:
    return UserError(title, advice, kind="cannot-quantise", bad_input=True)
