"""Who holds a card's own memory: processes as the programs that people know, the largest of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from snug.core.machine import Holder
from snug.core.machine_words import OWN_NAME
from snug.system.figures import text
from snug.system.program_names import program_name

LEAST_HELD_BYTES = 50_000_000
MOST_HOLDERS = 5


@dataclass(frozen=True, slots=True)
class CardUse:
    """Bytes of a card's own memory that programs hold, and the largest of them."""

    held: int = 0
    holders: tuple[Holder, ...] = ()


def program_of(process: Mapping[str, Any]) -> str:
    """The program that a process (its `name`, and whether it `is_own`) belongs to, by its name for people."""
    own = OWN_NAME if process.get("is_own") is True else program_name(text(process.get("name")))
    return own or "Another program"


def largest(sizes: Iterable[tuple[str, int]]) -> tuple[Holder, ...]:
    """The programs that hold the most, out of one program and its bytes a process."""
    held: dict[str, int] = {}
    for name, size in sizes:
        held[name] = held.get(name, 0) + size
    found = [Holder(name, size) for name, size in held.items() if size >= LEAST_HELD_BYTES]
    return tuple(sorted(found, key=lambda holder: (-holder.size_bytes, holder.name))[:MOST_HOLDERS])
