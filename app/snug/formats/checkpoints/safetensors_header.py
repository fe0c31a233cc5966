"""A bounded reader for the header of safetensors files.

It follows the format's rules (huggingface/safetensors, README "Format" and `tensor.rs`): eight bytes of length, a
JSON object of at most 100 MB that begins with `{`, tensors that cover the rest of the file in order without gap or
overlap. Every failure is a UserError of kind "bad-checkpoint".
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from snug.formats.byte_source import ByteSource
from snug.formats.checkpoints.errors import bad_checkpoint, not_supported
from snug.formats.checkpoints.json_text import parse_object
from snug.formats.checkpoints.number_types import TYPE_BY_NAME, NumberType


@dataclass(frozen=True, slots=True)
class HeaderLimits:
    """What a header may hold: `header_bytes` is the format's own limit, the others are far above real models."""

    header_bytes: int = 100_000_000
    tensors: int = 262_144
    name_bytes: int = 1024
    dimensions: int = 8
    elements: int = 2**59


LIMITS = HeaderLimits()


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """One tensor as it lies in a file: C order, little-endian, from byte `start` of the file on."""

    name: str
    kind: NumberType
    shape: tuple[int, ...]
    start: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class SafetensorsHeader:
    """The tensors of one file in the order of their bytes, and the texts of `__metadata__`."""

    tensors: Mapping[str, StoredTensor]
    metadata: Mapping[str, str]
    data_offset: int
    file_bytes: int


def read_exact(source: ByteSource, offset: int, length: int, what: str) -> bytes:
    """`length` bytes from `offset` on. Raises UserError where the file ends before."""
    pieces = []
    missing = length
    while missing:
        piece = source.read(offset + length - missing, missing)
        if not piece:
            raise bad_checkpoint(f"{what} is cut short", f"{missing} of {length} bytes at {offset} are missing")
        pieces.append(piece)
        missing -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def read_header(source: ByteSource, file_name: str, limits: HeaderLimits = LIMITS) -> SafetensorsHeader:
    """The header of a safetensors file; `file_name` is for the words of errors. Reads nothing beyond the header."""
    if source.size < 8:
        raise bad_checkpoint(f"{file_name} is empty or cut short", f"{source.size} bytes")
    start = source.read(0, 64)
    (length,) = struct.unpack("<Q", start[:8])
    if start[8:9] != b"{" or length > limits.header_bytes:
        raise bad_checkpoint(f"{file_name} {_what_it_is(start, length, limits)}", f"begins with {start[:16]!r}")
    if length + 8 > source.size:
        raise bad_checkpoint(f"{file_name} is cut short", f"a header of {length} bytes in a file of {source.size}")
    raw = read_exact(source, 8, length, file_name)
    _check_counts(raw, file_name, limits)
    entries = parse_object(raw, f"the header of {file_name}")
    metadata = _metadata(entries.pop("__metadata__", None), file_name)
    data_offset = 8 + length
    tensors = [_tensor(name, entry, data_offset, file_name, limits) for name, entry in entries.items()]
    tensors.sort(key=lambda tensor: (tensor.start, tensor.size_bytes))
    _check_cover(tensors, data_offset, source.size, file_name)
    return SafetensorsHeader({tensor.name: tensor for tensor in tensors}, metadata, data_offset, source.size)


def _what_it_is(start: bytes, length: int, limits: HeaderLimits) -> str:
    if start.lstrip().lower().startswith((b"<!doctype", b"<html")):
        return "is a web page, perhaps a login page saved instead of the model"
    if start.startswith(b"version https://git-lfs"):
        return "is only a pointer to the file (Git LFS), not the file itself"
    if start.startswith(b"GGUF"):
        return "is a GGUF, not a safetensors file"
    if start.startswith((b"PK", b"\x80\x02")):
        return "is a PyTorch or ZIP file, not a safetensors file"
    if start[8:9] == b"{" and length > limits.header_bytes:
        return "has an impossibly long header"
    return "is no safetensors file"


def _check_counts(raw: bytes, file_name: str, limits: HeaderLimits) -> None:
    """Refuses, before anything is built in memory, a header with more parts than so many tensors can have."""
    most = limits.tensors + 1
    if raw.count(b"{") > most + 1 or raw.count(b"[") > 2 * most or raw.count(b",") > 16 * most:
        raise bad_checkpoint(f"{file_name} claims impossibly many tensors", f"a header of {len(raw)} bytes")


def _metadata(value: Any, file_name: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(entry, str) for entry in value.values()):
        raise bad_checkpoint(f"the header of {file_name} is damaged", "__metadata__ is no table of texts")
    return value


def _tensor(name: str, entry: Any, data_offset: int, file_name: str, limits: HeaderLimits) -> StoredTensor:
    if not name or len(name) > limits.name_bytes or not name.isprintable():
        raise bad_checkpoint(f"{file_name} holds a tensor with an impossible name", repr(name[:80]))
    if not isinstance(entry, dict):
        raise bad_checkpoint(f"the header of {file_name} is damaged", f"tensor {name!r} is no object")
    dtype, shape, offsets = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
    kind = _kind(dtype, name)
    if not _are_sizes(shape) or len(shape) > limits.dimensions:
        raise bad_checkpoint(f"{file_name} holds a tensor of impossible shape", f"{name!r}: {repr(shape)[:80]}")
    elements = math.prod(shape)
    extent = math.prod(size for size in shape if size)  # an empty tensor may be impossibly wide, too
    if extent > limits.elements or elements * kind.bits % 8:
        raise bad_checkpoint(f"{file_name} holds a tensor of impossible shape", f"{name!r}: {repr(shape)[:80]}")
    if not _are_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise bad_checkpoint(f"{file_name} has tensors at impossible places", f"{name!r}: {repr(offsets)[:80]}")
    size = elements * kind.bits // 8
    if offsets[1] - offsets[0] != size:
        details = f"{name!r}: {offsets[1] - offsets[0]} bytes for {kind.name} {shape}, which needs {size}"
        raise bad_checkpoint(f"{file_name} contradicts itself about the size of a tensor", details)
    return StoredTensor(name, kind, tuple(shape), data_offset + offsets[0], size)


def _kind(dtype: Any, name: str) -> NumberType:
    kind = TYPE_BY_NAME.get(dtype) if isinstance(dtype, str) else None
    if kind is None:
        raise not_supported(
            "This model holds numbers of a type that Snug does not know",
            "Choose a version of the model in BF16, F16 or one of the usual quantisations.",
            f"tensor {name!r}: {repr(dtype)[:80]}",
        )
    return kind


def _are_sizes(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(size) is int and 0 <= size <= 2**62 for size in value)


def _check_cover(tensors: list[StoredTensor], data_offset: int, file_bytes: int, file_name: str) -> None:
    """The tensors' bytes must follow each other without gap or overlap, and end where the file ends."""
    position = data_offset
    for tensor in tensors:
        if tensor.start != position:
            word = "overlap" if tensor.start < position else "leave a gap"
            raise bad_checkpoint(f"the tensors of {file_name} {word}", f"{tensor.name!r} at {tensor.start}")
        position += tensor.size_bytes
    if position > file_bytes:
        raise bad_checkpoint(f"{file_name} is cut short", f"{position - file_bytes} of {position} bytes are missing")
    if position < file_bytes:
        raise bad_checkpoint(f"{file_name} holds bytes that belong to no tensor", f"{file_bytes - position} bytes")
