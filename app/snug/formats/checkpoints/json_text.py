"""JSON from foreign files: bounded, without repeated keys, never a traceback."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from snug.formats.checkpoints.errors import bad_checkpoint


def parse_object(raw: bytes, what: str) -> dict[str, Any]:
    """The JSON object in `raw`; `what` names it in the UserError that anything else raises."""
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise bad_checkpoint(f"{what} is no text", str(error)) from error
    except (ValueError, RecursionError) as error:
        raise bad_checkpoint(f"{what} is damaged", str(error)[:200]) from error
    if not isinstance(value, dict):
        raise bad_checkpoint(f"{what} is damaged", f"a {type(value).__name__} where an object belongs")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the name {twice[:80]!r} occurs twice")
    return value


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def whole(settings: Mapping[str, Any], key: str, default: int | None = None) -> int | None:
    """The whole number at `key`; `default` where there is none. Raises UserError for anything else."""
    value = settings.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad_checkpoint(f"its setting {key} is not a whole number", repr(value)[:80])
    return value


def text(settings: Mapping[str, Any], key: str, default: str = "") -> str:
    """The text at `key` in lower case; `default` where there is none or something else."""
    value = settings.get(key)
    return value.lower() if isinstance(value, str) else default


def table(settings: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """The object at `key`; an empty one where there is none or something else."""
    value = settings.get(key)
    return value if isinstance(value, dict) else {}
