"""Numbers and names out of texts that may say anything."""

from __future__ import annotations

import re
from typing import Any

LARGEST = 2**60

_WHOLE = re.compile(r"\s*(\d{1,20})\s*$", re.ASCII)


def whole(value: Any) -> int:
    """A number of 0 or above, from a number or a text of digits alone; 0 for anything else."""
    if isinstance(value, str):
        match = _WHOLE.match(value)
        value = int(match.group(1)) if match else 0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LARGEST:
        return 0
    return int(value)


def real(value: Any) -> float:
    """A number of 0 or above; 0.0 for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LARGEST:
        return 0.0
    return float(value)


def text(value: Any, longest: int = 200) -> str:
    """A name for people: one line of printable characters, cut at `longest`; "" for anything else."""
    if not isinstance(value, str):
        return ""
    return "".join(letter for letter in " ".join(value.split()) if letter.isprintable())[:longest].strip()
