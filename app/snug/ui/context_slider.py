"""The slider of a conversation's length: equal distances double it."""

from __future__ import annotations

from math import log

SMALLEST_CONTEXT = 1024


def position_of(context: int, context_max: int) -> float:
    """A context length's place on the slider, 0 to 1, by its logarithm."""
    if context <= SMALLEST_CONTEXT:
        return 0.0
    return min(1.0, log(context / SMALLEST_CONTEXT) / log(context_max / SMALLEST_CONTEXT))


def context_at(position: float, context_max: int) -> int:
    """The context length at that place of the slider, in whole pages' worth of 256 tokens."""
    exact: float = SMALLEST_CONTEXT * (context_max / SMALLEST_CONTEXT) ** min(1.0, max(0.0, position))
    return min(context_max, max(SMALLEST_CONTEXT, round(exact / 256) * 256))
