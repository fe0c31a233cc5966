"""Quantises rows by the methods that are allowed, and keeps for each row the one whose output errs least.

Judged is the squared error of the outputs on inputs that no method was fitted to. Where nothing is known of a tensor's
inputs (embeddings that are only looked up, experts that share a matrix), importance or plain rounding stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from snug.convert.better_bits.feedback import blocks_of, damped, improve_codes, inverse_factor, round_with_feedback
from snug.convert.better_bits.grids import GRIDS
from snug.convert.better_bits.inputs import InputTables, KnownInputs
from snug.convert.better_bits.options import BetterBits
from snug.convert.plan import OutputTensor
from snug.convert.quantize import TYPES, quantize_rows
from snug.formats.checkpoints.gguf_blocks import BLOCKS
from snug.formats.checkpoints.number_types import Array, Floats

SWEEPS = 2

POWERS = (0.75, 0.5, 1.25)
"""Of importance, beside 1: no power is best for all rows, and where there is no feedback each row may pick."""


@dataclass(frozen=True, slots=True)
class Rounded:
    """Rows as bytes and as the numbers they stand for, and how many of them by which method."""

    data: bytes
    values: Floats
    methods: Counter[str]


@dataclass(slots=True)
class _Factors:
    """H and the factor of its inverse for each group of columns of one set of inputs."""

    leader: str
    starts: list[int]
    tables: list[Floats]
    factors: list[Floats]


class Rounder:
    """Its `quantise` is what a conversion calls. `importance` is by tensor, (matrices, columns)."""

    def __init__(
        self, options: BetterBits, importance: Mapping[str, Floats], inputs: InputTables | None, threads: int = 1
    ) -> None:
        self._options = options
        self._importance = importance
        self._inputs = inputs
        self._threads = threads
        self._factors: _Factors | None = None
        self.kept: dict[str, Counter[str]] = {}

    def quantise(self, tensor: OutputTensor, rows: Floats, type_name: str, first: int) -> bytes:
        """The bytes of these rows, and a note in `kept` of how they were made."""
        rounded = self.round(tensor.name, tensor.shape, rows, type_name, first)
        self.kept.setdefault(tensor.name, Counter()).update(rounded.methods)
        return rounded.data

    def round(self, name: str, shape: tuple[int, ...], rows: Floats, type_name: str, first: int = 0) -> Rounded:
        """The best of the allowed methods for these rows."""
        matrix_rows = shape[-2] if len(shape) > 1 else len(rows)
        parts = []
        at = 0
        while at < len(rows):  # rows of several experts may stand in one call
            matrix = (first + at) // matrix_rows
            count = min(len(rows) - at, (matrix + 1) * matrix_rows - first - at)
            parts.append(self._round_matrix(name, rows[at : at + count], type_name, matrix))
            at += count
        if len(parts) == 1:
            return parts[0]
        values = np.concatenate([part.values for part in parts])
        methods = sum((part.methods for part in parts), Counter[str]())
        return Rounded(b"".join(part.data for part in parts), values, methods)

    def _round_matrix(self, name: str, rows: Floats, type_name: str, matrix: int) -> Rounded:
        importance = self._importance_of(name, matrix, rows.shape[1])
        known = self._inputs.find(name) if self._inputs is not None else None
        first = self._by_kernel(rows, type_name, importance)
        if type_name not in BLOCKS or known is None or known.samples is None or known.columns != rows.shape[1]:
            return first
        tried = [first]
        has_feedback = self._options.feedback and type_name in GRIDS
        if importance is not None:
            powers = () if has_feedback else POWERS
            tried += [self._by_kernel(rows, type_name, importance**power) for power in powers]
            tried.append(self._by_kernel(rows, type_name, None))
        if has_feedback:
            tried.append(self._by_feedback(known, rows, type_name))
        return _best_rows(rows, tried, known.samples)

    def _importance_of(self, name: str, matrix: int, columns: int) -> Floats | None:
        found = self._importance.get(name) if self._options.importance else None
        if found is None or found.shape[1] != columns:
            return None
        figures: Floats = found[matrix % len(found)]
        return figures

    def _by_kernel(self, rows: Floats, type_name: str, importance: Floats | None) -> Rounded:
        data = quantize_rows(rows, type_name, importance, self._threads)
        return Rounded(
            data, values_of(data, type_name, rows), _all(rows, "plain" if importance is None else "importance")
        )

    def _by_feedback(self, known: KnownInputs, rows: Floats, type_name: str) -> Rounded:
        grid = GRIDS[type_name]
        found = self._factors_of(known)
        data, values = [], []
        for start, table, factor in zip(found.starts, found.tables, found.factors, strict=True):
            part = np.ascontiguousarray(rows[:, start : start + len(table)])
            steps, codes, rounded = round_with_feedback(part, grid, factor, threads=self._threads)
            improve_codes(part, grid, table, steps, codes, rounded, SWEEPS)
            blocks = np.frombuffer(blocks_of(grid, steps, codes), np.uint8)
            data.append(blocks.reshape(len(rows), -1))
            values.append(rounded)
        joined: Array = np.concatenate(data, axis=1)
        return Rounded(joined.tobytes(), np.concatenate(values, axis=1), _all(rows, "feedback"))

    def _factors_of(self, known: KnownInputs) -> _Factors:
        if self._factors is None or self._factors.leader != known.leader:
            tables = [damped(table / np.float32(max(known.count, 1))) for table in known.tables()]
            factors = [inverse_factor(table) for table in tables]
            narrow = [table.astype(np.float32) for table in tables]
            self._factors = _Factors(known.leader, known.starts, narrow, factors)
        return self._factors


def _all(rows: Floats, method: str) -> Counter[str]:
    return Counter({method: len(rows)})


def _best_rows(rows: Floats, tried: list[Rounded], samples: Floats) -> Rounded:
    """Of each row the rounding whose output errs least; every row's bytes stand by themselves."""
    errors = np.stack([np.square((rows - one.values) @ samples.T).sum(axis=1) for one in tried])
    best = errors.argmin(axis=0)
    data = np.stack([np.frombuffer(one.data, np.uint8).reshape(len(rows), -1) for one in tried])
    values = np.stack([one.values for one in tried])
    every = np.arange(len(rows))
    methods: Counter[str] = Counter()
    for index, one in enumerate(tried):
        methods[next(iter(one.methods))] += int((best == index).sum())
    return Rounded(data[best, every].tobytes(), values[best, every], methods)


def values_of(data: bytes, type_name: str, like: Floats) -> Floats:
    """The numbers that quantised rows stand for, in the shape of `like`; `like` itself for types that round nothing
    that matters or that only the engine reads."""
    unpack = BLOCKS.get(type_name)
    if unpack is None:
        return like
    blocks = np.frombuffer(data, np.uint8).reshape(-1, TYPES[type_name].block_bytes)
    return unpack(blocks).reshape(like.shape)
