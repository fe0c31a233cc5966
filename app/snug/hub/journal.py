"""The journal beside a part file: which version is being fetched, and which bytes are safely on the disk.

Lines of text, each with its own CRC: the first is the head, "D first end" follows each step that was synced, "V hash"
that the whole file was verified. A line that a crash left half-written is ignored, and costs no more than its step.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from snug.hub.spans import Spans

_FORMAT = 1
_MOST_BYTES = 64 * 1024 * 1024


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What is being fetched. `etag` names the version; `sha256` is "" where the Hub does not say it."""

    repo: str
    file: str
    size: int
    etag: str
    sha256: str = ""
    commit: str = ""
    format: int = _FORMAT


@dataclass
class State:
    """What a journal says."""

    head: Head
    spans: Spans = field(default_factory=Spans)
    verified: str = ""


def read_journal(path: Path) -> State | None:
    """The journal at `path`, None where there is none that can be used."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            return None
        lines = path.read_bytes().split(b"\n")
    except OSError:
        return None
    first, *rest = lines
    try:
        head = msgspec.json.decode(unsealed(first) or b"", type=Head)
    except msgspec.DecodeError:
        return None
    if head.format != _FORMAT or head.size < 0:
        return None
    state = State(head)
    for line in rest:
        _take(state, (unsealed(line) or b"").decode("ascii", "replace").split())
    return state


def _take(state: State, words: list[str]) -> None:
    match words:
        case ["D", first, end] if first.isdigit() and end.isdigit() and int(first) < int(end) <= state.head.size:
            state.spans.add(int(first), int(end))
        case ["V", digest]:
            state.verified = digest
        case _:
            pass  # a line that a crash left half-written


class Journal:
    """A journal that is written to. `create` replaces what was there in one step."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("ab", buffering=0)

    @classmethod
    def create(cls, path: Path, head: Head, spans: Spans) -> Journal:
        """A new journal that says the same in fewer lines; it is complete on the disk when it gets its name."""
        lines = [sealed(msgspec.json.encode(head))]
        lines += [sealed(f"D {first} {end}".encode()) for first, end in spans]
        fresh = path.with_name(path.name + ".new")
        with fresh.open("wb") as file:
            file.write(b"".join(lines))
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
        sync_folder(path.parent)
        return cls(path)

    def done(self, first: int, end: int) -> None:
        """Say that these bytes are safely in the part file: only after it was synced."""
        self._write(f"D {first} {end}")

    def verified(self, digest: str) -> None:
        """Say that the whole file was found right."""
        self._write(f"V {digest}")
        os.fsync(self._file.fileno())

    def _write(self, text: str) -> None:
        line = sealed(text.encode())
        if self._file.write(line) != len(line):
            raise OSError(28, "no room for the journal")

    def close(self) -> None:
        self._file.close()


def sealed(payload: bytes) -> bytes:
    return payload + b" %08x\n" % zlib.crc32(payload)


def unsealed(line: bytes) -> bytes | None:
    payload, _, seal = line.rpartition(b" ")
    return payload if payload and seal == b"%08x" % zlib.crc32(payload) else None


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` last through a power cut, where the system has a way to ask for it."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
