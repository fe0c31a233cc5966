"""The stored tensors of a checkpoint's files, read by rows or columns so that memory stays bounded."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from snug.formats.byte_source import ByteSource
from snug.formats.checkpoints.errors import bad_checkpoint
from snug.formats.checkpoints.number_types import Array, Floats, to_float32
from snug.formats.checkpoints.safetensors_header import SafetensorsHeader, StoredTensor, read_exact, read_header

STRIP_BYTES = 16 * 1024 * 1024
"""So many bytes at most are held beside the answer when columns are cut out of rows."""
LONG_PIECE_BYTES = 2048
"""From here on a piece of a row is read alone: 8,192 pieces of 4 KiB took 19 ms, all of their 256 MB 61 ms."""


@dataclass(frozen=True, slots=True)
class TensorFile:
    """One open file: its name for words, its bytes, its header."""

    name: str
    source: ByteSource
    header: SafetensorsHeader


def open_tensor_file(name: str, source: ByteSource) -> TensorFile:
    """The file with its header read. Raises UserError."""
    return TensorFile(name, source, read_header(source, name))


class TensorFiles:
    """The tensors of several files under their names; a context manager that closes the files."""

    def __init__(self, files: Iterable[TensorFile]) -> None:
        self._files = tuple(files)
        self._file_of: dict[str, TensorFile] = {}
        self.tensors: dict[str, StoredTensor] = {}
        self.metadata: dict[str, str] = {}
        for file in self._files:
            self._add(file)

    def _add(self, file: TensorFile) -> None:
        for name, tensor in file.header.tensors.items():
            if name in self.tensors:
                details = f"{name!r} in {self._file_of[name].name} and {file.name}"
                raise bad_checkpoint("two of them hold the same tensor", details)
            self.tensors[name] = tensor
            self._file_of[name] = file
        self.metadata.update(file.header.metadata)

    def __contains__(self, name: str) -> bool:
        return name in self.tensors

    def info(self, name: str) -> StoredTensor:
        """The stored tensor called `name`. Raises UserError where there is none."""
        tensor = self.tensors.get(name)
        if tensor is None:
            raise bad_checkpoint(f"the tensor {name[:120]} is missing")
        return tensor

    def file_name(self, name: str) -> str:
        """The name of the file that holds the tensor."""
        self.info(name)
        return self._file_of[name].name

    def stored(self, name: str, first: int = 0, last: int | None = None) -> Array:
        """Entries `first` to `last` along the first axis, in the type that they are stored in.

        Types that numpy lacks come as their bytes (BF16 as uint16); of two F4 values one byte.
        """
        tensor = self.info(name)
        shape = _byte_shape(tensor) or (1,)
        last = shape[0] if last is None else last
        if not 0 <= first <= last <= shape[0]:
            raise IndexError(f"rows {first} to {last} of {name!r}, which has {shape[0]}")
        row_bytes = math.prod(shape[1:]) * np.dtype(tensor.kind.storage).itemsize
        raw = self._read(tensor, first * row_bytes, (last - first) * row_bytes)
        part = np.frombuffer(raw, tensor.kind.storage).reshape(last - first, *shape[1:])
        return part if tensor.shape else part.reshape(())

    def stored_columns(self, name: str, first: int, last: int) -> Array:
        """Columns `first` to `last` of a tensor of two axes, in the type that they are stored in."""
        tensor = self.info(name)
        rows, columns = _byte_shape(tensor)
        if not 0 <= first <= last <= columns:
            raise IndexError(f"columns {first} to {last} of {name!r}, which has {columns}")
        if (first, last) == (0, columns):
            return self.stored(name)
        kind = np.dtype(tensor.kind.storage)
        part = np.empty((rows, last - first), kind)
        row_bytes, piece_bytes = columns * kind.itemsize, (last - first) * kind.itemsize
        if piece_bytes >= LONG_PIECE_BYTES and 4 * piece_bytes <= row_bytes:
            for row in range(rows):
                raw = self._read(tensor, row * row_bytes + first * kind.itemsize, piece_bytes)
                part[row] = np.frombuffer(raw, kind)
            return part
        step = max(1, STRIP_BYTES // max(1, row_bytes))
        for row in range(0, rows, step):
            end = min(rows, row + step)
            part[row:end] = self.stored(name, row, end)[:, first:last]
        return part

    def stored_bytes(self, name: str, first: int = 0, last: int | None = None) -> Array:
        """Bytes `first` to `last` of the tensor, whatever they are declared as."""
        tensor = self.info(name)
        last = tensor.size_bytes if last is None else last
        if not 0 <= first <= last <= tensor.size_bytes:
            raise IndexError(f"bytes {first} to {last} of {name!r}")
        return np.frombuffer(self._read(tensor, first, last - first), np.uint8)

    def stored_span(self, name: str, first: int, last: int) -> Array:
        """Elements `first` to `last` of the tensor in its flat order, in the type that they are stored in."""
        kind = np.dtype(self.info(name).kind.storage)
        return self.stored_bytes(name, first * kind.itemsize, last * kind.itemsize).view(kind)

    def floats(self, name: str, first: int = 0, last: int | None = None) -> Floats:
        """Entries `first` to `last` along the first axis as float32."""
        return to_float32(self.stored(name, first, last), self.info(name).kind)

    def _read(self, tensor: StoredTensor, offset: int, length: int) -> bytes:
        file = self._file_of[tensor.name]
        return read_exact(file.source, tensor.start + offset, length, file.name)

    def close(self) -> None:
        for file in self._files:
            close = getattr(file.source, "close", None)
            if close is not None:
                close()

    def __enter__(self) -> TensorFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _byte_shape(tensor: StoredTensor) -> tuple[int, ...]:
    """The shape in stored items: two F4 values share one."""
    if tensor.kind.bits < 8 and tensor.shape:
        return (*tensor.shape[:-1], tensor.shape[-1] * tensor.kind.bits // 8)
    return tensor.shape


def sizes(tensors: Mapping[str, StoredTensor], names: Iterable[str]) -> int:
    """The bytes that these tensors take in their files; names that are not there count nothing."""
    return sum(tensors[name].size_bytes for name in names if name in tensors)
