"""A file that is being fetched: its bytes so far, its journal, its lock; it gets its name only when it was verified."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from snug.hub.file_lock import FileLock
from snug.hub.journal import Head, Journal, read_journal, sync_folder
from snug.hub.spans import Spans

_sync_data = getattr(os, "fdatasync", os.fsync)


def part_path(final: Path) -> Path:
    return final.with_name(final.name + ".part")


def journal_path(final: Path) -> Path:
    return final.with_name(final.name + ".journal")


def lock_path(final: Path) -> Path:
    return final.with_name(final.name + ".lock")


class PartFile:
    """The file that will be `final`. After `open`, `spans` are the bytes that are safely on the disk."""

    def __init__(self, final: Path, head: Head) -> None:
        self.final = final
        self.head = head
        self.spans = Spans()
        self.in_flight = 0
        self.is_verified = False
        self.is_published = False
        self.generation = 0
        self._lock = FileLock(lock_path(final))
        self._descriptor = -1
        self._journal: Journal | None = None
        self._sync = asyncio.Lock()
        self._is_broken = False

    @property
    def received(self) -> int:
        """Bytes here so far, also those that the journal does not know yet."""
        return self.head.size if self.is_verified else min(self.head.size, self.spans.total + self.in_flight)

    def lock(self) -> bool:
        """Take the lock; False where another process is fetching this file."""
        self.final.parent.mkdir(parents=True, exist_ok=True)
        return self._lock.acquire()

    def resume(self) -> None:
        """Open the part file, and take over what a journal of the same version says is there."""
        state = read_journal(journal_path(self.final))
        part = part_path(self.final)
        there = part.lstat().st_size if part.exists() and not part.is_symlink() else -1
        is_same = state is not None and (state.head.etag, state.head.size) == (self.head.etag, self.head.size)
        if part.is_symlink() or (there >= 0 and not is_same):
            part.unlink()
        self.spans = state.spans.within(there) if state and is_same and there >= 0 else Spans()
        whole = self.spans.total == self.head.size
        self.is_verified = bool(state and is_same and state.verified and whole)
        self._journal = Journal.create(journal_path(self.final), self.head, self.spans)
        if self.is_verified and state:
            self._journal.verified(state.verified)
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(part, flags, 0o644)

    def write(self, offset: int, data: bytes) -> None:
        """Put bytes into the part file; they count only after `commit`."""
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    async def commit(self, first: int, end: int) -> None:
        """Bring the bytes onto the disk, then tell the journal."""
        async with self._sync:
            if self._is_broken:
                return
            try:
                await asyncio.to_thread(_sync_data, self._descriptor)
            except OSError:
                self._is_broken = True  # the system says it once and forgets: nothing after it can be trusted
                raise
            self._note(first, end)

    def commit_now(self, first: int, end: int) -> None:
        """The same without giving way: for the last bytes before a pause."""
        if self._is_broken or end <= first:
            return
        try:
            _sync_data(self._descriptor)
        except OSError:
            self._is_broken = True
            raise
        self._note(first, end)

    def _note(self, first: int, end: int) -> None:
        assert self._journal is not None
        self._journal.done(first, end)
        self.spans.add(first, end)

    def start_again(self) -> None:
        """Forget every byte."""
        self.generation += 1
        self.spans = Spans()
        self.is_verified = False
        if self._journal:
            self._journal.close()
        self._journal = Journal.create(journal_path(self.final), self.head, self.spans)
        os.ftruncate(self._descriptor, 0)

    def mark_verified(self, digest: str) -> None:
        assert self._journal is not None
        os.fsync(self._descriptor)
        self._journal.verified(digest)
        self.is_verified = True

    def publish(self) -> None:
        """Give the file its name; from here on it is a model file like any other."""
        self.close(keep_lock=True)
        os.replace(part_path(self.final), self.final)
        sync_folder(self.final.parent)
        journal_path(self.final).unlink(missing_ok=True)
        self.is_published = True
        self._lock.release()

    def drop(self) -> None:
        """Remove the part file and the journal."""
        self.close(keep_lock=True)
        part_path(self.final).unlink(missing_ok=True)
        journal_path(self.final).unlink(missing_ok=True)
        self._lock.release()

    def close(self, *, keep_lock: bool = False) -> None:
        """Let go of the file; what the journal says stays true."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        if self._journal:
            self._journal.close()
            self._journal = None
        if not keep_lock:
            self._lock.release()
