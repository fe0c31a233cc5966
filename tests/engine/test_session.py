"""Talking with Pip inside the engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from snug.core.errors import UserError
from snug.engine.model import LoadedModel, LoadSettings, load_model
from snug.engine.sampling import SamplingSettings
from snug.engine.session import Listener, Result, Session, Started
from snug.engine.template import Turn

GREEDY = SamplingSettings(temperature=0, max_tokens=200)
QUESTIONS = Path(__file__).parents[1] / "data" / "pip_questions.jsonl"


class Heard:
    """What a generation said."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.started: list[Started] = []
        self.parts: list[str] = []
        self.reading: list[tuple[int, int]] = []
        self.listener = Listener(
            on_start=self.started.append,
            on_reading=lambda done, total: self.reading.append((done, total)),
            on_text=self.parts.append,
            is_cancelled=lambda: stop_after is not None and len(self.parts) >= stop_after,
        )

    @property
    def text(self) -> str:
        return "".join(self.parts)


def ask(session: Session, turns: list[Turn], settings: SamplingSettings = GREEDY) -> tuple[Heard, Result]:
    heard = Heard()
    result = session.generate(turns, settings, heard.listener)
    return heard, result


def user(text: str) -> Turn:
    return Turn("user", text)


def test_pip_answers_questions_that_it_never_saw(session: Session) -> None:
    rows = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    right = sum(row["answer"].casefold() in ask(session, [user(row["question"])])[0].text.casefold() for row in rows)
    assert right / len(rows) >= 0.85


def test_a_second_turn_reads_only_what_is_new(session: Session) -> None:
    first, first_result = ask(session, [user("What is the capital of Japan?")])
    turns = [user("What is the capital of Japan?"), Turn("assistant", first.text), user("And Italy?")]
    second, second_result = ask(session, turns)
    started = second.started[0]
    assert started.reused_tokens >= first_result.prompt_tokens + first_result.tokens
    assert started.prompt_tokens - started.reused_tokens < 20
    assert second.text == "The capital of Italy is Rome."
    assert second_result.prompt_tokens == started.prompt_tokens


def test_reuse_does_not_change_a_greedy_answer(session: Session) -> None:
    questions = ("Hi, I am Anna.", "What is the capital of Japan?", "And Italy?", "Tell me a joke.", "Thanks!")
    turns: list[Turn] = []
    with_reuse = []
    for question in questions:
        turns.append(user(question))
        with_reuse.append(ask(session, turns)[0].text)
        turns.append(Turn("assistant", with_reuse[-1]))
    without = []
    for index in range(len(questions)):
        session.forget()
        heard, _ = ask(session, turns[: 2 * index + 1])
        assert heard.started[0].reused_tokens == 0
        without.append(heard.text)
    assert with_reuse == without


def test_an_edited_question_is_answered_as_if_it_had_stood_there_from_the_start(session: Session) -> None:
    turns = [user("What is the capital of Japan?"), Turn("assistant", "The capital of Japan is Tokyo.")]
    ask(session, [*turns, user("What is 2 plus 2?")])
    edited, _ = ask(session, [*turns, user("What is 9 times 8?")])
    session.forget()
    fresh, _ = ask(session, [*turns, user("What is 9 times 8?")])
    assert edited.started[0].reused_tokens > 20
    assert edited.text == fresh.text


def test_the_same_question_again_reads_one_token(session: Session) -> None:
    first, _ = ask(session, [user("What is 7 plus 5?")])
    again, _ = ask(session, [user("What is 7 plus 5?")])
    assert again.started[0].prompt_tokens - again.started[0].reused_tokens == 1
    assert again.text == first.text


def test_a_stop_word_ends_the_answer_before_it(session: Session) -> None:
    settings = SamplingSettings(temperature=0, max_tokens=100, stop=("France",))
    heard, result = ask(session, [user("What is the capital of France?")], settings)
    assert heard.text == "The capital of "
    assert result.reason == "stop_word"


def test_the_longest_answer_is_as_long_as_was_asked(session: Session) -> None:
    _, result = ask(session, [user("Tell me a story.")], SamplingSettings(temperature=0, max_tokens=5))
    assert (result.reason, result.tokens) == ("max_tokens", 5)


def test_a_stop_keeps_what_was_written_and_the_next_answer_is_right(session: Session) -> None:
    heard = Heard(stop_after=3)
    result = session.generate([user("Tell me a story.")], GREEDY, heard.listener)
    assert result.reason == "stopped"
    assert heard.text
    assert ask(session, [user("What is the capital of France?")])[0].text == "The capital of France is Paris."


def test_an_abort_from_another_thread_stops_the_reading_of_a_prompt(session: Session, pip_model: LoadedModel) -> None:
    pip_model.abort.set()
    try:
        heard, result = ask(session, [user("What is the capital of France?")])
    finally:
        pip_model.abort.clear()
    assert (result.reason, heard.text) == ("stopped", "")
    assert ask(session, [user("What is the capital of France?")])[0].text == "The capital of France is Paris."


def test_a_long_conversation_leaves_out_its_oldest_messages_and_says_how_many(session: Session) -> None:
    turns = [Turn("user" if n % 2 == 0 else "assistant", f"This is message {n}. " * 12) for n in range(40)]
    heard, result = ask(session, [*turns, user("What is the capital of France?")])
    assert heard.started[0].left_out > 0
    assert heard.started[0].prompt_tokens <= 1024
    assert result.context_used <= 1024


def test_a_message_longer_than_the_context_is_refused_in_words(session: Session) -> None:
    with pytest.raises(UserError, match="too long by about"):
        ask(session, [user("word " * 5000)])
    assert ask(session, [user("What is the capital of France?")])[0].text == "The capital of France is Paris."


def test_an_answer_ends_where_the_context_is_full(pip_path: str) -> None:
    model = load_model(LoadSettings(path=pip_path, context=256, threads=1))
    try:
        settings = SamplingSettings(temperature=2.0, seed=4, max_tokens=100_000, top_k=0, top_p=1, min_p=0)
        results = [ask(Session(model), [user("word " * 100)], settings)[1] for _ in range(8)]
    finally:
        model.close()
    assert all(result.context_used <= 256 for result in results)
    assert "context_full" in {result.reason for result in results}


def test_wild_sampling_never_gives_broken_text(session: Session) -> None:
    for seed in range(5):
        settings = SamplingSettings(temperature=5.0, seed=seed, max_tokens=200, top_k=0, top_p=1, min_p=0)
        heard, _ = ask(session, [user("Tell me a story.")], settings)
        heard.text.encode("utf-8")


def test_a_seed_makes_an_answer_repeatable(session: Session) -> None:
    settings = SamplingSettings(temperature=1.0, seed=42, max_tokens=60)
    texts = set()
    for _ in range(3):
        session.forget()
        texts.add(ask(session, [user("Tell me a story.")], settings)[0].text)
    assert len(texts) == 1


def test_a_long_prompt_is_read_in_steps_that_are_told(pip_path: str) -> None:
    model = load_model(LoadSettings(path=pip_path, context=1024, threads=1, batch=32))
    try:
        heard, _ = ask(Session(model), [user("word " * 100)])
    finally:
        model.close()
    assert len(heard.reading) > 2
    assert heard.reading[-1][0] == heard.reading[-1][1]


def test_nothing_to_answer_is_an_error_in_words(session: Session) -> None:
    with pytest.raises(UserError) as error:
        ask(session, [Turn("system", "Be kind.")])
    assert error.value.kind == "empty"
