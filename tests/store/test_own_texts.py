"""The person's own conversations as a text to learn from."""

from __future__ import annotations

import json
import stat
import sys

import pytest

from snug.core.errors import UserError
from snug.paths import Paths
from snug.store import open_store
from snug.store.own_texts import write_conversations


@pytest.fixture
def store(home):
    store, _ = open_store(Paths(home))
    yield store
    store.close()


def test_each_conversation_is_a_line_that_only_this_person_can_read(store, tmp_path):
    for text in ("What is a fox?", "Über die Füchse\nim Wald"):
        chat = store.chats.create(None)
        store.chats.add_user_message(chat, text)
        reply = store.chats.begin_reply(chat, "Pip")
        store.chats.save_reply(reply.id, f"An answer to: {text}", state="done")
    path = write_conversations(store, tmp_path / "cache")
    talks = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [[turn["role"] for turn in talk] for talk in talks] == [["user", "assistant"]] * 2
    assert {talk[0]["text"] for talk in talks} == {"What is a fox?", "Über die Füchse\nim Wald"}
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_without_conversations_there_is_a_sentence_and_no_file(store, tmp_path):
    with pytest.raises(UserError) as caught:
        write_conversations(store, tmp_path / "cache")
    assert "no conversations" in caught.value.title
    assert not (tmp_path / "cache").exists()
