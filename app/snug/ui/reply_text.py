"""A reply as its thoughts and its answer: models that think aloud write <think>…</think> before they answer."""

from __future__ import annotations

from dataclasses import dataclass

OPENING = "<think>"
CLOSING = "</think>"


@dataclass(frozen=True, slots=True)
class Reply:
    """`is_thinking` says that the thoughts have not ended; an undecided beginning is in neither part."""

    thought: str
    answer: str
    is_thinking: bool = False


def split_reply(text: str) -> Reply:
    """The two parts of a reply. A closing mark alone counts: some templates write the opening one themselves."""
    start = text.lstrip()
    if start.startswith(OPENING):
        thought, closing, answer = start[len(OPENING) :].partition(CLOSING)
        if closing:
            return Reply(thought.strip(), answer.lstrip())
        return Reply(_without_partial(thought).strip(), "", is_thinking=True)
    thought, closing, answer = text.partition(CLOSING)
    if closing and OPENING not in thought:
        return Reply(thought.strip(), answer.lstrip())
    if OPENING.startswith(start):
        return Reply("", "", is_thinking=bool(start))
    return Reply("", text.lstrip("\n"))


def answer_only(text: str) -> str:
    """What later turns show the model of a reply: thoughts are not part of the conversation."""
    return split_reply(text).answer


def _without_partial(thought: str) -> str:
    """Thoughts without the beginning of the mark that may be about to end them."""
    for length in range(len(CLOSING) - 1, 0, -1):
        if thought.endswith(CLOSING[:length]):
            return thought[:-length]
    return thought
