"""`snug chat` and Snug without a display."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from snug.paths import Paths
from snug.store import InstanceLock, open_store

Snug = Callable[..., Any]


def kept_chats(home: Path) -> list[list[tuple[str, str, str]]]:
    store, _ = open_store(Paths(home), now=lambda: datetime.now(UTC), read_only=True)
    try:
        return [
            [(row.role, row.text, row.state) for row in store.chats.messages(chat.id)] for chat in store.chats.list()
        ]
    finally:
        store.close()


def test_one_question_gets_its_answer_and_nothing_else(snug: Snug, home: Path) -> None:
    ran = snug("chat", "pip", "-p", "What is the capital of France?", "--temperature", "0")
    assert (ran.code, ran.out, ran.err) == (0, "The capital of France is Paris.\n", "")
    assert not (home / "snug.db").exists()


def test_the_document_of_an_answer_has_its_figures(snug: Snug) -> None:
    answer = snug("chat", "pip", "-p", "What is 7 plus 5?", "--temperature", "0", "--json").document
    assert answer["answer"] == "7 plus 5 is 12."
    assert answer["reason"] == "end"
    assert answer["tokens"] > 3
    assert answer["memory"]["weights"] > 7_000_000


def test_a_question_can_come_through_a_pipe(snug: Snug) -> None:
    ran = snug("chat", "pip", "-p", "-", "--temperature", "0", typed="What is 7 plus 5?\n")
    assert ran.out == "7 plus 5 is 12.\n"


def test_a_conversation_is_kept_like_one_in_the_window(snug: Snug, home: Path) -> None:
    ran = snug("chat", "pip", "--temperature", "0", typed="What is the capital of Japan?\nAnd Italy?\n/quit\n")
    assert ran.code == 0
    assert "The capital of Italy is Rome." in ran.out
    assert kept_chats(home) == [
        [
            ("user", "What is the capital of Japan?", "done"),
            ("assistant", "The capital of Japan is Tokyo.", "done"),
            ("user", "And Italy?", "done"),
            ("assistant", "The capital of Italy is Rome.", "done"),
        ]
    ]


def test_one_question_is_kept_where_that_is_asked_for(snug: Snug, home: Path) -> None:
    assert snug("chat", "pip", "-p", "Hello", "--save").code == 0
    assert len(kept_chats(home)) == 1


def test_a_conversation_is_not_kept_where_that_is_asked_for(snug: Snug, home: Path) -> None:
    assert snug("chat", "pip", "--no-save", typed="Hello\n").code == 0
    assert not (home / "snug.db").exists()


@pytest.mark.parametrize(("option", "code"), [((), 0), (("--save",), 1)])
def test_while_the_window_is_open_a_chat_works_but_is_not_kept(
    snug: Snug, home: Path, option: tuple[str, ...], code: int
) -> None:
    home.mkdir()
    lock = InstanceLock(Paths(home))
    assert lock.acquire()
    try:
        ran = snug("chat", "pip", *option, typed="Hello\n")
    finally:
        lock.release()
    assert ran.code == code
    assert "Snug is" in ran.err


def test_a_message_that_is_too_long_does_not_end_the_conversation(snug: Snug) -> None:
    ran = snug("chat", "pip", "--no-save", "--temperature", "0", typed="word " * 4000 + "\nWhat is 7 plus 5?\n")
    assert "too long by about" in ran.out
    assert "7 plus 5 is 12." in ran.out


def test_a_model_file_can_be_named_by_its_path(snug: Snug) -> None:
    path = Path(__file__).parents[2] / "resources" / "models" / "pip" / "pip-7m-Q8_0.gguf"
    ran = snug("chat", str(path), "-p", "What is 7 plus 5?", "--temperature", "0")
    assert (ran.code, ran.out) == (0, "7 plus 5 is 12.\n")


def test_without_a_display_snug_says_so_and_does_its_main_job(snug: Snug) -> None:
    ran = snug(typed="What is 7 plus 5?\n")
    assert ran.code == 0
    assert ran.out.startswith("There is no display here")
    assert ran.out.count("snug get ") == 3
    assert "I am Pip" in ran.out
    assert "7 plus 5 is 12." in ran.out
