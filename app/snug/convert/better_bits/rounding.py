"""Quantises rows by the methods that are allowed, and keeps for each row the one whose output errs least.

Judged is the squared error of the outputs on inputs that no method was fitted to. Where nothing is known of a tensor's
inputs (embeddings that are only looked up, the last matrices of experts), importance or plain rounding stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from snug.convert.better_bits.feedback import FEEDBACK_TYPES, FeedbackCache
from snug.convert.better_bits.inputs import InputTables, KnownInputs
from snug.convert.better_bits.options import BetterBits
from snug.convert.plan import OutputTensor
from snug.convert.quantize import TYPES, quantize_rows
from snug.formats.checkpoints.gguf_blocks import BLOCKS
from snug.formats.checkpoints.number_types import Floats

POWERS = (0.75, 0.5, 1.25)
"""Of importance, beside 1: no power is best for all rows, and where there is no feedback each row may pick."""

JUDGING_SAMPLES = 256
"""Inputs that tell which rounding of a row is best; with twice as many the divergence is the same."""


@dataclass(frozen=True, slots=True)
class Rounded:
    """Rows as bytes and as the numbers they stand for, and how many of them by which method."""

    data: bytes
    values: Floats
    methods: Counter[str]


class Rounder:
    """Its `quantise` is what a conversion calls. `importance` is by tensor, (matrices, columns)."""

    def __init__(
        self,
        options: BetterBits,
        importance: Mapping[str, Floats],
        inputs: InputTables | None,
        threads: int = 1,
        cache: FeedbackCache | None = None,
    ) -> None:
        self._options = options
        self._importance = importance
        self._inputs = inputs
        self._threads = threads
        self._cache = cache or FeedbackCache(keeps_factors=inputs is not None and inputs.has_experts)
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
        known = self._inputs.of_matrix(name, matrix) if self._inputs is not None else None
        first = self._by_kernel(rows, type_name, importance)
        if type_name not in BLOCKS or known is None or known.samples is None or known.columns != rows.shape[1]:
            return first
        tried = [first]
        has_feedback = self._options.feedback and type_name in FEEDBACK_TYPES
        if has_feedback:  # of 22,528 rows of Pip plain rounding would be best for 396, and no better by the whole
            tried.append(self._by_feedback(known, rows, type_name))
        elif importance is not None:
            tried += [self._by_kernel(rows, type_name, importance**power) for power in POWERS]
            tried.append(self._by_kernel(rows, type_name, None))
        return _best_rows(rows, tried, known.samples[:: -(-len(known.samples) // JUDGING_SAMPLES)])

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
        data, values = self._cache.get(known).round(rows, type_name, self._threads)
        return Rounded(data, values, _all(rows, "feedback"))


def _all(rows: Floats, method: str) -> Counter[str]:
    return Counter({method: len(rows)})


def _best_rows(rows: Floats, tried: list[Rounded], samples: Floats) -> Rounded:
    """Of each row the rounding whose output errs least; every row's bytes stand by themselves."""
    with np.errstate(over="ignore", invalid="ignore"):  # of weights that no block can hold
        errors = np.stack([np.square((rows - one.values) @ samples.T).sum(axis=1) for one in tried])
    best = np.nan_to_num(errors, nan=np.inf, posinf=np.inf).argmin(axis=0)
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
