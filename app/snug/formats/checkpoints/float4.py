"""Weights of 4-bit floats (E2M1), two in a byte, with a scale for each group of neighbours in a row.

The lower half of a byte comes first. NVFP4: groups of 16, E4M3 scales, and one F32 factor for the tensor; it divides in
compressed-tensors (`weight_global_scale`, `nvfp4/base.py`) and multiplies in ModelOpt (`weight_scale_2`). MXFP4: groups
of 32, scales of E8M0, powers of two; see the OCP Microscaling Formats (MX) specification, version 1.0.
"""

from __future__ import annotations

import math

import numpy as np

from snug.formats.checkpoints.errors import bad_checkpoint
from snug.formats.checkpoints.number_types import E2M1, E8M0, Floats, nibbles, to_float32
from snug.formats.checkpoints.tensor_files import TensorFiles

GROUPS = (16, 32)
"""So many neighbours share a scale: in NVFP4, in MXFP4."""
Factor = tuple[str, bool]
"""The name of a tensor with one factor for all, and whether it divides."""


class Float4Weight:
    """Codes of shape (..., rows, columns / 2) or (..., rows, groups, group / 2); scales (..., rows, groups)."""

    def __init__(self, files: TensorFiles, codes: str, scales: str, factor: Factor | None = None) -> None:
        self._files = files
        self._codes = codes
        self._scales = scales
        self._factor = factor
        self.parts = (codes, scales) if factor is None else (codes, scales, factor[0])
        code, scale = files.info(codes), files.info(scales)
        disagreement = bad_checkpoint(f"the parts of {codes[:120]} disagree", f"{code.shape}, scales {scale.shape}")
        if code.kind.name not in ("U8", "I8", "F4") or scale.kind.name not in ("U8", "F8_E4M3", "F8_E8M0"):
            raise bad_checkpoint(f"the parts of {codes[:120]} are of unexpected types", scale.kind.name)
        if len(scale.shape) < 2 or not math.prod(scale.shape):
            raise disagreement
        rows = math.prod(scale.shape[:-1])
        bytes_of_row = code.size_bytes // rows
        is_alike = code.shape[: len(scale.shape) - 1] == scale.shape[:-1]
        if not is_alike or 2 * bytes_of_row not in (GROUPS[0] * scale.shape[-1], GROUPS[1] * scale.shape[-1]):
            raise disagreement
        if factor is not None and math.prod(files.info(factor[0]).shape) != 1:
            raise bad_checkpoint(f"the scale {factor[0][:120]} is not one number")
        self._row_bytes = bytes_of_row
        self.shape = (*scale.shape[:-1], 2 * bytes_of_row)

    def rows(self, first: int, last: int) -> Floats:
        groups = self._files.info(self._scales).shape[-1]
        codes = self._files.stored_span(self._codes, first * self._row_bytes, last * self._row_bytes)
        weight = E2M1[nibbles(codes)].reshape(last - first, groups, -1)
        stored = self._files.stored_span(self._scales, first * groups, last * groups)
        kind = self._files.info(self._scales).kind
        scales = E8M0[stored] if kind.name == "U8" else to_float32(stored, kind)
        weight *= (scales * self._common()).reshape(last - first, groups, 1)
        return weight.reshape(last - first, self.shape[-1])

    def _common(self) -> np.float32:
        if self._factor is None:
            return np.float32(1)
        name, is_divided = self._factor
        value = np.float32(self._files.floats(name).reshape(-1)[0])
        if not np.isfinite(value) or value == 0:
            raise bad_checkpoint(f"the scale {name[:120]} is no usable number", str(value))
        return np.float32(1) / value if is_divided else value
