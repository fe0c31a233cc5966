"""The contents of files: bytes, the same followed by filler, and content that is computed when it is read."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Protocol

_BLOCK = 1 << 20


class Blob(Protocol):
    """The content of one file; `in_lfs` says whether the Hub keeps it as a large file with a SHA-256."""

    in_lfs: bool

    @property
    def size(self) -> int: ...
    @property
    def sha256(self) -> str: ...
    @property
    def git_sha1(self) -> str: ...
    def read(self, offset: int, length: int) -> bytes: ...


@lru_cache(maxsize=64)
def _random_block(seed: int, index: int) -> bytes:
    return random.Random(seed * 1_000_003 + index).randbytes(_BLOCK)


def filler(seed: int, offset: int, length: int) -> bytes:
    """The bytes at `offset` of an endless stream that is the same each time."""
    parts = []
    while length > 0:
        index, inside = divmod(offset, _BLOCK)
        piece = _random_block(seed, index)[inside : inside + length]
        parts.append(piece)
        offset += len(piece)
        length -= len(piece)
    return b"".join(parts)


class _Hashed:
    """Hashes computed by reading, once."""

    in_lfs = True
    size: int

    def read(self, offset: int, length: int) -> bytes:
        raise NotImplementedError

    @cached_property
    def _hashes(self) -> tuple[str, str]:
        sha256, git = hashlib.sha256(), hashlib.sha1(f"blob {self.size}\0".encode(), usedforsecurity=False)
        for offset in range(0, self.size, _BLOCK):
            piece = self.read(offset, min(_BLOCK, self.size - offset))
            sha256.update(piece)
            git.update(piece)
        return sha256.hexdigest(), git.hexdigest()

    @property
    def sha256(self) -> str:
        return self._hashes[0]

    @property
    def git_sha1(self) -> str:
        return self._hashes[1]


class Bytes(_Hashed):
    """Content that is at hand."""

    def __init__(self, data: bytes, *, in_lfs: bool = True) -> None:
        self._data = data
        self.size = len(data)
        self.in_lfs = in_lfs

    def read(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]


class Made(_Hashed):
    """Content that is made by `make` when it is first wanted, and filled up to `pad_to` bytes behind its end."""

    def __init__(self, make: Callable[[], bytes], *, pad_to: int = 0, seed: int = 1) -> None:
        self._make = make
        self._pad_to = pad_to
        self._seed = seed

    @cached_property
    def _data(self) -> bytes:
        return self._make()

    @cached_property
    def size(self) -> int:  # type: ignore[override]
        return max(len(self._data), self._pad_to)

    def read(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self.size)
        head = self._data[offset:end]
        start = offset + len(head)
        return head + filler(self._seed, start, max(0, end - start))


class Filler(_Hashed):
    """A file of any size that looks random and is the same each time."""

    def __init__(self, size: int, *, seed: int = 1) -> None:
        self.size = size
        self._seed = seed

    def read(self, offset: int, length: int) -> bytes:
        return filler(self._seed, offset, max(0, min(length, self.size - offset)))


class Vast:
    """A file too large to read in a test: zeros, with a hash that nobody will ever verify."""

    in_lfs = True
    git_sha1 = "0" * 40

    def __init__(self, size: int) -> None:
        self.size = size
        self.sha256 = hashlib.sha256(str(size).encode()).hexdigest()

    def read(self, offset: int, length: int) -> bytes:
        return bytes(max(0, min(length, self.size - offset)))
