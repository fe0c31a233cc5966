"""The choice of types: within the room, and as good as trying everything."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from snug.convert.better_bits.knapsack import Choice, choose

OPTIONS = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 1000)), min_size=1, max_size=4)


def _choices(raw: list[list[tuple[int, int]]]) -> dict[str, tuple[Choice, ...]]:
    return {
        f"t{number}": tuple(Choice(f"{size}", size, loss / 10) for size, loss in options)
        for number, options in enumerate(raw)
    }


@given(st.lists(OPTIONS, min_size=1, max_size=5), st.integers(1, 300))
def test_the_choice_is_the_best_that_fits(raw: list[list[tuple[int, int]]], room: int) -> None:
    choices = _choices(raw)
    found = choose(choices, room)
    fitting = [
        sum(choice.loss for choice in every)
        for every in itertools.product(*choices.values())
        if sum(choice.size_bytes for choice in every) <= room
    ]
    assert (found is None) == (not fitting)
    if found is not None:
        assert sum(choice.size_bytes for choice in found.values()) <= room
        assert abs(sum(choice.loss for choice in found.values()) - min(fitting)) < 1e-6


def test_a_large_room_is_filled_to_the_last_percent() -> None:
    options = tuple(Choice(f"{bits}", bits * 1_000_003, 2.0 ** (-2 * bits)) for bits in range(2, 9))
    choices = {f"t{number}": options for number in range(200)}
    for room in (900_000_000, 1_234_567_890):
        found = choose(choices, room)
        assert found is not None
        used = sum(choice.size_bytes for choice in found.values())
        assert 0.97 * room <= used <= room
