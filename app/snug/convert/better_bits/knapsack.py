"""Which type each tensor gets so that a file of at most so many bytes loses least."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """One type for one tensor: its bytes in the file, and the loss that it is expected to add."""

    type_name: str
    size_bytes: int
    loss: float


Choices = Mapping[str, tuple[Choice, ...]]
_STEPS = 8192
"""Into so many parts the room is cut for the exact choice; what the cutting leaves over is filled afterwards."""


def choose(choices: Choices, room_bytes: int) -> dict[str, Choice] | None:
    """One choice for each tensor, of least total loss within the room; None where even the smallest do not fit.

    Exact (dynamic programming) on sizes rounded up to parts of the room, then single exchanges on true sizes until none
    lowers the loss.
    """
    smallest = sum(min(choice.size_bytes for choice in options) for options in choices.values())
    if smallest > room_bytes:
        return None
    chosen = _by_parts(choices, room_bytes, smallest)
    _fill(chosen, choices, room_bytes)
    return chosen


def _by_parts(choices: Choices, room_bytes: int, smallest: int) -> dict[str, Choice]:
    import numpy as np

    spare = room_bytes - smallest
    part = max(1, -(-spare // _STEPS))
    parts = spare // part
    best = np.zeros(parts + 1)
    picks = []
    for options in choices.values():
        least = min(choice.size_bytes for choice in options)
        rows = np.full((len(options), parts + 1), np.inf)
        for index, choice in enumerate(options):
            cost = -(-(choice.size_bytes - least) // part)
            if cost <= parts:
                rows[index, cost:] = best[: parts + 1 - cost] + choice.loss
        picks.append(rows.argmin(axis=0))
        best = rows.min(axis=0)
    chosen, left = {}, parts
    for (name, options), pick in zip(reversed(list(choices.items())), reversed(picks), strict=True):
        choice = options[int(pick[left])]
        least = min(option.size_bytes for option in options)
        left -= -(-(choice.size_bytes - least) // part)
        chosen[name] = choice
    return {name: chosen[name] for name in choices}


def _fill(chosen: dict[str, Choice], choices: Choices, room_bytes: int) -> None:
    """Exchange single choices while that lowers the loss within the room."""
    used = sum(choice.size_bytes for choice in chosen.values())
    while True:
        gains = [
            (chosen[name].loss - option.loss, name, option)
            for name, options in choices.items()
            for option in options
            if used - chosen[name].size_bytes + option.size_bytes <= room_bytes and option.loss < chosen[name].loss
        ]
        if not gains:
            return
        _, name, option = max(gains, key=lambda gain: (gain[0], gain[1]))
        used += option.size_bytes - chosen[name].size_bytes
        chosen[name] = option
