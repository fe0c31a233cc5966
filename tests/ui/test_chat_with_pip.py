"""The chat with the real engine in a real child: answers, stop, and `kill -9` in mid-answer."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from snug.paths import Paths
from snug.store import MessageRow, NewModel, Store, open_store
from snug.ui.chat import ChatModel
from snug.ui.children import Children

ANSWER_MS = 120_000
KILLS = 20 if os.environ.get("SNUG_FULL_TESTS") == "1" else 5


class Talk:
    """A chat with Pip, and what a test does with it."""

    def __init__(self, store: Store, children: Children, bot: QtBot) -> None:
        self.store = store
        self.chat = ChatModel(store, partial(children.make_sized, "chat"), lambda: None, datetime.now)
        self.bot = bot

    def wait_for_answer(self) -> MessageRow:
        self.bot.waitUntil(lambda: not self.chat.composer.isAnswering, timeout=ANSWER_MS)
        return self.messages()[-1]

    def wait_for_text(self) -> None:
        """Until the first words are there, or the answer is over."""
        composer = self.chat.composer
        self.bot.waitUntil(lambda: composer._reply is None or composer._reply.has_text, timeout=ANSWER_MS)

    def messages(self) -> list[MessageRow]:
        return self.store.chats.messages(self.chat.conversation.chatId, limit=1000)

    def kill_engine(self) -> None:
        child = self.chat._engine._child
        assert child is not None
        os.kill(child.pid, signal.SIGKILL)


@pytest.fixture
def talk(home: Path, qapp: QGuiApplication, qtbot: QtBot) -> Iterator[Talk]:
    store, _ = open_store(Paths(home))
    children = Children(home / "logs")
    talk = Talk(store, children, qtbot)
    yield talk
    talk.chat.close()
    children.kill_all()
    store.close()


def make_wordy(talk: Talk, home: Path) -> None:
    """Pip as a model of the person's own and with great variety: it does not find an end."""
    pip = talk.store.models.all()[0]
    path = home / "wordy.gguf"
    shutil.copy(pip.path, path)
    model = talk.store.models.add(NewModel(name="Wordy", path=str(path), facts=pip.facts))
    talk.store.settings.set("chat.temperature", 2.0)
    talk.store.settings.set("chat.top_p", 1.0)
    talk.chat.newChatWith(model.id)


def test_pip_answers_the_first_examples_without_a_network(talk: Talk) -> None:
    for question, word in (
        ("What is Snug?", "language models"),
        ("What is the capital of France?", "Paris"),
        ("Where do I get a bigger model?", "Discover"),
    ):
        assert talk.chat.composer.send(question)
        reply = talk.wait_for_answer()
        assert reply.state == "done"
        assert word in reply.text
        assert reply.tokens > 0
    assert "words a second" in talk.chat.conversation.rows.rows[-1].note
    assert talk.chat.composer.shareUsed > 0


def test_a_message_that_is_too_long_does_not_end_the_conversation(talk: Talk) -> None:
    talk.chat.composer.send("word " * 5000)
    reply = talk.wait_for_answer()
    assert reply.state == "failed"
    assert "too long" in talk.chat.conversation.problems[reply.id].title
    talk.chat.composer.send("What is the capital of France?")
    reply = talk.wait_for_answer()
    assert (reply.state, "Paris" in reply.text) == ("done", True)


def test_stop_ends_a_long_answer_and_keeps_the_model(talk: Talk, home: Path) -> None:
    make_wordy(talk, home)
    talk.chat.composer.send("Tell me everything")
    talk.wait_for_text()
    talk.chat.composer.stop()
    reply = talk.wait_for_answer()
    assert reply.state in ("stopped", "done")
    pid = talk.chat._engine._child.pid  # type: ignore[union-attr]
    talk.chat.composer.send("What is the capital of France?")
    talk.wait_for_text()
    assert talk.chat._engine._child.pid == pid  # type: ignore[union-attr]


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_a_killed_engine_loses_no_message_and_the_next_answer_works(talk: Talk, home: Path) -> None:
    make_wordy(talk, home)
    kills = 0
    asked: list[str] = []
    while kills < KILLS:
        asked.append(f"Question {len(asked)}")
        assert talk.chat.composer.send(asked[-1])
        talk.wait_for_text()
        if not talk.chat.composer.isAnswering:
            continue
        talk.kill_engine()
        reply = talk.wait_for_answer()
        if reply.state == "done":
            continue
        kills += 1
        assert reply.state == "interrupted"
        assert reply.text
        assert [row.kind for row in talk.chat.conversation.rows.rows][-2:] == ["problem", "actions"]
        talk.chat.composer.answerAgain(reply.id)
        talk.wait_for_text()
        talk.chat.composer.stop()
        again = talk.wait_for_answer()
        assert again.state in ("stopped", "done")
        assert again.text
        assert [message.text for message in talk.messages() if message.role == "user"] == asked
