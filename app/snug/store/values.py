"""How times, texts, lists and facts are written in a column, and read back without trust."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from snug.core.model_facts import ModelFacts

Clock = Callable[[], datetime]
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
NO_FACTS = ModelFacts(
    name="", architecture="", file_type="", parameters=0, weight_bytes=0, layers=0, embedding_length=0, vocabulary=0,
    context_max=0, attention_heads=0, kv_heads=(), head_dims_k=(), head_dims_v=(), exact=False,
)  # fmt: skip

_facts_decoder = msgspec.json.Decoder(ModelFacts)


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def time_text(moment: datetime) -> str:
    """A moment as the database keeps it: ISO 8601 in UTC, so that texts sort like times."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def time_of(value: object) -> datetime:
    """The moment of a column; `LONG_AGO` where the column is damaged."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return LONG_AGO
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def optional_time(value: object) -> datetime | None:
    """The moment of a column that may be empty."""
    return None if value is None else time_of(value)


def clean_text(text: str) -> str:
    """`text` as valid UTF-8 can hold it: lone surrogates become U+FFFD."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace") if not text.isascii() else text


def checksum(role: str, text: str) -> str:
    """What a message's text is checked against when it is read."""
    return hashlib.blake2b(f"{role}\0{text}".encode("utf-8", "replace"), digest_size=8).hexdigest()


def to_json(value: Any) -> str:
    """A list, a mapping or a frozen dataclass as text."""
    return msgspec.json.encode(value).decode()


def facts_of(value: object) -> ModelFacts:
    """The facts in a column; `NO_FACTS` where the column is damaged."""
    try:
        return _facts_decoder.decode(str(value))
    except (msgspec.DecodeError, UnicodeError):
        return NO_FACTS


def optional_facts(value: object) -> ModelFacts | None:
    """The facts of a column that may be empty."""
    return None if value is None else facts_of(value)


def texts_of(value: object) -> tuple[str, ...]:
    """The list of texts in a column; empty where the column is damaged."""
    try:
        return tuple(msgspec.json.decode(str(value), type=list[str]))
    except (msgspec.DecodeError, UnicodeError):
        return ()


def whole(value: object) -> int:
    """A whole number of a column; 0 where the column is damaged."""
    return int(value) if isinstance(value, int | float) and value == value and abs(value) < 2**63 else 0


def optional_number(value: object) -> float | None:
    """A number of a column that may be empty; None where the column is damaged."""
    return float(value) if isinstance(value, int | float) and value == value else None
