"""Error feedback (GPTQ, Frantar et al. 2022) onto GGUF's grids: columns are rounded in order, and the error of each is
pushed onto the columns that are not rounded yet, as far as the inputs of the calibration text allow.

With H = X^T X of the inputs and U the upper Cholesky factor of its inverse, an error e in column j costs e^2 / U_jj^2
once the later columns have made up for it as well as they can, and they do so by taking e U_jk / U_jj away. So the
scales of a block, searched when the block's turn comes and its weights have taken all earlier errors, are weighted by
1 / U_jj^2. Afterwards single codes are changed wherever that lowers the whole error (coordinate descent).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from snug.convert.better_bits.grids import Codes, Grid, Steps
from snug.formats.checkpoints.number_types import Array, Floats

Doubles = Array

DAMPING = 0.01
"""Of the mean of H's diagonal, added to it: what the text never showed must not look free."""

_STEP = 32
"""Columns rounded one by one before the rest of the block and of the row hear of their errors in one product."""


def damped(products: Floats, damping: float = DAMPING) -> Doubles:
    """H with its diagonal raised, so that it has an inverse."""
    table = products.astype(np.float64)
    diagonal = np.diagonal(table).copy()
    level = float(diagonal.mean()) or 1.0
    np.fill_diagonal(table, diagonal + damping * level)
    return table


def inverse_factor(table: Doubles) -> Floats:
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


def output_error(weights: Floats, rounded: Floats, table: Floats | Doubles) -> float:
    """Sum of the squared errors that the outputs have: trace of (w - r) H (w - r)^T."""
    difference = (weights - rounded).astype(np.float32)
    return float(np.einsum("ij,ij->", difference @ table.astype(np.float32), difference, dtype=np.float64))
