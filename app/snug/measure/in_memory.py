"""Divergence from the same model before its weights were written over: what one change costs, without a file for it."""

from __future__ import annotations

from collections.abc import Sequence

from snug.engine.text_reader import TextReader, Tokens
from snug.measure.divergence import DivergenceSum, Floats, log_probabilities

_MOST_BYTES = 256 * 1024 * 1024
"""For the probabilities that are kept of the unchanged model."""


class Comparison:
    """Made while the weights are as they were. `chunks` are read anew for every figure."""

    def __init__(self, reader: TextReader, chunks: Sequence[Tokens]) -> None:
        judged = min(reader.chunk // 2, _MOST_BYTES // (4 * reader.vocabulary_size * max(1, len(chunks))))
        self._reader = reader
        self._chunks = chunks
        self._first = reader.chunk - max(8, judged)
        self._kept = [self._read(chunk) for chunk in chunks]

    @property
    def tokens(self) -> int:
        """What the model reads for one figure."""
        return sum(len(chunk) for chunk in self._chunks)

    def _read(self, chunk: Tokens) -> Floats:
        return log_probabilities(self._reader.logits(chunk, self._first)[:-1])

    def divergence(self) -> float:
        """Mean KL divergence of the model as it is now from the one that it was, in nats a token."""
        total = DivergenceSum()
        for chunk, kept in zip(self._chunks, self._kept, strict=True):
            total.add(kept, self._read(chunk), chunk[self._first + 1 :])
        return total.result().kl_mean
