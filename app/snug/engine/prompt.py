"""Which messages fit: the oldest turns are left out, never silently, never the system text or the last question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from snug.core.errors import UserError
from snug.engine.template import Turn

WORDS_PER_TOKEN = 0.75
FILL_AFTER_CUT = 0.7
"""After turns had to be left out, the rest fills this share: the next turns then need no new cut."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A prompt that fits: its tokens, and how many messages were left out."""

    tokens: list[int]
    left_out: int


def reserve_for_answer(context: int, max_tokens: int) -> int:
    """Tokens that stay free for the answer: what was asked for, at most a quarter of the context."""
    return max(16, min(max_tokens, context // 4))


def fit_turns(
    turns: Sequence[Turn],
    room: int,
    tokenize: Callable[[Sequence[Turn]], list[int]],
    left_out_before: int = 0,
) -> Fitted:
    """The newest turns that fit `room` tokens, with the system text and the last message always kept.

    `left_out_before` messages were left out the last time: where that still fits it is kept, so that the
    conversation's start, and with it what the engine has read already, stays the same.
    A message that was never answered, for its length or any other reason, is one turn with what follows it, but
    it can be left out like any other.
    Raises UserError (bad_input) where the last message alone is too long.
    """
    system = [turn for turn in turns if turn.role == "system"]
    spoken = [turn for turn in turns if turn.role != "system"]
    cuts = _cuts(spoken)

    def attempt(cut: int) -> list[int]:
        return tokenize([*system, *taking_turns(spoken[cut:])])

    if left_out_before in cuts:
        tokens = attempt(left_out_before)
    else:
        left_out_before, tokens = 0, attempt(0)
    if len(tokens) <= room:
        return Fitted(tokens, left_out_before)
    return _cut_more(cuts, left_out_before, room, attempt)


def taking_turns(spoken: Sequence[Turn]) -> list[Turn]:
    """The same with neighbours of one role joined: many chat formats refuse two messages in a row."""
    turns: list[Turn] = []
    for turn in spoken:
        if turns and turns[-1].role == turn.role:
            turns[-1] = Turn(turn.role, f"{turns[-1].text}\n\n{turn.text}")
        else:
            turns.append(turn)
    return turns


def _cuts(spoken: Sequence[Turn]) -> list[int]:
    """How many messages may be left out: what is kept begins with a user's message, and the last one is kept."""
    return [0] + [index for index, turn in enumerate(spoken) if index and turn.role == "user"]


def _cut_more(cuts: list[int], at_least: int, room: int, attempt: Callable[[int], list[int]]) -> Fitted:
    possible = [cut for cut in cuts if cut > at_least]
    last = attempt(cuts[-1])
    if len(last) > room:
        raise _too_long(len(last) - room)
    low, high = 0, len(possible) - 1
    best = Fitted(last, cuts[-1])
    while low < high:
        middle = (low + high) // 2
        tokens = attempt(possible[middle])
        if len(tokens) <= room * FILL_AFTER_CUT:
            best, high = Fitted(tokens, possible[middle]), middle
        else:
            low = middle + 1
    return best


def _too_long(excess: int) -> UserError:
    words = max(1, round(excess * WORDS_PER_TOKEN))
    return UserError(
        f"Your message is too long by about {words:,} words.",
        "Shorten it, or load the model with a longer conversation memory.",
        kind="too-long",
        bad_input=True,
    )
