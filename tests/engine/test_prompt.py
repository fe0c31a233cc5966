"""What is left out of a conversation that does not fit."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snug.core.errors import UserError
from snug.engine.prompt import fit_turns, reserve_for_answer
from snug.engine.template import Turn


def count(turns: Sequence[Turn]) -> list[int]:
    """One token a character, and two a message for its format."""
    return [0] * sum(len(turn.text) + 2 for turn in turns)


def conversation(pairs: int, length: int = 8) -> list[Turn]:
    turns = []
    for _ in range(pairs):
        turns += [Turn("user", "u" * length), Turn("assistant", "a" * length)]
    return [Turn("system", "s" * length), *turns, Turn("user", "q" * length)]


def test_what_fits_is_left_alone() -> None:
    fitted = fit_turns(conversation(3), 80, count)
    assert (fitted.left_out, len(fitted.tokens)) == (0, 80)


def test_the_oldest_turns_go_first_in_whole_pairs() -> None:
    fitted = fit_turns(conversation(10), 100, count)
    assert fitted.left_out > 0
    assert fitted.left_out % 2 == 0
    assert len(fitted.tokens) <= 100


def test_the_system_text_and_the_last_question_always_stay() -> None:
    kept: list[Sequence[Turn]] = []

    def keep(turns: Sequence[Turn]) -> list[int]:
        kept.append(turns)
        return count(turns)

    fitted = fit_turns(conversation(50), 25, keep)
    assert fitted.left_out == 100
    for turns in kept:
        assert turns[0].role == "system"
        assert turns[-1].text == "q" * 8


def test_a_message_that_is_too_long_alone_says_by_how_many_words() -> None:
    with pytest.raises(UserError, match=r"too long by about 75 words") as error:
        fit_turns([Turn("user", "x" * 198)], 100, count)
    assert error.value.bad_input
    assert error.value.kind == "too-long"


def test_a_cut_stays_where_it_was_while_it_fits() -> None:
    first = fit_turns(conversation(10), 100, count)
    longer = conversation(11)
    again = fit_turns(longer, 140, count, first.left_out)
    assert again.left_out == first.left_out


def test_after_a_cut_the_next_turns_need_none() -> None:
    first = fit_turns(conversation(30), 200, count)
    assert len(first.tokens) <= 0.7 * 200
    assert fit_turns(conversation(31), 200, count, first.left_out).left_out == first.left_out


@given(st.integers(0, 40), st.integers(1, 30), st.integers(30, 400))
def test_whatever_is_kept_fits(pairs: int, length: int, room: int) -> None:
    turns = conversation(pairs, length)
    if len(count([turns[0], turns[-1]])) > room:
        with pytest.raises(UserError):
            fit_turns(turns, room, count)
    else:
        fitted = fit_turns(turns, room, count)
        assert len(fitted.tokens) <= room
        assert len(fitted.tokens) == len(count([turns[0], *turns[1 + fitted.left_out :]]))


@pytest.mark.parametrize(("context", "asked", "kept"), [(4096, 2048, 1024), (4096, 100, 100), (256, 2048, 64)])
def test_room_for_the_answer_is_kept(context: int, asked: int, kept: int) -> None:
    assert reserve_for_answer(context, asked) == kept


def test_a_message_that_was_never_answered_is_one_turn_with_the_next() -> None:
    seen: list[Sequence[Turn]] = []

    def keep(turns: Sequence[Turn]) -> list[int]:
        seen.append(turns)
        return count(turns)

    fit_turns([Turn("user", "What is"), Turn("user", "the capital of France?")], 100, keep)
    assert seen == [[Turn("user", "What is\n\nthe capital of France?")]]


def test_a_message_that_was_too_long_does_not_keep_the_next_from_being_answered() -> None:
    fitted = fit_turns([Turn("user", "x" * 500), Turn("user", "Shorter")], 100, count)
    assert (fitted.left_out, len(fitted.tokens)) == (1, 9)
