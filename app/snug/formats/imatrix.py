"""llama.cpp's importance matrices: sums of squared inputs of each tensor's columns, as `llama-imatrix` writes them.

A GGUF of type "imatrix" with two tensors for each weight: `NAME.in_sum2` (matrices x columns) and `NAME.counts`
(matrices x 1), F32, sorted by name (tools/imatrix/imatrix.cpp). The older binary file (.dat) holds means times the
number of calls; it is read too.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snug.core.errors import UserError
from snug.formats.checkpoints.gguf_weights import GgufWeights
from snug.formats.checkpoints.number_types import Floats
from snug.formats.gguf_header import open_file, read_header
from snug.formats.gguf_writer import encode_value, plan_layout

_SUMS, _COUNTS = ".in_sum2", ".counts"
_MOST_ENTRIES = 100_000
_MOST_VALUES = 1 << 28


@dataclass(frozen=True, slots=True)
class Entry:
    """Of one tensor: sums of squares (matrices, columns), and the inputs that each matrix had (matrices,)."""

    sums: Floats
    counts: Floats

    @property
    def means(self) -> Floats:
        """Mean squares; a matrix without inputs has the mean of the others."""
        known = self.counts > 0
        means = np.divide(self.sums, np.maximum(self.counts, 1)[:, None], dtype=np.float32)
        if known.any() and not known.all():
            means[~known] = np.mean(means[known], axis=0)
        return means


@dataclass(frozen=True, slots=True)
class ImportanceFile:
    """All entries by tensor name, with what the file says of how it was made."""

    entries: Mapping[str, Entry]
    chunks: int = 0
    chunk_tokens: int = 0
    texts: tuple[str, ...] = ()

    def importance(self) -> dict[str, Floats]:
        """Mean squares by tensor, (matrices, columns); tensors without any inputs are left out."""
        return {name: entry.means for name, entry in self.entries.items() if (entry.counts > 0).any()}


def write_imatrix(path: Path, file: ImportanceFile) -> None:
    """Write it so that llama-quantize reads it. Raises OSError."""
    tensors, data = [], []
    for name, entry in sorted(file.entries.items()):
        for ending, values in ((_SUMS, entry.sums), (_COUNTS, entry.counts.reshape(-1, 1))):
            tensors.append((name + ending, values.shape, "F32"))
            data.append(np.ascontiguousarray(values, np.float32).tobytes())
    metadata = [
        ("general.type", encode_value("str", "imatrix")),
        ("imatrix.datasets", encode_value("[str", list(file.texts))),
        ("imatrix.chunk_count", encode_value("u32", file.chunks)),
        ("imatrix.chunk_size", encode_value("u32", file.chunk_tokens)),
    ]
    layout = plan_layout(metadata, tensors)
    with path.open("wb") as out:
        out.write(layout.header)
        for place, raw in zip(layout.tensors, data, strict=True):
            out.seek(place.offset)
            out.write(raw)
        out.truncate(layout.file_bytes)


def read_imatrix(path: Path) -> ImportanceFile:
    """An importance matrix of either kind. Raises UserError (kind "bad-imatrix" or "bad-gguf") for anything else."""
    try:
        with path.open("rb") as file:
            is_gguf = file.read(4) == b"GGUF"
        return _read_gguf(path) if is_gguf else _read_old(path.read_bytes())
    except OSError as error:
        raise UserError(
            f"{path.name} cannot be read ({error.strerror or error}).", "Check it.", kind="unreadable", bad_input=True
        ) from error


def _read_gguf(path: Path) -> ImportanceFile:
    with open_file(path) as source:
        header = read_header(source)
        weights = GgufWeights(header, source)
        entries = {}
        for name in weights.tensors:
            if not name.endswith(_SUMS):
                continue
            base = name.removesuffix(_SUMS)
            if base + _COUNTS not in weights.tensors:
                raise _bad(f"{base} has sums and no counts")
            sums, counts = weights.read(name), weights.read(base + _COUNTS).reshape(-1)
            entries[base] = _entry(base, sums.reshape(-1, sums.shape[-1]), counts)
    if not entries:
        raise _bad("it has no entries")
    chunks, size = header.values.get("imatrix.chunk_count", 0), header.values.get("imatrix.chunk_size", 0)
    return ImportanceFile(entries, chunks if isinstance(chunks, int) else 0, size if isinstance(size, int) else 0)


def _read_old(raw: bytes) -> ImportanceFile:
    """The layout before GGUF: a count, then of each entry its name, calls, and means times calls."""
    at = 0

    def take(code: str) -> int:
        nonlocal at
        if at + struct.calcsize(code) > len(raw):
            raise _bad("it ends too early")
        (value,) = struct.unpack_from(code, raw, at)
        at += struct.calcsize(code)
        return int(value)

    count = take("<i")
    if not 1 <= count <= _MOST_ENTRIES:
        raise _bad(f"it says that it has {count} entries")
    entries = {}
    for _ in range(count):
        length = take("<i")
        if not 1 <= length <= 1024 or at + length > len(raw):
            raise _bad(f"a name of {length} bytes")
        name = raw[at : at + length].decode("utf-8", "replace")
        at += length
        calls, values = take("<i"), take("<i")
        if calls < 0 or not 1 <= values <= _MOST_VALUES or at + 4 * values > len(raw):
            raise _bad(f"{name!r}: {values} values of {calls} calls")
        sums = np.frombuffer(raw, "<f4", values, at).reshape(1, -1).astype(np.float32)
        at += 4 * values
        entries[name] = _entry(name, sums, np.array([max(calls, 1)], np.float32))
    return ImportanceFile(entries)


def _entry(name: str, sums: Floats, counts: Sequence[float] | Floats) -> Entry:
    figures = np.asarray(counts, np.float32)
    if len(figures) != len(sums) or not np.isfinite(sums).all() or (sums < 0).any() or not (figures >= 0).all():
        raise _bad(f"impossible figures for {name!r}")
    return Entry(sums, figures)


def _bad(details: str) -> UserError:
    return UserError(
        "This is no importance matrix that Snug can read.",
        "Choose the file that llama-imatrix or Snug wrote, or let Snug collect it anew from a text.",
        kind="bad-imatrix",
        details=details,
        bad_input=True,
    )
