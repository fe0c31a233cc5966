"""Questions: what counts as right, and what is no list of questions."""

from __future__ import annotations

import pytest

from snug.core.errors import UserError
from snug.measure.questions import Question, ask, is_right, read_questions
from tests.measure.make_figures import PIP


@pytest.mark.parametrize(
    ("reply", "answer", "right"),
    [
        ("The capital of Indonesia is Jakarta.", "jakarta", True),
        ("It is Bandung.", "Jakarta", False),
        ("7 times 6 is 42.", "42", True),
        ("It is 142.", "42", False),
        ("It is 4.42 or 420.", "42", False),
    ],
)
def test_a_reply_is_right_where_it_holds_the_answer(reply: str, answer: str, right: bool) -> None:
    assert is_right(reply, answer) is right


def test_questions_are_read_one_a_line() -> None:
    text = '{"question": "What is 2 plus 2?", "answer": "4", "kind": "sum"}\n\n{"question": "Who?", "answer": "me"}\n'
    assert read_questions(text) == [Question("What is 2 plus 2?", "4", "sum"), Question("Who?", "me")]


@pytest.mark.parametrize("text", ["", "no json", '["a"]', '{"question": "x"}', "[" * 5000, "null"])
def test_what_is_no_list_of_questions_is_told_in_words(text: str) -> None:
    with pytest.raises(UserError) as told:
        read_questions(text)
    assert told.value.kind == "bad-questions"


def test_pip_knows_capitals_and_not_the_future() -> None:
    asked = [Question("What is the capital of France?", "Paris", "capital"), Question("Who wins?", "Zebra", "future")]
    score = ask(PIP, asked)
    assert (score.right, score.asked) == (1, 2)
    assert score.by_kind == {"capital": (1, 1), "future": (0, 1)}
