"""Weights stored as small numbers times scales: for the whole tensor, for each row, for groups, or for blocks.

FP8 checkpoints and those of compressed-tensors hold them so: weight = (number - zero point) * scale, each scale for a
rectangle of equal size, the last ones of a row or column cut off where the tensor ends.
"""

from __future__ import annotations

import math

import numpy as np

from snug.formats.checkpoints.errors import bad_checkpoint, not_supported
from snug.formats.checkpoints.number_types import Floats, to_float32
from snug.formats.checkpoints.tensor_files import TensorFiles

Block = tuple[int, int]
KINDS = ("I8", "F8_E4M3", "F8_E5M2")
"""The types of small numbers; in others there may be two to a byte."""


class ScaleGrid:
    """Stored scales (or zero points) spread over a tensor of `shape`; nothing is kept in memory.

    The stored tensor has one value; or one for each entry of all axes but the last; or one for each entry of the first
    axes; or in its last two axes 1, as many as the tensor, or the number of blocks of `block` that cover it.
    """

    def __init__(self, files: TensorFiles, name: str, shape: tuple[int, ...], block: Block | None) -> None:
        self._files = files
        self._name = name
        stored = files.info(name).shape
        rows, columns, leading = shape[-2], shape[-1], math.prod(shape[:-2])
        grid: tuple[int, ...]
        if math.prod(stored) == 1:
            grid = (1, 1, 1)
        elif stored == shape[:-1]:
            grid = (leading, rows, 1)
        elif leading > 1 and math.prod(stored) == leading:
            grid = (leading, 1, 1)
        elif len(stored) >= 2 and stored[:-2] == shape[:-2]:
            grid = (leading, *stored[-2:])
        else:
            raise _no_fit(name, stored, shape)
        step = (_step(rows, grid[1], block and block[0]), _step(columns, grid[2], block and block[1]))
        if 0 in step:
            raise _no_fit(name, stored, shape)
        self._grid, self._step, self._shape = grid, step, (leading, rows, columns)

    @property
    def group(self) -> int:
        """How many neighbours in a row share a value."""
        return self._step[1]

    def rows(self, first: int, last: int) -> Floats:
        """The values for the tensor's rows `first` to `last`: (rows, columns), or (rows, 1) where a row has one."""
        leading, rows, columns = self._grid
        entries, numbers = np.divmod(np.arange(first, last), self._shape[1])
        lines = (entries * rows if leading > 1 else 0) + numbers // self._step[0]
        start, end = int(lines.min()), int(lines.max()) + 1
        stored = self._files.stored_span(self._name, start * columns, end * columns)
        values = to_float32(stored, self._files.info(self._name).kind).reshape(-1, columns)[lines - start]
        return values if columns == 1 else np.repeat(values, self._step[1], axis=1)[:, : self._shape[2]]


def _step(size: int, count: int, block: int | None) -> int:
    """How many entries of an axis of `size` share one of `count` values; 0 where that cannot be."""
    if count == 1:
        return size
    if block is not None and block > 0 and -(-size // block) == count:
        return block
    return size // count if count and size % count == 0 else 0


def _no_fit(name: str, stored: tuple[int, ...], shape: tuple[int, ...]) -> Exception:
    return bad_checkpoint(f"the scales {name[:120]} do not fit their tensor", f"{stored} for {shape}")


class ScaledWeight:
    """A weight of small numbers times scales."""

    def __init__(
        self, files: TensorFiles, name: str, scales: str, *, zeros: str | None = None, block: Block | None = None
    ) -> None:
        info = files.info(name)
        self._files = files
        self._name = name
        self.shape = info.shape
        self.parts = (name, scales) if zeros is None else (name, scales, zeros)
        if info.kind.name not in KINDS:
            raise not_supported(
                f"This model has scaled weights of a kind that Snug does not read ({info.kind.name})",
                "Choose its original weights, or another quantisation of it.",
                name,
            )
        if len(info.shape) < 2 or not all(info.shape):
            raise bad_checkpoint(f"the tensor {name[:120]} has an impossible shape", str(info.shape))
        self._scales = ScaleGrid(files, scales, info.shape, block)
        self._zeros = None if zeros is None else ScaleGrid(files, zeros, info.shape, block)

    def rows(self, first: int, last: int) -> Floats:
        columns = self.shape[-1]
        stored = self._files.stored_span(self._name, first * columns, last * columns)
        weight = to_float32(stored, self._files.info(self._name).kind).reshape(-1, columns)
        if self._zeros is not None:
            weight = weight - self._zeros.rows(first, last)
        return weight * self._scales.rows(first, last)
