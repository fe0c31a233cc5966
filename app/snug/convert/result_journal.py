"""The journal beside a result in the making: what it is made from, and which of its tensors are safely on the disk.

Lines of text, each with its own CRC: the first is the head, "T index crc32" follows for each tensor whose bytes were
synced before. A line that a crash left half-written is ignored, and costs no more than its tensor.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from snug.hub.journal import sealed, sync_folder, unsealed

_FORMAT = 1
_MOST_BYTES = 64 * 1024 * 1024


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What is being made. `identity` is a hash of source, metadata and settings, `source` one of the source alone."""

    identity: str
    source: str
    type_name: str
    tensors: int
    file_bytes: int
    format: int = _FORMAT


@dataclass
class State:
    """What a journal says: the checksum (CRC-32) of each tensor that is there, by its index."""

    head: Head
    finished: dict[int, int] = field(default_factory=dict)


def read_journal(path: Path) -> State | None:
    """The journal at `path`, None where there is none that can be used."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            return None
        first, *rest = path.read_bytes().split(b"\n")
    except OSError:
        return None
    try:
        head = msgspec.json.decode(unsealed(first) or b"", type=Head)
    except msgspec.DecodeError:
        return None
    if head.format != _FORMAT or head.file_bytes < 0:
        return None
    state = State(head)
    for line in rest:
        match (unsealed(line) or b"").decode("ascii", "replace").split():
            case ["T", index, crc] if index.isdigit() and crc.isdigit():
                state.finished[int(index)] = int(crc)
            case _:
                pass  # a line that a crash left half-written
    return state


class ResultJournal:
    """A journal that is written to. Creating it replaces what was there in one step."""

    def __init__(self, path: Path, head: Head, finished: dict[int, int]) -> None:
        lines = [sealed(msgspec.json.encode(head)), *(_line(*entry) for entry in finished.items())]
        fresh = path.with_name(path.name + ".new")
        with fresh.open("wb", buffering=0) as file:
            _write(file.fileno(), b"".join(lines))
            os.fsync(file.fileno())
        os.replace(fresh, path)
        sync_folder(path.parent)
        self._file = path.open("ab", buffering=0)

    def note(self, index: int, crc: int) -> None:
        """Say that a tensor is safely in the file: only after the file was synced."""
        _write(self._file.fileno(), _line(index, crc))

    def close(self) -> None:
        self._file.close()


def _line(index: int, crc: int) -> bytes:
    return sealed(f"T {index} {crc}".encode())


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
