"""The proof that a file is what the Hub promised: its hash, computed while it arrives."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

from snug.hub import failures
from snug.hub.journal import Head
from snug.hub.part_file import PartFile, part_path

_HASH_STEP = 4 * 1024 * 1024
_THREAD_STEP = 32 * 1024 * 1024
_PAUSE_S = 0.1


class Digest:
    """The hashes of a file, computed from its start as far as it is there.

    `sha256` for what the Hub keeps as a large file, SHA-1 as git names a blob for the small ones.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.position = 0
        self._file = path.open("rb", buffering=0)
        self._sha256 = hashlib.sha256()
        self._git = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)

    def advance(self, end: int) -> None:
        """Read on to `end`, or to where the file ends."""
        while self.position < end:
            piece = self._file.read(min(_HASH_STEP, end - self.position))
            if not piece:
                return
            self._sha256.update(piece)
            self._git.update(piece)
            self.position += len(piece)

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()

    def matches(self, head: Head) -> bool:
        """Whether this is the content that the head promises, by the strongest hash that is known."""
        if self.position != head.size:
            return False
        if head.sha256:
            return self.sha256 == head.sha256
        return len(head.etag) != 40 or self._git.hexdigest() == head.etag

    def close(self) -> None:
        self._file.close()


async def digest_of(path: Path, size: int) -> Digest:
    """The digest of a whole file; it is closed."""
    digest = Digest(path, size)
    try:
        await asyncio.to_thread(digest.advance, size)
    finally:
        digest.close()
    return digest


class Proof:
    """Hashes a part file from its start while the rest still arrives, so that little is left to read at the end."""

    def __init__(self, part: PartFile) -> None:
        self._part = part
        self._generation = part.generation
        self._digest = Digest(part_path(part.final), part.head.size)
        self._ending = asyncio.Event()
        self._end_task = asyncio.ensure_future(self._ending.wait())
        self._task = asyncio.ensure_future(self._follow())

    async def _follow(self) -> None:
        while not self._ending.is_set():
            await self._step()
            await asyncio.wait({self._end_task}, timeout=_PAUSE_S)

    async def _step(self) -> None:
        if self._generation != self._part.generation:  # the file was started again
            self._digest.close()
            self._generation = self._part.generation
            self._digest = Digest(part_path(self._part.final), self._part.head.size)
        end = min(self._part.spans.prefix, self._digest.position + _THREAD_STEP)
        if end > self._digest.position:
            await asyncio.to_thread(self._digest.advance, end)

    async def finish(self) -> Digest:
        """The digest of the whole file; to be called when every byte is there."""
        self._ending.set()
        await self._task
        if self._part.spans.total != self._part.head.size:
            raise failures.connection_lost("bytes are missing after all ranges were fetched")
        position = -1
        while position < self._digest.position < self._part.head.size:
            position = self._digest.position
            await self._step()
        return self._digest

    def close(self) -> None:
        self._task.cancel()
        self._end_task.cancel()
        self._digest.close()
