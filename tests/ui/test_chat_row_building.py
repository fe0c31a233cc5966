"""From a message to its rows: every state of a reply, hostile text, and the cost of a stream."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snug.store.rows import MessageRow
from snug.ui import chat_row_building
from snug.ui.chat_row_building import DARK, LIGHT, MAX_SHOWN, Problem, ReplyRows, message_rows, user_row

REPLY = MessageRow(
    id=7, chat_id=1, role="assistant", text="Hello", state="done", model_name="Pip",
    created_at=datetime(2026, 11, 21, tzinfo=UTC), tokens=20, tokens_per_s=18.7, first_token_s=1.1,
)  # fmt: skip
QUESTION = replace(REPLY, id=6, role="user", text="Hi", tokens=0, tokens_per_s=None, first_token_s=None)


def kinds(message: MessageRow, **more: object) -> list[str]:
    return [row.kind for row in message_rows(message, LIGHT, **{"is_last": True, **more})]  # type: ignore[arg-type]


def test_a_finished_reply_is_its_blocks_and_what_can_be_done_with_it() -> None:
    reply = replace(REPLY, text="# Head\n\ntext\n\n- item\n\n```py\nx\n```\n\n|a|b|\n|-|-|\n|1|2|\n\n---")
    assert kinds(reply) == ["heading", "prose", "item", "code", "table", "rule", "actions"]


def test_the_speed_is_said_in_words_and_the_tokens_one_click_behind() -> None:
    row = message_rows(REPLY, LIGHT, is_last=True)[-1]
    assert row.note == "14 words a second · first word after 1.1 s"
    assert row.details == "Pip · 20 tokens · 18.7 tokens a second · first token after 1.10 s"


def test_versions_are_counted_from_one_and_have_arrows() -> None:
    row = message_rows(replace(REPLY, alternatives=3, alternative=1), LIGHT, is_last=True)[-1]
    assert (row.marker, row.canGoBack, row.canGoForward) == ("2 of 3", True, True)


def test_an_interrupted_reply_keeps_its_text_and_offers_to_try_again() -> None:
    rows = message_rows(replace(REPLY, state="interrupted"), LIGHT, is_last=True)
    assert [row.kind for row in rows] == ["prose", "problem", "actions"]
    assert rows[1].action == "Try again"
    assert "kept" in rows[1].note


def test_a_problem_says_its_cause_and_holds_its_own_button() -> None:
    problem = Problem("Out of memory", "Kept.", "signal 9", "no-memory", "smaller", "Go on with 4 pages of memory")
    rows = message_rows(replace(REPLY, state="interrupted"), LIGHT, is_last=True, problem=problem)
    assert (rows[1].text, rows[1].action, rows[1].details) == (
        "Out of memory",
        "Go on with 4 pages of memory",
        "signal 9",
    )


def test_an_old_interrupted_reply_has_no_button() -> None:
    rows = message_rows(replace(REPLY, state="interrupted"), LIGHT, is_last=False)
    assert rows[1].action == ""


def test_a_reply_without_a_word_shows_only_why() -> None:
    assert kinds(replace(REPLY, text="", state="failed")) == ["problem"]


def test_thoughts_are_folded_with_their_time() -> None:
    rows = message_rows(replace(REPLY, text="<think>hm hm hm</think>Yes", tokens=80), LIGHT, is_last=True)
    assert [row.kind for row in rows] == ["thought", "prose", "actions"]
    assert rows[0].marker.startswith("Thought for ")
    assert rows[0].text == "hm hm hm"


def test_a_damaged_text_says_so() -> None:
    assert "notice" in kinds(replace(REPLY, is_damaged=True))


def test_a_long_message_is_shown_in_part_and_says_how_much_is_missing() -> None:
    row = user_row(replace(QUESTION, text="x" * (MAX_SHOWN + 1_234)))
    assert len(row.text) == MAX_SHOWN
    assert "1,234 more characters" in row.note


def test_the_person_s_own_mark_up_is_shown_as_written() -> None:
    row = user_row(replace(QUESTION, text="<b>**x**</b>\n  y"))
    assert "&lt;b&gt;**x**&lt;/b&gt;<br>&nbsp; y" in row.rich


def test_a_growing_reply_carries_the_mark_of_the_pen_on_its_last_line() -> None:
    reply = ReplyRows(replace(REPLY, text=""), LIGHT)
    assert [row.kind for row in reply.rows(is_writing=True)] == ["waiting"]
    reply.feed("First.\n\nSec")
    rows = reply.rows(is_writing=True)
    assert [(row.text, row.isWriting) for row in rows] == [("First.", False), ("Sec", True)]


def test_rows_of_closed_blocks_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    real = chat_row_building.block_row

    def counted(block, *args, **more):  # type: ignore[no-untyped-def]
        made.append(block.source)
        return real(block, *args, **more)

    monkeypatch.setattr(chat_row_building, "block_row", counted)
    reply = ReplyRows(replace(REPLY, text=""), LIGHT)
    for _ in range(50):
        reply.feed("A closed paragraph.\n\n")
        reply.rows(is_writing=True)
    assert len(made) == 50


@given(st.text(alphabet="<think>/ab\n*`", max_size=80), st.integers(1, 7))
def test_a_reply_in_pieces_has_the_rows_of_the_whole(text: str, size: int) -> None:
    whole = ReplyRows(replace(REPLY, text=""), LIGHT)
    whole.feed(text)
    pieces = ReplyRows(replace(REPLY, text=""), LIGHT)
    for start in range(0, len(text), size):
        pieces.feed(text[start : start + size])
        pieces.rows(is_writing=True)
    assert pieces.rows(is_writing=False) == whole.rows(is_writing=False)


def test_dark_rows_have_other_colours() -> None:
    reply = replace(REPLY, text="```py\nfor x in y: pass\n```")
    light, dark = (message_rows(reply, palette, is_last=True)[0].rich for palette in (LIGHT, DARK))
    assert light != dark
