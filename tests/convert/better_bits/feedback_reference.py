"""Error feedback in numpy, column by column: what the native one is held against.

GGUF's block types are grids: the scales of a block apart from its codes, so that codes can be chosen one by one.

A block's header (steps, scales and minima of its sub-blocks) is found by Snug's kernels and read back from their bytes;
codes are put in beside it. A weight is then `scale * code - low`, both of its sub-block, the code a whole number within
the grid's limits. Layouts: ggml-common.h of llama.cpp, as in `formats.checkpoints.gguf_blocks`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from snug.convert.quantize import TYPES, quantize_rows
from snug.formats.checkpoints.gguf_blocks import IQ4_VALUES
from snug.formats.checkpoints.number_types import Array, Floats

Bytes = Array  # of 8 bits
Codes = Array  # of 8 bits


@dataclass(frozen=True, slots=True)
class Steps:
    """Of blocks in a column of rows: `scale` and `low`, float32 (rows, sub-blocks), and the blocks' bytes."""

    scale: Floats
    low: Floats
    blocks: Bytes


@dataclass(frozen=True, slots=True)
class Grid:
    """One type: values of a block and of a sub-block, codes 0 to `top`, and what `code` stands for: `code - middle`, or
    the entry of a table. `read` gives scales and lows from bytes, `put` puts codes (rows, block) into them."""

    name: str
    block: int
    sub: int
    top: int
    middle: int
    read: Callable[[Bytes], tuple[Floats, Floats]]
    put: Callable[[Bytes, Codes], None]
    table: Floats | None = None

    def fit(self, weights: Floats, importance: Floats, threads: int = 1) -> Steps:
        """The best scales for `weights` (rows, block), each column weighted by `importance` (block,)."""
        raw = quantize_rows(weights, self.name, importance, threads)
        blocks = np.frombuffer(raw, np.uint8).reshape(len(weights), TYPES[self.name].block_bytes).copy()
        scale, low = self.read(blocks)
        return Steps(scale, low, blocks)

    def round(self, column: Floats, scale: Floats, low: Floats) -> tuple[Codes, Floats]:
        """The nearest codes to one column of weights (rows,), and the weights that they stand for."""
        inverse = np.divide(np.float32(1), scale, out=np.zeros_like(scale), where=scale != 0)
        wanted = (column + low) * inverse
        if self.table is not None:
            codes = np.searchsorted(_MIDDLES, wanted).astype(np.uint8)
            return codes, scale * self.table[codes]
        whole = np.clip(np.rint(wanted), -self.middle, self.top - self.middle)
        return (whole + self.middle).astype(np.uint8), scale * whole - low

    def numbers(self, codes: Codes) -> Floats:
        """What codes stand for before scale and low."""
        if self.table is not None:
            return np.take(self.table, codes)
        return np.subtract(codes, self.middle, dtype=np.float32)


_MIDDLES = ((IQ4_VALUES[1:] + IQ4_VALUES[:-1]) / 2).astype(np.float32)


def _half(blocks: Bytes, at: int) -> Floats:
    return np.ascontiguousarray(blocks[:, at : at + 2]).view("<f2").astype(np.float32)


def _no_low(scale: Floats) -> tuple[Floats, Floats]:
    return scale, np.zeros_like(scale)


def _pairs(codes: Codes) -> Bytes:
    """(rows, m, 2 k) codes as (rows, m, k) bytes: the first half in the lower four bits."""
    half = codes.shape[-1] // 2
    return codes[..., :half] & 15 | codes[..., half:] << 4


def _two_bits(codes: Codes) -> Bytes:
    """256 codes of two bits each as 64 bytes: 32 bytes hold codes l, l + 32, l + 64, l + 96 of a half."""
    parts = codes.reshape(len(codes), 2, 4, 32)
    packed: Bytes = parts[:, :, 0] | parts[:, :, 1] << 2 | parts[:, :, 2] << 4 | parts[:, :, 3] << 6
    return np.reshape(packed, (len(codes), 64))


def _one_bit(codes: Codes) -> Bytes:
    """256 single bits as 32 bytes: bit j of byte l is code 32 j + l."""
    return np.packbits(codes.reshape(len(codes), 8, 32), axis=1, bitorder="little").reshape(len(codes), 32)


def _read_simple(at_low: int | None) -> Callable[[Bytes], tuple[Floats, Floats]]:
    def read(blocks: Bytes) -> tuple[Floats, Floats]:
        scale = _half(blocks, 0)
        return (scale, -_half(blocks, at_low)) if at_low is not None else _no_low(scale)

    return read


def _put_four(at: int) -> Callable[[Bytes, Codes], None]:
    def put(blocks: Bytes, codes: Codes) -> None:
        blocks[:, at : at + 16] = _pairs(codes)

    return put


def _put_five(at: int) -> Callable[[Bytes, Codes], None]:
    def put(blocks: Bytes, codes: Codes) -> None:
        blocks[:, at : at + 4] = np.packbits(codes >> 4, axis=1, bitorder="little")
        blocks[:, at + 4 : at + 20] = _pairs(codes)

    return put


def _read_q2_k(blocks: Bytes) -> tuple[Floats, Floats]:
    return _half(blocks, 80) * (blocks[:, :16] & 15), _half(blocks, 82) * (blocks[:, :16] >> 4)


def _put_q2_k(blocks: Bytes, codes: Codes) -> None:
    blocks[:, 16:80] = _two_bits(codes)


def _read_q3_k(blocks: Bytes) -> tuple[Floats, Floats]:
    packed = blocks[:, 96:108]
    lower = np.concatenate([packed[:, :8] & 15, packed[:, :8] >> 4], axis=1)
    upper = (packed[:, None, 8:] >> np.array([0, 2, 4, 6], np.uint8)[:, None] & 3).reshape(-1, 16)
    return _no_low(_half(blocks, 108) * ((lower | upper << 4).astype(np.float32) - 32))


def _put_q3_k(blocks: Bytes, codes: Codes) -> None:
    blocks[:, :32] = _one_bit(codes >> 2)
    blocks[:, 32:96] = _two_bits(codes & 3)


def _read_with_minima(blocks: Bytes) -> tuple[Floats, Floats]:
    first, second, last = blocks[:, 4:8], blocks[:, 8:12], blocks[:, 12:16]
    scales = np.concatenate([first & 63, last & 15 | first >> 6 << 4], axis=1)
    minima = np.concatenate([second & 63, last >> 4 | second >> 6 << 4], axis=1)
    return _half(blocks, 0) * scales, _half(blocks, 2) * minima


def _put_q4_k(blocks: Bytes, codes: Codes) -> None:
    blocks[:, 16:] = _pairs(codes.reshape(-1, 4, 64)).reshape(-1, 128)


def _put_q5_k(blocks: Bytes, codes: Codes) -> None:
    blocks[:, 16:48] = _one_bit(codes >> 4)
    blocks[:, 48:] = _pairs(codes.reshape(-1, 4, 64)).reshape(-1, 128)


def _read_q6_k(blocks: Bytes) -> tuple[Floats, Floats]:
    return _no_low(_half(blocks, 208) * np.ascontiguousarray(blocks[:, 192:208]).view(np.int8))


def _put_q6_k(blocks: Bytes, codes: Codes) -> None:
    parts = codes.reshape(len(codes), 2, 128)
    blocks[:, :128] = _pairs(parts).reshape(-1, 128)
    blocks[:, 128:192] = _two_bits(codes >> 4)


def _read_iq4_xs(blocks: Bytes) -> tuple[Floats, Floats]:
    upper = (blocks[:, 2:4, None] >> np.array([0, 2, 4, 6], np.uint8) & 3).reshape(len(blocks), -1) << 4
    lower = np.stack([blocks[:, 4:8] & 15, blocks[:, 4:8] >> 4], axis=2).reshape(-1, 8)
    return _no_low(_half(blocks, 0) * ((lower | upper).astype(np.float32) - 32))


def _put_iq4_xs(blocks: Bytes, codes: Codes) -> None:
    blocks[:, 8:] = _pairs(codes.reshape(-1, 8, 32)).reshape(-1, 128)


GRIDS: dict[str, Grid] = {
    grid.name: grid
    for grid in (
        Grid("Q4_0", 32, 32, 15, 8, _read_simple(None), _put_four(2)),
        Grid("Q4_1", 32, 32, 15, 0, _read_simple(2), _put_four(4)),
        Grid("Q5_0", 32, 32, 31, 16, _read_simple(None), _put_five(2)),
        Grid("Q5_1", 32, 32, 31, 0, _read_simple(2), _put_five(4)),
        Grid("Q2_K", 256, 16, 3, 0, _read_q2_k, _put_q2_k),
        Grid("Q3_K", 256, 16, 7, 4, _read_q3_k, _put_q3_k),
        Grid("Q4_K", 256, 32, 15, 0, _read_with_minima, _put_q4_k),
        Grid("Q5_K", 256, 32, 31, 0, _read_with_minima, _put_q5_k),
        Grid("Q6_K", 256, 16, 63, 32, _read_q6_k, _put_q6_k),
        Grid("IQ4_NL", 32, 32, 15, 0, _read_simple(None), _put_four(2), IQ4_VALUES),
        Grid("IQ4_XS", 256, 32, 15, 0, _read_iq4_xs, _put_iq4_xs, IQ4_VALUES),
    )
}
"""The types whose codes can be chosen one by one. The others (IQ1 to IQ3) are codebooks of several weights at once."""


_STEP = 32
"""Columns rounded one by one before the rest of the block and of the row hear of their errors in one product."""


def inverse_factor(table: Array) -> Floats:
    """The upper triangular U with U^T U = H^-1."""
    inverse = np.linalg.inv(np.linalg.cholesky(table))
    return np.linalg.cholesky(inverse.T @ inverse).T.astype(np.float32)


def round_with_feedback(
    weights: Floats, grid: Grid, factor: Floats, importance: Floats | None = None, threads: int = 1
) -> tuple[list[Steps], Codes, Floats]:
    """Scales of each block, codes (rows, columns) and the weights they stand for.

    `importance` (columns,) replaces 1 / U_jj^2 in the search for scales.
    """
    left = weights.astype(np.float32, copy=True)
    rows, columns = left.shape
    codes = np.empty((rows, columns), np.uint8)
    rounded = np.empty_like(left)
    diagonal = np.diagonal(factor).copy()
    cost: Floats = np.float32(1) / diagonal**2 if importance is None else importance
    found: list[Steps] = []
    for start in range(0, columns, grid.block):
        end = start + grid.block
        steps = grid.fit(np.ascontiguousarray(left[:, start:end]), cost[start:end], threads)
        found.append(steps)
        errors = np.empty((rows, grid.block), np.float32)
        for first in range(start, end, _STEP):
            last = min(first + _STEP, end)
            for column in range(first, last):
                sub = (column - start) // grid.sub
                codes[:, column], rounded[:, column] = grid.round(
                    left[:, column], steps.scale[:, sub], steps.low[:, sub]
                )
                error = (left[:, column] - rounded[:, column]) / diagonal[column]
                errors[:, column - start] = error
                left[:, column + 1 : last] -= error[:, None] * factor[column, column + 1 : last]
            left[:, last:end] -= errors[:, first - start : last - start] @ factor[first:last, last:end]
        left[:, end:] -= errors @ factor[start:end, end:]
    return found, codes, rounded


def blocks_of(grid: Grid, steps: Sequence[Steps], codes: Codes) -> bytes:
    """The bytes of all rows, one after the other."""
    parts = []
    for index, found in enumerate(steps):
        blocks = found.blocks.copy()
        grid.put(blocks, codes[:, index * grid.block : (index + 1) * grid.block])
        parts.append(blocks)
    return np.stack(parts, axis=1).tobytes()


def improve_codes(
    weights: Floats,
    grid: Grid,
    table: Floats,
    steps: Sequence[Steps],
    codes: Codes,
    rounded: Floats,
    sweeps: int = 2,
) -> None:
    """Change single codes wherever that lowers (w - r) H (w - r)^T, column by column, in place."""
    diagonal = np.diagonal(table).copy()
    difference = weights - rounded
    pull = difference @ table
    columns = weights.shape[1]
    for _ in range(sweeps):
        for first in range(0, columns, _STEP):
            last = min(first + _STEP, columns)
            changes = np.zeros((len(weights), last - first), np.float32)
            local = pull[:, first:last].copy()
            for column in range(first, last):
                block, sub = divmod(column, grid.block)[0], column % grid.block // grid.sub
                wanted = rounded[:, column] + local[:, column - first] / diagonal[column]
                new_codes, new = grid.round(wanted, steps[block].scale[:, sub], steps[block].low[:, sub])
                change = new - rounded[:, column]
                codes[:, column], rounded[:, column] = new_codes, new
                changes[:, column - first] = change
                local -= change[:, None] * table[column, first:last]
            pull -= changes @ table[first:last]
