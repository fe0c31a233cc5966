"""Error feedback (GPTQ, Frantar et al. 2022) onto GGUF's grids: columns are rounded in order, and the error of each is
pushed onto the columns that are not rounded yet, as far as the inputs of the calibration text allow.

With H = X^T X of the inputs and U the upper triangular factor of its inverse, an error e in column j costs e^2 / U_jj^2
once the later columns have made up for it as well as they can, and they do so by taking e U_jk / U_jj away. So the
scales of a block, searched when the block's turn comes and its weights have taken all earlier errors, are weighted by
1 / U_jj^2. Afterwards single codes are changed wherever that lowers the whole error (coordinate descent). All of that
is in native/quantize/feedback_panel.h; here is what it needs of the inputs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from snug.convert.better_bits.inputs import KnownInputs
from snug.convert.quantize import TYPES
from snug.formats.checkpoints.number_types import Array, Floats

if TYPE_CHECKING:
    from snug._native import FeedbackTables

FEEDBACK_TYPES = frozenset(("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS"))
"""Those whose codes can be chosen one by one. IQ1 to IQ3 are codebooks of several weights; Q8_0 loses nothing."""

DAMPING = 0.01
"""Of the mean of H's diagonal, added to it: what the text never showed must not look free."""

SWEEPS = 2
LARGEST_CACHE = 320 * 1024 * 1024
_NARROW = 64


@dataclass(frozen=True, slots=True)
class Factors:
    """Of one group of columns: H, damped and its diagonal about one, R with H = R R^T, and U = R^-1."""

    table: Floats
    factor: Floats
    inverse: Floats

    def scaled(self, scale: Floats) -> Factors:
        """Of inputs whose columns were divided by `scale`, damped before that."""
        return Factors(self.table / scale / scale[:, None], self.factor / scale[:, None], self.inverse * scale)


def factors_of(products: Floats) -> Factors:
    """What feedback needs of the inputs' products (columns, columns), in any unit."""
    table: Array = products.astype(np.float64)
    level = float(np.diagonal(table).mean())
    table *= 1 / level if level > 0 else 0.0
    table.flat[:: len(table) + 1] += DAMPING if level > 0 else 1.0
    factor = np.ascontiguousarray(np.linalg.cholesky(table[::-1, ::-1])[::-1, ::-1])
    narrow = [np.ascontiguousarray(part, np.float32) for part in (table, factor, _inverse(factor))]
    return Factors(*narrow)


def _inverse(upper: Array) -> Array:
    """The inverse of an upper triangular matrix, by halves."""
    size = len(upper)
    if size <= _NARROW:
        return np.triu(np.linalg.inv(upper))
    half = size // 2
    found = np.zeros_like(upper)
    found[:half, :half] = _inverse(upper[:half, :half])
    found[half:, half:] = _inverse(upper[half:, half:])
    found[:half, half:] = -(found[:half, :half] @ upper[:half, half:]) @ found[half:, half:]
    return found


class Feedback:
    """Rounds rows with the inputs of all groups of their columns known."""

    def __init__(self, starts: Sequence[int], groups: Iterable[Factors]) -> None:
        self._starts = list(starts)
        self._tables = [_tables_class()(group.table, group.factor, group.inverse) for group in groups]

    @property
    def size_bytes(self) -> int:
        return sum(9 * tables.columns**2 for tables in self._tables)

    def round(self, rows: Floats, type_name: str, threads: int = 1) -> tuple[bytes, Floats]:
        """The bytes of float32 `rows` (rows, columns), which must be finite, and the numbers that they stand for."""
        shape = TYPES[type_name]
        matrix = np.ascontiguousarray(rows, np.float32)
        blocks = np.empty((len(rows), rows.shape[1] // shape.block_values * shape.block_bytes), np.uint8)
        values = np.empty_like(matrix)
        for start, tables in zip(self._starts, self._tables, strict=True):
            end = start + tables.columns
            first, last = (at // shape.block_values * shape.block_bytes for at in (start, end))
            tables.round(
                matrix[:, start:end],
                type_name,
                blocks[:, first:last],
                values[:, start:end],
                sweeps=SWEEPS,
                threads=threads,
            )
        return blocks.tobytes(), values


class FeedbackCache:
    """The feedback of the inputs that were asked for last: several tensors share theirs.

    With `keeps_factors` inputs that differ from the last ones by a scale alone cost little: for trying scales.
    """

    def __init__(self, keeps_factors: bool = False) -> None:
        self._kept: OrderedDict[str, Feedback] = OrderedDict()
        self._keeps_factors = keeps_factors
        self._factors: tuple[str, list[Factors]] = ("", [])

    def get(self, known: KnownInputs) -> Feedback:
        """The feedback for these inputs."""
        found = self._kept.pop(known.leader, None)
        if found is None:
            found = Feedback(known.starts, self._groups(known))
        self._kept[known.leader] = found
        while len(self._kept) > 1 and sum(kept.size_bytes for kept in self._kept.values()) > LARGEST_CACHE:
            self._kept.popitem(last=False)
        return found

    def _groups(self, known: KnownInputs) -> Iterator[Factors]:
        groups: Iterable[Factors] = self._factors[1]
        if self._factors[0] != known.unscaled_leader:
            self._factors = "", []  # room for the next
            groups = (factors_of(table) for table in known.unscaled_tables())
            if self._keeps_factors:
                groups = list(groups)
                self._factors = known.unscaled_leader, groups
        for start, group in zip(known.starts, groups, strict=True):
            yield group if known.scale is None else group.scaled(known.scale[start : start + len(group.table)])


@cache
def _tables_class() -> type[FeedbackTables]:
    from snug import _native

    return _native.FeedbackTables
