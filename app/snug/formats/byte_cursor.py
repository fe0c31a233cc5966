"""A forward cursor over the bytes of a file, within limits of size and time."""

from __future__ import annotations

import time
from dataclasses import dataclass

from snug.core.errors import UserError
from snug.formats.byte_source import ByteSource


@dataclass(frozen=True, slots=True)
class Limits:
    """What a header may hold at most; the defaults are far above every real model."""

    keys: int = 100_000
    tensors: int = 100_000
    key_bytes: int = 1024
    tensor_name_bytes: int = 63
    names_bytes: int = 8 * 1024 * 1024
    string_bytes: int = 10_000_000
    kept_string_bytes: int = 256 * 1024
    array_elements: int = 1_000_000
    kept_array_elements: int = 4096
    kept_values: int = 4096
    kept_elements: int = 131_072
    header_bytes: int = 512 * 1024 * 1024
    largest_alignment: int = 1024 * 1024
    seconds: float | None = 4.0


LIMITS = Limits()
CHUNK_BYTES = 1024 * 1024


def bad_gguf(what: str, details: str = "") -> UserError:
    """The error for a file that is damaged, unsafe or no GGUF."""
    return UserError(
        f"This file is not a usable model: {what}.",
        "Get it again from where it came from, or choose another file.",
        kind="bad-gguf",
        details=details,
        bad_input=True,
    )


class Cursor:
    """Reads forward in pieces of `CHUNK_BYTES` and holds one of them; every overrun is a UserError."""

    def __init__(self, source: ByteSource, limits: Limits) -> None:
        self._source = source
        self.limits = limits
        self.size = source.size
        self._end = min(self.size, limits.header_bytes)
        self.chunk = b""
        self.start = 0
        self.at = 0
        self._deadline = None if limits.seconds is None else time.monotonic() + limits.seconds

    @property
    def position(self) -> int:
        return self.start + self.at

    def take(self, length: int) -> bytes:
        self.fill(length)
        piece = self.chunk[self.at : self.at + length]
        self.at += length
        return piece

    def peek(self, length: int) -> bytes:
        return self.chunk[self.at : self.at + length]

    def skip(self, length: int) -> None:
        self.seek(self.position + length)

    def seek(self, position: int) -> None:
        if position > self._end:
            raise self._cut_short(position)
        if self.start <= position <= self.start + len(self.chunk):
            self.at = position - self.start
        else:
            self.chunk, self.start, self.at = b"", position, 0

    def fill(self, length: int) -> None:
        """Makes sure that `length` bytes lie in the chunk from the cursor on."""
        if self.at + length <= len(self.chunk):
            return
        self.check()
        if self.position + length > self._end:
            raise self._cut_short(self.position + length)
        rest = self.chunk[self.at :]
        start = self.position
        wanted = min(max(CHUNK_BYTES, length), self._end - start)
        while len(rest) < wanted:
            more = self._source.read(start + len(rest), wanted - len(rest))
            if not more:
                break
            rest += more
        self.chunk, self.start, self.at = rest, start, 0
        if len(rest) < length:
            raise self._cut_short(start + length)

    def _cut_short(self, position: int) -> UserError:
        if position > self.limits.header_bytes and self.size > self.limits.header_bytes:
            return bad_gguf("its description is impossibly long", f"more than {self.limits.header_bytes} bytes")
        return bad_gguf("it is cut short", f"byte {position} of {self.size}")

    def check(self) -> None:
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise bad_gguf("reading its description takes too long", f"more than {self.limits.seconds} s")
