"""The chat screen's sentences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from snug.store.rows import ChatRow, MessageRow
from snug.ui.chat_words import (
    chat_as_text,
    chat_detail,
    group_of,
    left_out_words,
    pages_left_words,
    smaller_memory_words,
    speed_words,
)

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ago", "group"),
    [
        (timedelta(minutes=1), "Today"),
        (timedelta(days=3), "This week"),
        (timedelta(days=8), "Older"),
        (timedelta(days=-1), "Today"),
    ],
)
def test_chats_stand_under_the_day_they_were_used(ago: timedelta, group: str) -> None:
    assert group_of(NOW - ago, NOW) == group
    assert group_of(NOW - ago, NOW.astimezone().replace(tzinfo=None)) == group


def test_the_quiet_line_counts_messages() -> None:
    row = ChatRow(1, "Title", 2, "Pip", 1, NOW)
    assert chat_detail(row) == "Pip · 1 message"
    assert chat_detail(ChatRow(1, "Title", None, "", 12, NOW)) == "12 messages"


def test_pages_and_memory_are_said_in_pages() -> None:
    assert pages_left_words(15_500) == "about 31 pages left"
    assert pages_left_words(-5) == "less than a page left"
    assert smaller_memory_words(15_000) == "Go on with 30 pages of memory"
    assert smaller_memory_words(512) == "Go on with 1 page of memory"


def test_a_stopped_reply_says_so_before_its_speed() -> None:
    row = MessageRow(1, 1, "assistant", "x", "stopped", "Pip", NOW, tokens=4, tokens_per_s=4.0)
    assert speed_words(row) == "Stopped · 3.0 words a second"


def test_a_first_word_that_took_no_time_came_at_once() -> None:
    row = MessageRow(1, 1, "assistant", "x", "done", "Pip", NOW, first_token_s=0.01)
    assert speed_words(row) == "first word at once"


def test_what_was_left_out_is_counted() -> None:
    assert left_out_words(1).startswith("The oldest message no longer fits")
    assert left_out_words(5).startswith("The 5 oldest messages no longer fit")


def test_a_whole_chat_is_plain_text_with_names() -> None:
    question = MessageRow(1, 1, "user", "Hi", "done", "", NOW)
    answer = MessageRow(2, 1, "assistant", "Hello", "done", "Pip", NOW)
    assert chat_as_text("Title", [question, answer]) == "Title\n\nYou:\nHi\n\nPip:\nHello\n"
