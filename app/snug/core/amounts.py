"""Amounts as people type them: "32GB", "360 GB/s", "8B", "16k". What is no amount is a clear error."""

from __future__ import annotations

import math
import re

from snug.core.errors import UserError

_AMOUNT = re.compile(
    r"\s*(?P<number>[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:e[+-]?\d+)?)\s*(?P<unit>[a-z]*)\s*", re.IGNORECASE
)
_MEMORY = {"": 2**30, "b": 1, "k": 2**10, "kb": 2**10, "m": 2**20, "mb": 2**20, "g": 2**30, "gb": 2**30, "t": 2**40,
           "tb": 2**40, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}  # fmt: skip
_RATE = {"": 1e9, "b": 1.0, "kb": 1e3, "mb": 1e6, "m": 1e6, "gb": 1e9, "g": 1e9, "tb": 1e12, "t": 1e12, "gib": 2.0**30,
         "mib": 2.0**20}  # fmt: skip
_COUNT = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}
_PER_SECOND = re.compile(r"\s*(/\s*s(ec(ond)?)?|ps|per second|a second)\s*$", re.IGNORECASE)

MOST_MEMORY_BYTES = 2**50
MOST_RATE = 1e15
MOST_PARAMETERS = 10**14
MOST_CONTEXT = 100_000_000


def memory_bytes(text: str, what: str = "memory") -> int:
    """Bytes of memory as it is sold: "32GB" is 32 x 2^30, and so is a bare "32". Raises UserError (bad_input)."""
    return round(_amount(text, what, _MEMORY, "32GB", MOST_MEMORY_BYTES, smallest=2**20))


def bytes_per_s(text: str, what: str = "bandwidth") -> float:
    """Bytes a second: "360GB/s" is 360 x 10^9, and so is a bare "360". Raises UserError (bad_input)."""
    return _amount(_PER_SECOND.sub("", text), what, _RATE, "360GB/s", MOST_RATE, smallest=1e6)


def parameter_count(text: str, what: str = "parameters") -> int:
    """How many weights a model has: "8B", "360M"; a bare number counts single weights, below 10,000 billions.

    Raises UserError (bad_input).
    """
    bare = re.fullmatch(r"\s*\d+([.,]\d+)?\s*", text)
    value = _amount(text, what, _COUNT, "8B", MOST_PARAMETERS, smallest=0)
    if bare and value < 10_000:
        value *= 10**9
    if not 1_000_000 <= value <= MOST_PARAMETERS:
        raise _bad(text, what, "is no size of a language model", "8B")
    return round(value)


def token_count(text: str, what: str = "context") -> int:
    """A length in tokens: "16k" is 16 x 1,024, as contexts are made; "8000" is 8,000. Raises UserError (bad_input)."""
    units = {"": 1, "k": 1024, "m": 1024 * 1024}
    return round(_amount(text, what, units, "16k", MOST_CONTEXT, smallest=1))


def _amount(
    text: str, what: str, units: dict[str, int] | dict[str, float] | dict[str, int | float], example: str, most: float,
    *, smallest: float,
) -> float:  # fmt: skip
    if not text.strip():
        raise UserError(f"The {what} is missing.", f"Write it like {example}.", kind="bad-amount", bad_input=True)
    found = _AMOUNT.fullmatch(text) if len(text) <= 60 else None
    unit = None if found is None else units.get(found["unit"].lower())
    if found is None or unit is None:
        raise _bad(text, what, "is not a figure that Snug can read", example)
    value = float(found["number"].replace(",", ".")) * unit
    if not math.isfinite(value) or value > most:
        raise _bad(text, what, "is larger than any computer", example)
    if value <= 0:
        raise _bad(text, what, "must be above zero", example)
    if value < smallest:
        raise _bad(text, what, "is too small", example)
    return value


def _bad(text: str, what: str, why: str, example: str) -> UserError:
    return UserError(f"The {what} {text[:40]!r} {why}.", f"Write it like {example}.", kind="bad-amount", bad_input=True)
