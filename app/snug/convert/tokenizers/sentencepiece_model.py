"""tokenizer.model, the protocol buffer of SentencePiece, read within limits.

Follows `sentencepiece_model.proto` (google/sentencepiece) and the wire format of protocol buffers; what Snug does not
need is passed over without being kept.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from snug.convert.tokenizers.errors import bad_tokenizer
from snug.convert.tokenizers.vocabulary import LONGEST_TOKEN_BYTES, MOST_TOKENS, TokenType

UNIGRAM, BPE = 1, 2
_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
_MOST_CHARSMAP_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Piece:
    """One token of the model; its type has the numbers of `TokenType`."""

    text: str
    score: float
    kind: TokenType


@dataclass(frozen=True, slots=True)
class SentencePieceModel:
    """The pieces in the order of their ids, and what the trainer and the normaliser were told."""

    pieces: tuple[Piece, ...]
    model_type: int
    add_dummy_prefix: bool
    remove_extra_whitespaces: bool
    precompiled_charsmap: bytes


def parse_sentencepiece(raw: bytes) -> SentencePieceModel:
    """The model in `raw`. Raises UserError for anything else."""
    pieces: list[Piece] = []
    trainer: dict[int, Any] = {}
    normaliser: dict[int, Any] = {}
    for number, value in _fields(raw):
        if number == 1 and isinstance(value, bytes):
            pieces.append(_piece(value))
            if len(pieces) > MOST_TOKENS:
                raise bad_tokenizer("it claims an impossible number of tokens")
        elif number == 2 and isinstance(value, bytes):
            trainer.update(_fields(value))
        elif number == 3 and isinstance(value, bytes):
            normaliser.update(_fields(value))
    if not pieces:
        raise bad_tokenizer("tokenizer.model is no SentencePiece model", f"{len(raw)} bytes without a token")
    seen: set[str] = set()
    for piece in pieces:
        if piece.text in seen and piece.kind in (TokenType.NORMAL, TokenType.USER_DEFINED):
            raise bad_tokenizer("one of its tokens is named twice", repr(piece.text)[:80])
        seen.add(piece.text)
    return SentencePieceModel(
        tuple(pieces),
        _number(trainer.get(3), UNIGRAM),
        _number(normaliser.get(3), 1) != 0,
        _number(normaliser.get(4), 1) != 0,
        _charsmap(normaliser.get(2)),
    )


def _charsmap(value: object) -> bytes:
    if not isinstance(value, bytes):
        return b""
    if len(value) > _MOST_CHARSMAP_BYTES:
        raise bad_tokenizer("its table of characters is impossibly large", f"{len(value)} bytes")
    return value


def _piece(raw: bytes) -> Piece:
    fields = dict(_fields(raw))
    text, score, kind = fields.get(1, b""), fields.get(2, b"\0\0\0\0"), fields.get(3, 1)
    if not isinstance(text, bytes) or not isinstance(score, bytes) or len(score) != 4 or not isinstance(kind, int):
        raise bad_tokenizer("one of its tokens is damaged", repr(raw[:40]))
    (number,) = struct.unpack("<f", score)
    if not math.isfinite(number) or len(text) > LONGEST_TOKEN_BYTES or kind not in TokenType._value2member_map_:
        raise bad_tokenizer("one of its tokens is damaged", f"{text[:40]!r}, score {number}, type {kind}")
    try:
        return Piece(text.decode("utf-8"), number, TokenType(kind))
    except UnicodeDecodeError as error:
        raise bad_tokenizer("one of its tokens is no text", repr(text[:40])) from error


def _number(value: object, default: int) -> int:
    return value if isinstance(value, int) else default


def _fields(raw: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of one message: number and value; a nested message, text or float is its bytes."""
    at, end = 0, len(raw)
    while at < end:
        key, at = _varint(raw, at)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise bad_tokenizer("tokenizer.model is damaged", f"field 0 at byte {at}")
        if wire == _VARINT:
            value, at = _varint(raw, at)
            yield number, value
            continue
        if wire == _LENGTH:
            length, at = _varint(raw, at)
        elif wire in (_EIGHT_BYTES, _FOUR_BYTES):
            length = 8 if wire == _EIGHT_BYTES else 4
        else:
            raise bad_tokenizer("tokenizer.model is damaged", f"wire type {wire} at byte {at}")
        if length > end - at:
            raise bad_tokenizer("tokenizer.model is cut short", f"{length} bytes at {at} of {end}")
        yield number, raw[at : at + length]
        at += length


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(raw) or shift > 63:
            raise bad_tokenizer("tokenizer.model is damaged", f"a number at byte {at} does not end")
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
