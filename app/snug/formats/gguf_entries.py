"""The metadata of a GGUF as raw bytes, entry by entry, so that it can be carried over into another file."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from snug.formats.byte_cursor import LIMITS, Cursor, Limits, bad_gguf
from snug.formats.byte_source import ByteSource

_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_STRING, _ARRAY = 8, 9


def read_entries(source: ByteSource, limits: Limits = LIMITS) -> list[tuple[str, bytes]]:
    """Every entry's key, and its value with its type as it stands in the file.

    For a file whose header `gguf_header.read_header` has found right. Raises UserError (kind "bad-gguf").
    """
    return list(_entries(Cursor(source, limits)))


def _entries(cursor: Cursor) -> Iterator[tuple[str, bytes]]:
    _, _, _, count = struct.unpack("<4sIQQ", _take(cursor, 24))
    for _ in range(count):
        (length,) = struct.unpack("<Q", _take(cursor, 8))
        key = _take(cursor, length).decode("utf-8", "replace")
        yield key, _value(cursor)


def _value(cursor: Cursor) -> bytes:
    head = _take(cursor, 4)
    (kind,) = struct.unpack("<I", head)
    if kind == _STRING:
        return head + _string(cursor)
    if kind != _ARRAY:
        return head + _take(cursor, _size_of(kind))
    array = _take(cursor, 12)
    element, count = struct.unpack("<IQ", array)
    if count > cursor.limits.array_elements:
        raise bad_gguf("it holds a list of impossible length", f"{count} elements")
    if element == _STRING:
        return b"".join([head, array, *(_string(cursor) for _ in range(count))])
    return head + array + _take(cursor, _size_of(element) * count)


def _string(cursor: Cursor) -> bytes:
    raw = _take(cursor, 8)
    (length,) = struct.unpack("<Q", raw)
    return raw + _take(cursor, length)


def _take(cursor: Cursor, length: int) -> bytes:
    if length > cursor.limits.string_bytes:
        raise bad_gguf("it holds a text of impossible length", f"{length} bytes")
    cursor.fill(length)
    return cursor.take(length)


def _size_of(kind: int) -> int:
    size = _SIZES.get(kind)
    if size is None:
        raise bad_gguf("it holds an entry of an unknown kind", f"type {kind}")
    return size
