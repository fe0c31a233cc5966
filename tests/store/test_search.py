"""Search finds words in titles and messages, whatever state its index is in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from snug.paths import Paths
from snug.store import Store


def told(store: Store, *texts: str) -> int:
    chat = store.chats.create(None)
    for text in texts:
        store.chats.add_user_message(chat, text)
    return chat


@pytest.fixture
def chats(store: Store) -> dict[str, int]:
    return {
        "sky": told(store, "Why is the sky blue?", "And the sea at Übersee?"),
        "code": told(store, "Fix def main(): print('100%_done')", "snake_case names"),
        "chinese": told(store, "请解释一下模型量化是什么"),
    }


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("sky", ["sky"]),
        ("SKY blu", ["sky"]),
        ("sea", ["sky"]),
        ("ubersee", ["sky"]),
        ("is", ["sky"]),
        ("100%_done", ["code"]),
        ("snake_case", ["code"]),
        ("量化", ["chinese"]),
        ("sky code", []),
        ("zebra", []),
        ('"', []),
        ("* OR (", []),
        ("%", ["code"]),
        ("_", ["code"]),
        ("  ", ["chinese", "code", "sky"]),
        ("\0sky", ["sky"]),
    ],
)
def test_words_find_the_chats_that_hold_them(store: Store, chats: dict[str, int], words: str, found: list[str]) -> None:
    assert [row.id for row in store.chats.list(words)] == [chats[name] for name in found]


def test_a_given_title_is_found(store: Store, chats: dict[str, int]) -> None:
    store.chats.rename(chats["sky"], "Ärger im Paradies")
    assert [row.id for row in store.chats.list("ärger")] == [chats["sky"]]


def test_an_answer_that_is_not_shown_any_more_is_not_found(store: Store) -> None:
    chat = told(store, "first wording")
    (message,) = store.chats.messages(chat)
    store.chats.edit_user_message(message.id, "second")
    store.chats.rename(chat, "Title")
    assert store.chats.list("wording") == []
    assert len(store.chats.list("second")) == 1


def test_messages_that_wait_for_the_index_are_found_too(store: Store, chats: dict[str, int]) -> None:
    store.database.raw.execute("INSERT INTO search_pending SELECT id FROM messages WHERE 0")
    with store.database.read() as connection:
        waiting = connection.exec_driver_sql("SELECT count(*) FROM search_pending").scalar()
    assert waiting == 5
    store.chats.index_some()
    with store.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM search_pending").scalar() == 0
    assert [row.id for row in store.chats.list("blue")] == [chats["sky"]]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE message_search_1_data SET block = zeroblob(30)",
        "UPDATE message_search_1_data SET block = randomblob(200)",
        "DELETE FROM message_search_1_data",
        "DELETE FROM message_search_1_idx",
        "DELETE FROM message_search_1_docsize",
        "DROP TABLE message_search_1_data",
        "DELETE FROM message_search_1_config",
    ],
)
def test_a_damaged_index_never_keeps_a_message_from_being_saved(
    opened: Callable[[], Store], paths: Paths, damage: str
) -> None:
    store = opened()
    sky = told(store, "Why is the sky blue?")
    store.chats.index_some()
    store.database.raw.execute("PRAGMA writable_schema=ON")
    store.database.raw.execute(damage)
    store = opened()

    more = told(store, "The sky is blue because of the light.")
    store.chats.index_some()
    store.chats.index_some()

    assert {row.id for row in store.chats.list("sky")} == {sky, more}
    assert {row.id for row in opened().chats.list("sky")} == {sky, more}
