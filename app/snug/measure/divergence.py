"""How far one model's predictions are from another's: KL divergence, perplexity, the same first choice.

The figures are those of llama.cpp's `llama-perplexity --kl-divergence`: a text is cut into chunks of `context` tokens,
the second half of each is judged, and the divergence of a token is sum p log(p / q) over the vocabulary, p being the
reference's probabilities and q the candidate's, in nats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Divergence:
    """Of a candidate from its reference. `tokens` were judged; `same_top` is the share of them whose likeliest next
    token is the same; `kl_error` is the standard error of the mean."""

    tokens: int
    kl_mean: float
    kl_error: float
    kl_median: float
    kl_p99: float
    kl_max: float
    same_top: float
    perplexity: float
    perplexity_error: float
    reference_perplexity: float

    @property
    def same_of_thousand(self) -> int:
        """Words the same of 1,000, as people read it."""
        return round(self.same_top * 1000)


@dataclass(frozen=True, slots=True)
class Perplexity:
    """Of one model alone."""

    tokens: int
    perplexity: float
    perplexity_error: float


def log_probabilities(logits: Floats) -> Floats:
    """Natural logarithms of the probabilities, row by row: float32 of the same shape."""
    shifted: Floats = logits - logits.max(axis=1, keepdims=True)
    sums = np.exp(shifted).sum(axis=1, keepdims=True, dtype=np.float64)
    shifted -= np.log(sums).astype(np.float32)
    return shifted


class DivergenceSum:
    """Gathers the figures of one candidate, chunk by chunk."""

    def __init__(self) -> None:
        self._divergences: list[Floats] = []
        self._same = 0
        self._surprise = PerplexitySum()
        self._reference_surprise = PerplexitySum()

    def add(self, reference: Floats, candidate: Floats, following: NDArray[np.int32]) -> None:
        """Log-probabilities (tokens, vocabulary) of both after the same tokens, and the token that follows each."""
        difference = reference - candidate
        np.multiply(difference, np.exp(reference), out=difference)
        self._divergences.append(difference.sum(axis=1, dtype=np.float64).astype(np.float32))
        self._same += int((reference.argmax(axis=1) == candidate.argmax(axis=1)).sum())
        self._surprise.add(candidate, following)
        self._reference_surprise.add(reference, following)

    def result(self) -> Divergence:
        """The figures of all that was added. Raises ValueError where nothing was."""
        values = np.concatenate(self._divergences) if self._divergences else np.empty(0, np.float32)
        if not len(values):
            raise ValueError("nothing was compared")
        own, reference = self._surprise.result(), self._reference_surprise.result()
        return Divergence(
            tokens=len(values),
            kl_mean=float(values.mean(dtype=np.float64)),
            kl_error=_standard_error(values),
            kl_median=float(np.median(values)),
            kl_p99=float(np.percentile(values, 99)),
            kl_max=float(values.max()),
            same_top=self._same / len(values),
            perplexity=own.perplexity,
            perplexity_error=own.perplexity_error,
            reference_perplexity=reference.perplexity,
        )


class PerplexitySum:
    """Gathers the surprise of one model at each token."""

    def __init__(self) -> None:
        self._values: list[Floats] = []

    def add(self, log_probability: Floats, following: NDArray[np.int32]) -> None:
        """Log-probabilities (tokens, vocabulary), and the token that follows each."""
        self._values.append(-log_probability[np.arange(len(following)), following])

    def result(self) -> Perplexity:
        """Raises ValueError where nothing was added."""
        if not self._values:
            raise ValueError("nothing was read")
        values = np.concatenate(self._values)
        perplexity = math.exp(float(values.mean(dtype=np.float64)))
        return Perplexity(len(values), perplexity, perplexity * _standard_error(values))


def _standard_error(values: Floats) -> float:
    if len(values) < 2:
        return 0.0
    return float(values.std(dtype=np.float64)) / math.sqrt(len(values) - 1)
