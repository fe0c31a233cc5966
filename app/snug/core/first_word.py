"""How long a person waits for the first word of an answer: the prompt is read first, then one token is written."""

from __future__ import annotations

from dataclasses import dataclass

from snug.core.fit import Fit, SpeedRange, Verdict
from snug.core.speed import DOCUMENT_PAGES, PAGE_TOKENS
from snug.core.words import duration_text


@dataclass(frozen=True, slots=True)
class FirstWord:
    """The wait, in seconds, after a prompt of so many pages."""

    pages: int
    low: float
    mid: float
    high: float


def first_words(answer: Fit) -> tuple[FirstWord, ...]:
    """For a page, and for a document of ten where the conversation holds that many; empty where nothing can be said."""
    if answer.verdict is Verdict.TOO_BIG or answer.speed is None:
        return ()
    found = []
    for pages, reading in ((1, answer.prefill), (DOCUMENT_PAGES, answer.document_prefill)):
        if reading is not None and reading.low > 0 and answer.context > pages * PAGE_TOKENS:
            found.append(_wait(pages, reading, answer.speed))
    return tuple(found)


def first_word_text(answer: Fit) -> str:
    """In words: "first word after about 2 seconds for a page, about 20 seconds for a 10-page document"."""
    parts = [f"{duration_text(wait.mid)} for {_prompt(wait.pages)}" for wait in first_words(answer)]
    return f"first word after {', '.join(parts)}" if parts else ""


def _wait(pages: int, reading: SpeedRange, writing: SpeedRange) -> FirstWord:
    tokens = pages * PAGE_TOKENS
    low, mid, high = (tokens / read + 1 / write for read, write in (
        (reading.high, writing.high), (reading.mid, writing.mid), (reading.low, writing.low)))  # fmt: skip
    return FirstWord(pages, low, mid, high)


def _prompt(pages: int) -> str:
    return "a page" if pages == 1 else f"a {pages}-page document"
