"""A quick figure of how well the new file predicts text, and a test chat."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from snug.convert.checks.report import Check
from snug.core.errors import UserError
from snug.engine.model import LoadSettings, load_model
from snug.engine.sampling import SamplingSettings
from snug.engine.session import Listener, Result, Session
from snug.engine.template import Turn
from snug.engine.text_reader import TextReader
from snug.measure.divergence import Divergence, DivergenceSum, Perplexity, PerplexitySum, log_probabilities

QUALITY, CHAT = "quality", "chat"
CHUNK = 256
_FIRST = CHUNK // 2
MOST_CHUNKS = 12
LONGEST_S = 30.0
"""The reading ends after so many seconds, with what was read until then."""
MOST_ANSWER_TOKENS = 160
LONGEST_ANSWER_S = 60.0
GUESSING = 10.0
"""A perplexity of so many times the vocabulary's size is that of a model which says nonsense: chance has 1, and a tiny
model reading languages that it never saw has 2."""
WORST_DIVERGENCE = 2.0
"""Nats a token; Q2_K of small models has 0.3."""
OWN_TEXT = "Snug's own text"
QUESTION = "What is the capital of France? Answer in one short sentence."
FURTHER_QUESTION = "Tell me more about that city."
FEWEST_TOKENS = 16
"""A speed is told by so many written tokens at least, as chats do; after a shorter answer more is asked."""


@dataclass(frozen=True, slots=True)
class Quality:
    """`perplexity` on the text, 0 where it was not measured; `divergence` in nats a token and `same_of_thousand`
    against the original, -1 where that could not run."""

    check: Check
    perplexity: float = 0.0
    divergence: float = -1.0
    same_of_thousand: int = -1


def check_quality(
    result: Path,
    texts: Sequence[str],
    *,
    original: Path | None = None,
    is_own_text: bool = False,
    threads: int = 0,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Quality:
    """Read a little of the text with the new file and, where it is a GGUF that can run here, with the original.

    `is_own_text` says that the text is the person's own.
    """
    text = "\n\n".join(texts).strip()
    if not text:
        return Quality(Check(QUALITY, True, "There was no text to measure with.", is_done=False))
    sums, surprise = DivergenceSum(), PerplexitySum()
    with ExitStack() as opened:
        reader = opened.enter_context(TextReader(result, chunk=CHUNK, threads=threads))
        other: TextReader | None = None
        if original is not None:
            other = opened.enter_context(TextReader(original, chunk=CHUNK, threads=threads))
        chunks = reader.chunks(reader.tokenize(text))
        ends = time.monotonic() + LONGEST_S
        for number, chunk in enumerate(chunks[:: max(1, len(chunks) // MOST_CHUNKS)][:MOST_CHUNKS]):
            if is_cancelled() or (number and time.monotonic() > ends):
                break
            following = chunk[_FIRST + 1 :]
            own = log_probabilities(reader.logits(chunk, _FIRST)[:-1])
            surprise.add(own, following)
            if other is not None:
                sums.add(log_probabilities(other.logits(chunk, _FIRST)[:-1]), own, following)
        vocabulary = reader.vocabulary_size
    try:
        compared = None if original is None else sums.result()
        return _judge_quality(surprise.result(), compared, vocabulary, "your text" if is_own_text else OWN_TEXT)
    except ValueError:
        return Quality(Check(QUALITY, True, "The text is too short to measure with.", is_done=False))


def _judge_quality(own: Perplexity, compared: Divergence | None, vocabulary: int, text: str = OWN_TEXT) -> Quality:
    details = f"perplexity {own.perplexity:.4g} ± {own.perplexity_error:.2g} over {own.tokens} tokens"
    if compared is None:
        if not math.isfinite(own.perplexity) or own.perplexity > GUESSING * vocabulary:
            words = "The new file predicts text worse than chance: it is of no use. Please report this model."
            return Quality(Check(QUALITY, False, words, details))
        words = (
            f"It reads {text} as a language model should (perplexity {own.perplexity:.4g}, lower is better); "
            "the original was not run beside it."
        )
        return Quality(Check(QUALITY, True, words, details), own.perplexity)
    details += (
        f"; KL divergence {compared.kl_mean:.4g} ± {compared.kl_error:.2g}, same first choice {compared.same_top:.1%}, "
        f"the original's perplexity {compared.reference_perplexity:.4g}"
    )
    if not compared.kl_mean < WORST_DIVERGENCE or not compared.same_of_thousand:
        words = "The new file says something else than the original most of the time: it is of no use."
        is_number = math.isfinite(own.perplexity) and math.isfinite(compared.kl_mean)
        figures = (own.perplexity, compared.kl_mean) if is_number else ()
        return Quality(Check(QUALITY, False, words, details), *figures)
    words = f"Reading {text}, it chooses the same word as the original {compared.same_of_thousand} times of 1,000."
    return Quality(Check(QUALITY, True, words, details), own.perplexity, compared.kl_mean, compared.same_of_thousand)


@dataclass(frozen=True, slots=True)
class Chat:
    """The test chat: what was answered, and how fast."""

    check: Check
    answer: str = ""
    tokens_per_s: float = 0.0


def check_chat(result: Path, *, threads: int = 0, is_cancelled: Callable[[], bool] = lambda: False) -> Chat:
    """Ask one question. A model that is not made for chatting is not asked."""
    try:
        model = load_model(LoadSettings(str(result), context=512, threads=threads), is_cancelled=is_cancelled)
    except UserError as error:
        if error.kind == "not-a-chat-model":
            return Chat(Check(CHAT, True, "This model is not made for chatting, so it was not asked.", is_done=False))
        return Chat(Check(CHAT, False, f"The new file cannot be loaded: {error.title}", error.details))
    try:
        parts: list[str] = []
        settings = SamplingSettings(temperature=0.0, seed=1, max_tokens=MOST_ANSWER_TOKENS)
        ends = time.monotonic() + LONGEST_ANSWER_S
        listener = Listener(
            on_text=parts.append, is_cancelled=lambda: is_cancelled() or (bool(parts) and time.monotonic() > ends)
        )
        session = Session(model)
        done = session.generate([Turn("user", QUESTION)], settings, listener)
        answer = "".join(parts).strip()
        rate = _rate(session, done, answer, listener)
    except UserError as error:
        return Chat(Check(CHAT, False, f"The test chat failed: {error.title}", error.details))
    finally:
        model.close()
    details = f"{done.tokens} tokens, {done.tokens_per_s:.1f} tokens/s, ended by {done.reason!r}: {answer[:400]!r}"
    reason = "length" if done.reason == "stopped" and not is_cancelled() else done.reason
    return Chat(_judge_chat(answer, reason, details), answer, rate)


def _rate(session: Session, done: Result, answer: str, listener: Listener) -> float:
    """Tokens a second of the answer; of a further one where it was short; 0 where nothing is long enough."""
    if done.tokens < FEWEST_TOKENS and answer and done.reason != "stopped":
        turns = [Turn("user", QUESTION), Turn("assistant", answer), Turn("user", FURTHER_QUESTION)]
        settings = SamplingSettings(temperature=0.0, seed=1, max_tokens=4 * FEWEST_TOKENS)
        done = session.generate(turns, settings, listener)
    return done.tokens_per_s if done.tokens >= FEWEST_TOKENS else 0.0


def _judge_chat(answer: str, reason: str, details: str) -> Check:
    if reason == "stopped":
        return Check(CHAT, True, "The test chat was stopped.", details, is_done=False)
    if not answer:
        return Check(CHAT, False, "Asked a simple question, the new file answers nothing.", details)
    if "\ufffd" in answer or repeats(answer):
        return Check(CHAT, False, "Asked a simple question, the new file answers nonsense over and over.", details)
    if reason == "length":
        words = "Asked a simple question, it answers; the test ended before the answer did."
        return Check(CHAT, True, words, details)
    return Check(CHAT, True, "Asked a simple question, it answers and comes to an end.", details)


def repeats(text: str, times: int = 8, longest: int = 40) -> bool:
    """Whether a text ends in the same few characters again and again."""
    for size in range(1, longest + 1):
        piece = text[-size:]
        if piece.strip() and len(text) >= size * times and text.endswith(piece * times):
            return True
    return False
