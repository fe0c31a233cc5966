"""Figures out of a document that anybody may have written: each is checked, and the first wrong one is named."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from snug.core.errors import UserError

LARGEST_FIGURE = 2**64
"""Some file systems say that they have so many bytes."""
LARGEST_MEMORY = 2**50
LARGEST_RATE = 1e14
"""Bytes a second; the fastest of today's cards read a tenth of it."""
LEAST_SIZE, LEAST_RATE = 2**20, 1e7
"""Less is no computer's memory: somebody wrote gigabytes."""


def bad_figure(where: str, what: str) -> UserError:
    """The error that names a figure and says what is wrong with it."""
    return UserError(
        f"The machine file cannot be used: {where} {what}.",
        "Correct that figure; sizes are in bytes, bandwidth in bytes a second.",
        kind="bad-machine",
        bad_input=True,
    )


def mapping(value: object, where: str) -> Mapping[str, Any]:
    """`value` where it is an object with named figures. Raises UserError, as all of these do."""
    if not isinstance(value, Mapping):
        raise bad_figure(where, "must be an object with named figures")
    return value


def items(owner: Mapping[str, Any], key: str, where: str) -> list[Any]:
    """The list at `key`, empty where there is none."""
    value = owner.get(key, [])
    if not isinstance(value, list | tuple):
        raise bad_figure(where, "must be a list")
    if len(value) > 64:
        raise bad_figure(where, "has more than 64 entries")
    return list(value)


def text(owner: Mapping[str, Any], key: str, where: str, *, longest: int = 400) -> str:
    """The text at `key`, "" where there is none."""
    value = owner.get(key, "")
    if not isinstance(value, str) or len(value) > longest:
        raise bad_figure(where, "must be a short text")
    return value


def number(
    owner: Mapping[str, Any],
    key: str,
    where: str,
    *,
    default: float | None = None,
    required: bool = False,
    minimum: float = 1,
    maximum: float = LARGEST_FIGURE,
) -> float:
    """The number at `key` within those bounds; `default` where there is none."""
    if owner.get(key) is None:
        if required or default is None:
            raise bad_figure(where, "is missing")
        return default
    value = owner[key]
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or (isinstance(value, float) and math.isnan(value))
    ):
        raise bad_figure(where, "must be a number")
    if value < min(minimum, 1):
        raise bad_figure(where, "must be above zero" if minimum > 0 else "must not be negative")
    if value < minimum:
        raise bad_figure(where, f"is {value:g}, which is too little")
    if value > maximum:
        raise bad_figure(where, "is larger than any computer")
    return value


def optional_number(owner: Mapping[str, Any], key: str, where: str, *, minimum: float = 1) -> float | None:
    """The number at `key`, None where there is none."""
    return None if owner.get(key) is None else float(number(owner, key, where, minimum=minimum))


def optional_rate(owner: Mapping[str, Any], key: str, where: str) -> float | None:
    """The bytes a second at `key`, None where there are none."""
    if owner.get(key) is None:
        return None
    return float(number(owner, key, where, minimum=LEAST_RATE, maximum=LARGEST_RATE))


def whole(owner: Mapping[str, Any], key: str, where: str, *, default: int) -> int:
    """The whole number above 0 at `key`."""
    value = number(owner, key, where, default=default)
    if value != int(value):
        raise bad_figure(where, "must be a whole number")
    return int(value)


def count(owner: Mapping[str, Any], key: str, where: str) -> int:
    """The whole number of 0 or above at `key`, 0 where there is none."""
    return int(number(owner, key, where, default=0, minimum=0))
