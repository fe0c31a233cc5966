"""Measures a model on a text: alone, or against the one it was made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from snug.core.errors import UserError
from snug.engine.text_reader import TextReader, Tokens
from snug.measure.divergence import Divergence, DivergenceSum, Perplexity, PerplexitySum, log_probabilities

CONTEXT = 512
Progress = Callable[[int, int], None]


def measure_perplexity(
    model: Path, text: str, *, chunk: int = CONTEXT, most_tokens: int = 0, threads: int = 0,
    on_chunk: Progress = lambda done, total: None,
) -> Perplexity:  # fmt: skip
    """The perplexity that llama-perplexity gives with the same context. Raises UserError."""
    with TextReader(model, chunk=chunk, threads=threads) as reader:
        chunks = _chunks(reader, text, most_tokens)
        total = PerplexitySum()
        for number, tokens in enumerate(chunks):
            on_chunk(number, len(chunks))
            first = chunk // 2
            total.add(log_probabilities(reader.logits(tokens, first)[:-1]), tokens[first + 1 :])
    return total.result()


def measure_divergence(
    model: Path, reference: Path, text: str, *, chunk: int = CONTEXT, most_tokens: int = 0, threads: int = 0,
    on_chunk: Progress = lambda done, total: None,
) -> Divergence:  # fmt: skip
    """How far `model` is from `reference`; both are open at once, their weights mapped from the files.

    Raises UserError where either cannot be read or they do not cut text into the same tokens.
    """
    with TextReader(reference, chunk=chunk, threads=threads) as original:
        chunks = _chunks(original, text, most_tokens)
        with TextReader(model, chunk=chunk, threads=threads) as candidate:
            _check_same_tokens(original, candidate, text)
            total = DivergenceSum()
            first = chunk // 2
            for number, tokens in enumerate(chunks):
                on_chunk(number, len(chunks))
                total.add(
                    log_probabilities(original.logits(tokens, first)[:-1]),
                    log_probabilities(candidate.logits(tokens, first)[:-1]),
                    tokens[first + 1 :],
                )
    return total.result()


def _chunks(reader: TextReader, text: str, most_tokens: int) -> Sequence[Tokens]:
    chunks = reader.chunks(reader.tokenize(text), -(-most_tokens // reader.chunk))
    if not chunks:
        raise UserError(
            "The text is too short to measure with.",
            f"Give at least {reader.chunk} words of it.",
            kind="too-little-text",
            bad_input=True,
        )
    return chunks


def _check_same_tokens(original: TextReader, candidate: TextReader, text: str) -> None:
    sample = text[:20_000]
    same_size = original.vocabulary_size == candidate.vocabulary_size
    if not same_size or original.tokenize(sample).tolist() != candidate.tokenize(sample).tolist():
        raise UserError(
            "These two models cut text into different tokens, so they cannot be compared word by word.",
            "Compare a model with the original that it was made from.",
            kind="not-comparable",
            bad_input=True,
        )
