"""Where everything of a GGUF goes before its first tensor is known: header bytes, offsets, sizes.

Version 3 of the specification (ggml `docs/gguf.md`), little-endian, in the layout that gguf-py writes: metadata in the
order given, tensors one after the other, each and the file's end padded to `ALIGNMENT`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from snug.core.errors import UserError
from snug.formats.ggml_types import TYPES, tensor_bytes

ALIGNMENT = 32
VERSION = 3
MOST_NAME_BYTES = 63
_TYPE_BY_NAME = {kind.name: kind for kind in TYPES}

_KINDS = {"u8": 0, "i8": 1, "u16": 2, "i16": 3, "u32": 4, "i32": 5, "f32": 6, "bool": 7, "str": 8, "u64": 10,
          "i64": 11, "f64": 12}  # fmt: skip
_ARRAY = 9
_CODES = {"u8": "B", "i8": "b", "u16": "H", "i16": "h", "u32": "I", "i32": "i", "f32": "f", "bool": "?", "u64": "Q",
          "i64": "q", "f64": "d"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TensorPlace:
    """One tensor of the file: `shape` rows first, columns last; `offset` from the beginning of the file."""

    name: str
    shape: tuple[int, ...]
    type_name: str
    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class GgufLayout:
    """A file that is still to be written: its first bytes, and where the bytes of each tensor go."""

    header: bytes
    tensors: tuple[TensorPlace, ...]
    file_bytes: int


def plan_layout(
    metadata: Sequence[tuple[str, bytes]], tensors: Iterable[tuple[str, tuple[int, ...], str]]
) -> GgufLayout:
    """The layout of a file with these entries (key and what `encode_value` gave) and tensors (name, shape, type).

    Raises UserError for names that no reader takes, and ValueError where a row is no whole number of blocks.
    """
    entries = dict(metadata)
    infos, places, position = bytearray(), [], 0
    for name, shape, type_name in tensors:
        kind, dims = _TYPE_BY_NAME[type_name], tuple(reversed(shape)) or (1,)
        if len(name.encode()) > MOST_NAME_BYTES or len(dims) > 4:
            raise _unwritable(name, shape)
        size = tensor_bytes(kind, dims)
        infos += _text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind.number, position)
        places.append(TensorPlace(name, shape, type_name, position, size))
        position += padded(size)
    if len({place.name for place in places}) != len(places):
        raise _unwritable(next(p.name for i, p in enumerate(places) if p.name in {q.name for q in places[:i]}), ())
    header = bytearray(b"GGUF" + struct.pack("<IQQ", VERSION, len(places), len(entries)))
    for key, value in entries.items():
        header += _text(key) + value
    header += infos
    header += bytes(padded(len(header)) - len(header))
    start = len(header)
    return GgufLayout(
        bytes(header),
        tuple(TensorPlace(p.name, p.shape, p.type_name, start + p.offset, p.size_bytes) for p in places),
        start + position,
    )


def padded(size: int) -> int:
    """`size` up to the next multiple of `ALIGNMENT`."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def encode_value(kind: str, value: object) -> bytes:
    """A value with its type as it stands behind its key. `kind` is "u32", "str", "bool" …, or "[" and one of them.

    Raises ValueError for a kind that is none or a value that does not fit it.
    """
    if kind.startswith("["):
        element = kind[1:]
        if element not in _KINDS or not isinstance(value, Sequence):
            raise ValueError(f"no list of {element}: {value!r:.80}")
        return struct.pack("<IIQ", _ARRAY, _KINDS[element], len(value)) + _elements(element, value)
    if kind not in _KINDS:
        raise ValueError(f"unknown kind {kind!r}")
    return struct.pack("<I", _KINDS[kind]) + _elements(kind, (value,))


def _elements(kind: str, values: Sequence[object]) -> bytes:
    if kind == "str":
        return b"".join(_text(value) for value in values)
    try:
        return struct.pack(f"<{len(values)}{_CODES[kind]}", *values)
    except (struct.error, OverflowError) as error:
        raise ValueError(f"a value is no {kind}: {error}") from error


def _text(value: object) -> bytes:
    if isinstance(value, bytes):
        raw = value
    elif isinstance(value, str):
        raw = value.encode("utf-8", "surrogatepass")
    else:
        raise ValueError(f"no text: {value!r:.80}")
    return struct.pack("<Q", len(raw)) + raw


def _unwritable(name: str, shape: tuple[int, ...]) -> UserError:
    return UserError(
        "This model has a tensor that no GGUF can hold.",
        "Choose another model.",
        kind="not-supported",
        details=f"{name[:120]!r} of shape {shape}",
        bad_input=True,
    )
