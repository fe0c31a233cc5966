"""Thoughts and answer are told apart, also while they stream."""

from __future__ import annotations

import pytest

from snug.ui.reply_text import Reply, answer_only, split_reply


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("Hello", Reply("", "Hello")),
        ("<think>\nhm\n</think>\n\nHello", Reply("hm", "Hello")),
        ("<think>hm", Reply("hm", "", is_thinking=True)),
        ("<think>hm</thi", Reply("hm", "", is_thinking=True)),
        ("<thi", Reply("", "", is_thinking=True)),
        ("", Reply("", "")),
        ("hm\n</think>\nHello", Reply("hm", "Hello")),
        ("Use <think> here", Reply("", "Use <think> here")),
        ("<thing>", Reply("", "<thing>")),
    ],
)
def test_a_reply_is_split(text: str, reply: Reply) -> None:
    assert split_reply(text) == reply


def test_later_turns_see_only_the_answer() -> None:
    assert answer_only("<think>secret</think>Yes.") == "Yes."
