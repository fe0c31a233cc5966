"""How many of a list of questions a model answers right: a JSON object a line, with "question", "answer" and "kind"."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from snug.core.errors import UserError
from snug.engine.model import LoadSettings, load_model
from snug.engine.sampling import SamplingSettings
from snug.engine.session import Listener, Session
from snug.engine.template import Turn

MOST_QUESTIONS = 10_000
_ANSWER_TOKENS = 160
_CONTEXT = 1024
_FIGURE = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Question:
    """A question, what a right answer contains, and its kind for the summary."""

    question: str
    answer: str
    kind: str = ""


@dataclass(slots=True)
class Score:
    """Right answers of all, and of each kind as (right, asked)."""

    right: int = 0
    asked: int = 0
    by_kind: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, kind: str, is_right: bool) -> None:
        right, asked = self.by_kind.get(kind, (0, 0))
        self.by_kind[kind] = (right + is_right, asked + 1)
        self.right += is_right
        self.asked += 1


def read_questions(text: str) -> list[Question]:
    """The questions in a JSONL text. Raises UserError with the number of the first line that is none."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            found.append(Question(str(entry["question"]), str(entry["answer"]), str(entry.get("kind", ""))))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise UserError(
                f"Line {number} of the questions is no question with an answer.",
                'Write one a line: {"question": "…", "answer": "…"}.',
                kind="bad-questions",
                bad_input=True,
            ) from None
    if not 1 <= len(found) <= MOST_QUESTIONS:
        raise UserError(
            f"The list holds {len(found)} questions.", f"Give 1 to {MOST_QUESTIONS}.", "bad-questions", bad_input=True
        )
    return found


def is_right(reply: str, answer: str) -> bool:
    """Whether a reply contains the answer, as whole figures where it is a number, in any case of letters."""
    if _FIGURE.search(answer):
        return re.search(rf"(?<![\d.]){re.escape(answer)}(?!\d)", reply) is not None
    return answer.casefold() in reply.casefold()


def ask(
    model: Path,
    questions: Sequence[Question],
    *,
    threads: int = 0,
    on_question: Callable[[int, int], None] = lambda done, total: None,
) -> Score:
    """Put each question to the model in a chat of its own; it writes its likeliest words. Raises UserError."""
    loaded = load_model(LoadSettings(path=str(model), context=_CONTEXT, threads=threads))
    settings = SamplingSettings(temperature=0.0, max_tokens=_ANSWER_TOKENS)
    score = Score()
    try:
        session = Session(loaded)
        for number, question in enumerate(questions):
            on_question(number, len(questions))
            parts: list[str] = []
            session.generate([Turn("user", question.question)], settings, Listener(on_text=parts.append))
            score.add(question.kind, is_right("".join(parts), question.answer))
    finally:
        loaded.close()
    return score
