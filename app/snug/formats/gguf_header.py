"""A bounded reader for the header of GGUF files, versions 2 and 3.

It follows the specification (ggml `docs/gguf.md`) and the checks of the engine's own reader, within limits that keep
a hostile or damaged file from taking more than a second or a few megabytes. Arrays are skipped by seeking; only
short ones of numbers are kept. Every failure is a UserError of kind "bad-gguf" that says what is wrong.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from snug.core.errors import UserError
from snug.formats.byte_cursor import LIMITS, Cursor, Limits, bad_gguf
from snug.formats.byte_source import ByteSource, FileSource
from snug.formats.ggml_types import REMOVED_TYPES, TYPE_BY_NUMBER, GgmlType, tensor_bytes

Value = int | float | bool | str | tuple[int | float | bool, ...]


ALWAYS_KEPT = ("general.alignment", "general.architecture")
KEPT_STRINGS = frozenset({
    "general.architecture", "general.name", "general.basename", "general.finetune", "general.type", "general.author",
    "general.organization", "general.license", "general.license.name", "general.license.link", "general.url",
    "general.repo_url", "general.source.url", "general.source.repo_url", "general.description", "general.size_label",
    "general.version", "general.quantized_by", "general.imatrix.file", "tokenizer.ggml.model", "tokenizer.ggml.pre",
    "tokenizer.chat_template", "adapter.type", "adapter.lora.task_name", "clip.projector_type",
    "clip.vision.projector_type", "clip.audio.projector_type", "quantize.imatrix.file", "quantize.imatrix.dataset",
    "imatrix.datasets", "general.base_model.0.name", "general.base_model.0.repo_url",
})  # fmt: skip

_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_SCALAR_SIZES = {number: struct.calcsize(code) for number, code in _SCALARS.items()}
_STRING, _ARRAY = 8, 9


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor: its name, dimensions (rows first, as GGUF orders them), type, and place after `data_offset`."""

    name: str
    dims: tuple[int, ...]
    kind: GgmlType
    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What the beginning of a GGUF says. `data_offset` is where the header ends and the tensors' bytes begin.

    `values` holds scalars, kept strings and short arrays of numbers; `array_lengths` the length of every array.
    """

    version: int
    values: Mapping[str, Value]
    array_lengths: Mapping[str, int]
    tensors: tuple[TensorInfo, ...]
    data_offset: int
    alignment: int
    data_bytes: int
    file_bytes: int

    def text(self, key: str) -> str:
        """The text at `key`, "" where there is none."""
        value = self.values.get(key)
        return value if isinstance(value, str) else ""


def open_file(path: Path | str) -> FileSource:
    """The bytes of a file on this computer; raises UserError where it cannot be read."""
    return FileSource(Path(path))


def read_file_header(path: Path | str, limits: Limits = LIMITS) -> GgufHeader:
    """The header of a GGUF on this computer."""
    with open_file(path) as source:
        return read_header(source, limits)


def read_header(source: ByteSource, limits: Limits = LIMITS) -> GgufHeader:
    """The header of a GGUF. Raises UserError (bad_input, kind "bad-gguf") for anything else.

    Reads forward in pieces of `CHUNK_BYTES` and touches nothing beyond the header. `limits.seconds` None leaves the
    time to the source, which may be a network.
    """
    return _Reader(source, limits).header()


class _Reader:
    """One pass over one header."""

    def __init__(self, source: ByteSource, limits: Limits) -> None:
        self._cursor = Cursor(source, limits)
        self._limits = limits
        self._size = source.size
        self._names_bytes = 0
        self._elements_kept = 0

    def header(self) -> GgufHeader:
        version, tensor_count, key_count = self._preamble()
        values: dict[str, Value] = {}
        lengths: dict[str, int] = {}
        seen: set[str] = set()
        for _ in range(key_count):
            self._read_pair(values, lengths, seen)
        alignment = self._alignment(values)
        tensors, data_bytes = self._tensors(tensor_count, alignment)
        data_offset = -(-self._cursor.position // alignment) * alignment if tensors else self._cursor.position
        if tensors and data_offset + data_bytes > self._size:
            missing = data_offset + data_bytes - self._size
            raise bad_gguf("its end is missing", f"{missing} of {data_offset + data_bytes} bytes are missing")
        return GgufHeader(version, values, lengths, tensors, data_offset, alignment, data_bytes, self._size)

    def _preamble(self) -> tuple[int, int, int]:
        if self._size < 24:
            raise bad_gguf("it is empty or cut short", f"{self._size} bytes")
        magic = self._cursor.take(4)
        if magic != b"GGUF":
            raise bad_gguf(_what_it_is(magic + self._cursor.peek(60)), f"begins with {magic!r}")
        version, tensors, keys = struct.unpack("<IQQ", self._cursor.take(20))
        if version not in (2, 3):
            if int.from_bytes(version.to_bytes(4, "little"), "big") in (2, 3):
                raise bad_gguf("it was made for another kind of processor (big-endian)")
            raise bad_gguf(f"its version {version} is not supported; versions 2 and 3 are")
        remaining = self._size - 24
        if keys > self._limits.keys or 13 * keys > remaining:
            raise bad_gguf("it claims more entries than it can hold", f"{keys} keys")
        if tensors > self._limits.tensors or 24 * tensors > remaining:
            raise bad_gguf("it claims more tensors than it can hold", f"{tensors} tensors")
        return version, tensors, keys

    def _read_pair(self, values: dict[str, Value], lengths: dict[str, int], seen: set[str]) -> None:
        key = self._name(self._limits.key_bytes, "key")
        if key in seen:
            raise bad_gguf("one of its entries appears twice", f"key {key!r}")
        seen.add(key)
        (kind,) = struct.unpack("<I", self._cursor.take(4))
        value: Value | None = None
        if kind in _SCALARS:
            value = self._scalar(kind)
        elif kind == _STRING:
            value = self._string(key)
        elif kind == _ARRAY:
            value = self._array(key, lengths)
        else:
            raise bad_gguf("it holds an entry of an unknown kind", f"key {key!r} of type {kind}")
        if value is not None and (len(values) < self._limits.kept_values or key in ALWAYS_KEPT):
            values[key] = value

    def _scalar(self, kind: int) -> Value:
        raw = self._cursor.take(_SCALAR_SIZES[kind])
        if kind == 7:
            return raw != b"\0"
        value: Value = struct.unpack(_SCALARS[kind], raw)[0]
        return value

    def _string(self, key: str) -> str | None:
        (length,) = struct.unpack("<Q", self._cursor.take(8))
        if length > self._limits.string_bytes:
            raise bad_gguf("it holds a text of impossible length", f"key {key!r}: {length} bytes")
        if key not in KEPT_STRINGS or length > self._limits.kept_string_bytes:
            self._cursor.skip(length)
            return None
        return self._cursor.take(length).decode("utf-8", "replace")

    def _array(self, key: str, lengths: dict[str, int]) -> Value | None:
        kind, count = struct.unpack("<IQ", self._cursor.take(12))
        if count > self._limits.array_elements:
            raise bad_gguf("it holds a list of impossible length", f"key {key!r}: {count} elements")
        if len(lengths) < self._limits.kept_values:
            lengths[key] = count
        if kind == _STRING:
            self._skip_strings(count, key)
            return None
        if kind not in _SCALARS:
            raise bad_gguf("it holds a list of an unknown kind", f"key {key!r}: elements of type {kind}")
        size = _SCALAR_SIZES[kind] * count
        if key.startswith("tokenizer.") or count > self._limits.kept_array_elements:
            self._cursor.skip(size)
            return None
        self._elements_kept += count
        if self._elements_kept > self._limits.kept_elements:
            self._cursor.skip(size)
            return None
        raw = self._cursor.take(size)
        if kind == 7:
            return tuple(byte != 0 for byte in raw)
        return struct.unpack(f"<{count}{_SCALARS[kind][1]}", raw)

    def _skip_strings(self, count: int, key: str) -> None:
        """Passes over strings chunk by chunk; a vocabulary of 262,144 takes about a twentieth of a second."""
        unpack = struct.Struct("<Q").unpack_from
        longest = self._limits.string_bytes
        cursor = self._cursor
        done = 0
        while done < count:
            cursor.check()
            cursor.fill(8)
            chunk, at = cursor.chunk, cursor.at
            last = len(chunk) - 8
            while done < count and at <= last:
                (length,) = unpack(chunk, at)
                if length > longest:
                    raise bad_gguf("it holds a text of impossible length", f"key {key!r}: {length} bytes")
                at += 8 + length
                done += 1
            cursor.seek(cursor.start + at)

    def _tensors(self, count: int, alignment: int) -> tuple[tuple[TensorInfo, ...], int]:
        """All tensors, whose places must follow one another without gap or overlap, as the engine demands."""
        tensors = []
        names: set[str] = set()
        expected = 0
        for _ in range(count):
            tensor = self._tensor()
            if tensor.name in names:
                raise bad_gguf("one of its tensors appears twice", f"tensor {tensor.name!r}")
            names.add(tensor.name)
            if tensor.offset != expected:
                raise bad_gguf(
                    "its table of contents does not match its contents",
                    f"tensor {tensor.name!r} at {tensor.offset}, expected {expected}",
                )
            expected += -(-tensor.size_bytes // alignment) * alignment
            tensors.append(tensor)
        end = tensors[-1].offset + tensors[-1].size_bytes if tensors else 0
        return tuple(tensors), end

    def _tensor(self) -> TensorInfo:
        name = self._name(self._limits.tensor_name_bytes, "tensor name")
        (dimensions,) = struct.unpack("<I", self._cursor.take(4))
        if not 1 <= dimensions <= 4:
            raise bad_gguf("a tensor has an impossible shape", f"tensor {name!r}: {dimensions} dimensions")
        dims = struct.unpack(f"<{dimensions}Q", self._cursor.take(8 * dimensions))
        number, offset = struct.unpack("<IQ", self._cursor.take(12))
        product = 1
        for size in dims:
            product *= size
        if product > 2**62 or max(dims) > 2**62:
            raise bad_gguf("a tensor has an impossible shape", f"tensor {name!r}: {dims}")
        kind = TYPE_BY_NUMBER.get(number)
        if kind is None:
            raise _unknown_type(number, name)
        try:
            return TensorInfo(name, dims, kind, offset, tensor_bytes(kind, dims))
        except ValueError as error:
            raise bad_gguf("a tensor has an impossible shape", f"tensor {name!r}: {error}") from error

    def _alignment(self, values: Mapping[str, Value]) -> int:
        value = values.get("general.alignment", 32)
        if isinstance(value, bool) or not isinstance(value, int):
            raise bad_gguf("its alignment is not a number", repr(value)[:80])
        if not 8 <= value <= self._limits.largest_alignment or value & (value - 1):
            raise bad_gguf("its alignment is impossible", str(value))
        return value

    def _name(self, longest: int, what: str) -> str:
        (length,) = struct.unpack("<Q", self._cursor.take(8))
        self._names_bytes += min(length, longest)
        if not 1 <= length <= longest or self._names_bytes > self._limits.names_bytes:
            raise bad_gguf("it holds a name of impossible length", f"{what} of {length} bytes")
        raw = self._cursor.take(length)
        try:
            name = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise bad_gguf("it holds a name that is no text", f"{what} {raw[:40]!r}") from error
        if not name.isprintable():
            raise bad_gguf("it holds a name that is no text", f"{what} {raw[:40]!r}")
        return name


def _what_it_is(start: bytes) -> str:
    """What a file that is no GGUF seems to be, from its first bytes."""
    if start.lstrip().lower().startswith((b"<!doctype", b"<html")):
        return "it is a web page, perhaps a login page saved instead of the model"
    if start.startswith(b"version https://git-lfs"):
        return "it is only a pointer to the model (Git LFS), not the model itself"
    if start.startswith(b"PK"):
        return "it is a ZIP or PyTorch file, not a GGUF"
    if start.startswith((b"ggml", b"lmgg", b"ggjt", b"tjgg", b"fmgg")):
        return "it is in an old format from 2023 that is no longer read"
    if len(start) > 9 and start[8:9] == b"{":
        return "it is a safetensors file, not a GGUF"
    return "it is no GGUF file"


def _unknown_type(number: int, name: str) -> UserError:
    old = REMOVED_TYPES.get(number)
    if old is not None:
        what = f"it uses the type {old}, which the engine no longer reads; take the Q4_0 or IQ4_NL file instead"
    else:
        what = f"it uses the number format {number}, which is not supported yet"
    return UserError(
        f"This file cannot be used: {what}.",
        "Choose another file of the same model.",
        kind="bad-gguf",
        details=f"tensor {name!r} of type {number}",
        bad_input=True,
    )
