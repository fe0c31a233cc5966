"""Conversations: what is shown, what stays as an alternative, and what the bin keeps."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snug.core.errors import UserError
from snug.store import MessageRow, Store
from snug.store.chats import title_from


def answered(store: Store, question: str, answer: str, chat: int | None = None) -> tuple[int, MessageRow, MessageRow]:
    chat = store.chats.create(None) if chat is None else chat
    asked = store.chats.add_user_message(chat, question)
    reply = store.chats.begin_reply(chat, "Pip")
    store.chats.save_reply(reply.id, answer, state="done", tokens=7, tokens_per_s=30.5, first_token_s=0.2)
    return chat, asked, reply


def texts(store: Store, chat: int) -> list[str]:
    return [message.text for message in store.chats.messages(chat)]


def test_a_conversation_is_there_after_a_restart(opened: Callable[[], Store]) -> None:
    chat, _, reply = answered(opened(), "Why is the sky blue?", "Because of the light.")
    store = opened()
    assert texts(store, chat) == ["Why is the sky blue?", "Because of the light."]
    (row,) = store.chats.list()
    assert (row.title, row.message_count) == ("Why is the sky blue?", 2)
    message = store.chats.messages(chat)[1]
    assert (message.id, message.state, message.tokens, message.tokens_per_s) == (reply.id, "done", 7, 30.5)


def test_what_was_being_written_is_interrupted_after_a_restart(opened: Callable[[], Store]) -> None:
    store = opened()
    chat = store.chats.create(None)
    store.chats.add_user_message(chat, "Tell me a story")
    reply = store.chats.begin_reply(chat, "Pip")
    store.chats.save_reply(reply.id, "Once upon a")

    last = opened().chats.messages(chat)[-1]

    assert (last.text, last.state) == ("Once upon a", "interrupted")


def test_a_new_answer_keeps_the_old_one_as_an_alternative(store: Store) -> None:
    chat, _, first = answered(store, "Hi", "Hello")
    second = store.chats.regenerate(first.id, "Pip")
    store.chats.save_reply(second.id, "Good day", state="done")
    assert texts(store, chat) == ["Hi", "Good day"]
    shown = store.chats.messages(chat)[1]
    assert (shown.alternatives, shown.alternative) == (2, 1)

    store.chats.choose_alternative(second.id, 0)

    assert texts(store, chat) == ["Hi", "Hello"]


def test_an_edited_question_keeps_everything_that_followed_the_old_one(store: Store) -> None:
    chat, asked, _ = answered(store, "one", "first answer")
    answered(store, "two", "second answer", chat)

    edited = store.chats.edit_user_message(asked.id, "one, changed")

    assert texts(store, chat) == ["one, changed"]
    answered(store, "three", "third answer", chat)
    store.chats.choose_alternative(edited.id, 0)
    assert texts(store, chat) == ["one", "first answer", "two", "second answer"]
    store.chats.choose_alternative(asked.id, 1)
    assert texts(store, chat) == ["one, changed", "three", "third answer"]


def test_a_choice_further_up_brings_back_the_choices_further_down(store: Store) -> None:
    chat, asked, _ = answered(store, "one", "a")
    _, _, reply = answered(store, "two", "b", chat)
    again = store.chats.regenerate(reply.id, "Pip")
    store.chats.save_reply(again.id, "b2", state="done")
    store.chats.choose_alternative(again.id, 0)
    edited = store.chats.edit_user_message(asked.id, "one again")

    store.chats.choose_alternative(edited.id, 0)

    assert texts(store, chat) == ["one", "a", "two", "b"]


def test_an_answer_to_an_unanswered_question_can_be_had_again(store: Store) -> None:
    chat = store.chats.create(None)
    asked = store.chats.add_user_message(chat, "Hi")
    reply = store.chats.regenerate(asked.id, "Pip")
    store.chats.save_reply(reply.id, "Hello", state="done")
    assert texts(store, chat) == ["Hi", "Hello"]


def test_a_version_that_is_not_there_is_refused(store: Store) -> None:
    _, asked, _ = answered(store, "Hi", "Hello")
    with pytest.raises(UserError):
        store.chats.choose_alternative(asked.id, 1)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(("say", "again", "edit", "choose")), st.integers(0, 9)), max_size=12))
def test_no_order_of_steps_loses_a_message(store: Store, steps: list[tuple[str, int]]) -> None:
    chat = store.chats.create(None)
    written: set[int] = set()
    for step, number in steps:
        shown = store.chats.messages(chat, limit=100)
        picked = shown[number % len(shown)] if shown else None
        if step == "say" or picked is None:
            written.add(store.chats.add_user_message(chat, f"say {number}").id)
        elif step == "again":
            written.add(store.chats.regenerate(picked.id, "Pip").id)
        elif step == "edit":
            written.add(store.chats.edit_user_message(picked.id, f"edit {number}").id)
        else:
            store.chats.choose_alternative(picked.id, number % picked.alternatives)
    shown = store.chats.messages(chat, limit=100)
    assert [message.id for message in shown] == sorted(message.id for message in shown)
    assert all(0 <= message.alternative < message.alternatives for message in shown)
    assert reachable(store, chat) == written


def reachable(store: Store, chat: int) -> set[int]:
    """Every message that some choice of alternatives shows."""
    found: set[int] = set()
    waiting = [(message.id, index) for message in store.chats.messages(chat) for index in range(message.alternatives)]
    seen: set[tuple[int, int]] = set()
    while waiting:
        place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        chosen = store.chats.choose_alternative(*place)
        for message in store.chats.messages(chat, limit=100):
            found.add(message.id)
            if message.id >= chosen.id:
                waiting += [(message.id, index) for index in range(message.alternatives)]
    return found


def test_pages_of_a_long_conversation_join_without_a_gap(store: Store) -> None:
    chat = store.chats.create(None)
    ids = [store.chats.add_user_message(chat, f"message {number}").id for number in range(23)]
    seen: list[int] = []
    before: int | None = None
    while page := store.chats.messages(chat, before=before, limit=5):
        seen = [message.id for message in page] + seen
        before = page[0].id
    assert seen == ids


def test_the_order_survives_a_clock_that_is_set_back(opened: Callable[[], Store], clock: Callable[..., object]) -> None:
    store = opened()
    older, _, _ = answered(store, "older", "x")
    clock.move(days=-400)  # type: ignore[attr-defined]
    newer, _, _ = answered(store, "newer", "x")
    assert [row.id for row in store.chats.list()] == [newer, older]
    store.chats.add_user_message(older, "again")
    assert [row.id for row in store.chats.list()] == [older, newer]
    assert texts(store, older) == ["older", "x", "again"]


def test_a_deleted_chat_waits_30_days_in_the_bin(store: Store, clock: Callable[..., object]) -> None:
    chat, _, _ = answered(store, "secret", "answer")
    store.chats.to_bin(chat)
    assert store.chats.list() == []
    assert store.chats.list("secret") == []
    assert [row.id for row in store.chats.binned()] == [chat]
    clock.move(days=29)  # type: ignore[attr-defined]
    assert store.chats.empty_expired() == 0
    store.chats.restore(chat)
    assert [row.id for row in store.chats.list()] == [chat]
    store.chats.to_bin(chat)
    clock.move(days=31)  # type: ignore[attr-defined]
    assert store.chats.empty_expired() == 1
    assert store.chats.get(chat) is None


def test_the_bin_is_emptied_at_a_start(opened: Callable[[], Store], clock: Callable[..., object]) -> None:
    store = opened()
    chat, _, _ = answered(store, "old", "answer")
    store.chats.to_bin(chat)
    clock.move(days=31)  # type: ignore[attr-defined]
    assert opened().chats.binned() == []


def test_nothing_of_a_chat_deleted_for_good_is_left_in_the_file(opened: Callable[[], Store], paths: object) -> None:
    store = opened()
    chat, _, _ = answered(store, "xylophone " * 50, "zweckverband " * 50)
    store.chats.index_some()
    store.chats.delete_for_good(chat)
    store.chats.index_some()
    store.close()
    content = paths.database.read_bytes()  # type: ignore[attr-defined]
    assert b"xylophone" not in content
    assert b"zweckverband" not in content


def test_a_chat_with_10000_messages_can_be_deleted(store: Store) -> None:
    chat = store.chats.create(None)
    first = store.chats.add_user_message(chat, "first")
    store.database.raw.execute("BEGIN")
    store.database.raw.executemany(
        "INSERT INTO messages (chat_id, parent_id, is_shown, is_picked, role, text, checksum, state, model_name, "
        "created_at, tokens) VALUES (?, ?, 1, 1, 'user', 'x', '', 'done', '', '', 0)",
        [(chat, first.id + number) for number in range(10_000)],
    )
    store.database.raw.execute("COMMIT")
    store.chats.delete_for_good(chat)
    assert store.chats.messages(chat) == []


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Hello", "Hello"),
        ("  \n\n Two\tlines \nmore", "Two lines"),
        ("", "New chat"),
        (
            "Please explain to me how photosynthesis works, in simple words for a child of seven",
            "Please explain to me how photosynthesis works, in simple…",
        ),
        ("x" * 100, "x" * 60 + "…"),
    ],
)
def test_a_title_is_made_from_the_first_line(text: str, title: str) -> None:
    assert title_from(text) == title


def test_a_title_that_the_person_gave_stays(store: Store) -> None:
    chat = store.chats.create(None)
    store.chats.rename(chat, "  My   chat ")
    store.chats.add_user_message(chat, "Something else")
    assert store.chats.list()[0].title == "My chat"
    with pytest.raises(UserError):
        store.chats.rename(chat, " ")


@pytest.mark.parametrize("text", ["\ud800 alone", "nul \0 inside", "模型 😀 é", "e\u0301", "‮rtl", "x" * 1_000_000, ""])
def test_odd_texts_come_back_as_they_were_or_mended(store: Store, text: str) -> None:
    chat = store.chats.create(None)
    store.chats.add_user_message(chat, text)
    (message,) = store.chats.messages(chat)
    assert message.text == text.replace("\ud800", "���")
    assert not message.is_damaged


def test_a_chat_that_is_gone_is_told_in_words(store: Store) -> None:
    for step in (
        lambda: store.chats.add_user_message(99, "x"),
        lambda: store.chats.begin_reply(99, "Pip"),
        lambda: store.chats.rename(99, "x"),
        lambda: store.chats.save_reply(99, "x"),
        lambda: store.chats.regenerate(99, "Pip"),
    ):
        with pytest.raises(UserError):
            step()
