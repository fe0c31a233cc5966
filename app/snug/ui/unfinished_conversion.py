"""What conversion was begun last and is not done: remembered from one start of Snug to the next."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from snug.store import Settings

SOURCE, KEY = "convert.source", "convert.unfinished"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The text that named the source, the type and (where it was made to measure) the size, and the file begun."""

    source: str
    type_name: str
    size_bytes: int
    out: str


def read_unfinished(settings: Settings) -> Unfinished | None:
    """What was begun and neither finished nor thrown away; None where there is nothing."""
    source = str(settings.get(SOURCE))
    try:
        found = json.loads(str(settings.get(KEY)) or "null")
        kept = Unfinished(source, str(found["type_name"]), int(found["size_bytes"]), str(found["out"]))
    except (ValueError, KeyError, TypeError):
        return None
    return kept if source and kept.type_name and kept.out else None


def keep_unfinished(settings: Settings, begun: Unfinished) -> None:
    """Remember it."""
    kept = asdict(begun)
    settings.set(SOURCE, kept.pop("source")[:4000])
    settings.set(KEY, json.dumps(kept))


def forget_unfinished(settings: Settings) -> None:
    """It is done, or thrown away."""
    settings.set(SOURCE, "")
    settings.set(KEY, "")
