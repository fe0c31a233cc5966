"""A GGUF in the making: tensors in any order, each journaled when it is on the disk, the name only for a proven one."""

from __future__ import annotations

import errno
import hashlib
import os
import time
import zlib
from collections.abc import Callable
from pathlib import Path

from snug.convert.result_journal import Head, ResultJournal, read_journal
from snug.core.errors import UserError
from snug.core.words import size_text
from snug.formats.gguf_header import read_file_header
from snug.formats.gguf_writer import GgufLayout
from snug.hub.disk_space import free_bytes
from snug.hub.file_lock import FileLock
from snug.hub.journal import sync_folder

_sync_data = getattr(os, "fdatasync", os.fsync)
_READ_STEP = 4 * 1024 * 1024
_COMMIT_BYTES = 64 * 1024 * 1024
_COMMIT_S = 2.0
"""At most so many bytes of finished small tensors, or seconds of work on them, wait for one sync and may be lost by a
kill."""
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
SPARE_BYTES = 64 * 1024 * 1024
"""Room that must be left on the disk beside the result."""


def part_path(final: Path) -> Path:
    return final.with_name(final.name + ".making")


def journal_path(final: Path) -> Path:
    return final.with_name(final.name + ".making-journal")


def lock_path(final: Path) -> Path:
    return final.with_name(final.name + ".making-lock")


class ResultFile:
    """The file that will be `final`. After `open`, `finished` are the tensors that need not be made again."""

    def __init__(self, final: Path, layout: GgufLayout, head: Head, beside_bytes: int = 0) -> None:
        self.final = final
        self.layout = layout
        self.head = head
        self.finished: dict[int, int] = {}
        self.started_again = False
        """Whether an earlier, unfinished result was thrown away because it was of another source or other settings."""
        self._beside_bytes = beside_bytes  # what else the conversion puts on the disk meanwhile
        self._lock = FileLock(lock_path(final))
        self._descriptor = -1
        self._journal: ResultJournal | None = None
        self._waiting: dict[int, int] = {}
        self._waiting_bytes = 0
        self._committed = time.monotonic()

    def open(self) -> None:
        """Take the place for this process, and take over what an interrupted conversion left. Raises UserError."""
        try:
            self.final.parent.mkdir(parents=True, exist_ok=True)
            if not self._lock.acquire():
                raise UserError(
                    f"{self.final.name} is being made already.",
                    "Wait until it is done, or choose another name.",
                    kind="busy",
                )
            self._begin()
        except OSError as error:
            self.close()
            raise self.explain(error) from error
        except UserError:
            self.close()
            raise

    def _begin(self) -> None:
        part, state = part_path(self.final), read_journal(journal_path(self.final))
        is_same = state is not None and state.head == self.head
        if is_same and self.final.is_file() and not os.path.lexists(part):
            os.replace(self.final, part)  # killed between the new name and the end: it is proven once more
        if os.path.lexists(self.final):
            raise UserError(
                f"There is a file {self.final.name} already.",
                "Choose another name, or remove that file first.",
                kind="exists",
                details=str(self.final),
                bad_input=True,
            )
        is_there = part.is_file() and not part.is_symlink()
        if is_there and is_same and state is not None:
            whole = part.stat().st_size == self.layout.file_bytes
            self.finished = dict(state.finished) if whole else {}
        elif os.path.lexists(part):
            self.started_again = state is not None and bool(state.finished)
            part.unlink()
        self._check_room()
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(part, flags, 0o644)
        os.ftruncate(self._descriptor, self.layout.file_bytes)
        self._put(0, self.layout.header)
        _sync_data(self._descriptor)
        self._journal = ResultJournal(journal_path(self.final), self.head, self.finished)

    def _check_room(self) -> None:
        """Raise UserError before anything is written that cannot be finished."""
        sizes = [place.size_bytes for place in self.layout.tensors]
        missing = sum(sizes) - sum(sizes[index] for index in self.finished) + self._beside_bytes + SPARE_BYTES
        free = free_bytes(self.final.parent)
        if free < missing:
            raise _disk_full(self.final.parent, missing - free, "Nothing was written; the source is untouched.")

    def write(self, offset: int, data: bytes | memoryview) -> None:
        """Put bytes at their place; they count only after `finish` and `commit`. Raises UserError."""
        try:
            self._put(offset, data)
        except OSError as error:
            raise self.explain(error) from error

    def finish(self, index: int, crc: int) -> None:
        """All bytes of this tensor were written; small ones are synced several at a time. Raises UserError."""
        self._waiting[index] = crc
        self._waiting_bytes += self.layout.tensors[index].size_bytes
        if self._waiting_bytes >= _COMMIT_BYTES or time.monotonic() - self._committed >= _COMMIT_S:
            self.commit()

    def commit(self) -> None:
        """Bring the finished tensors onto the disk, then tell the journal. Raises UserError."""
        if not self._waiting or self._journal is None:
            return
        waiting, self._waiting, self._waiting_bytes = self._waiting, {}, 0
        self._committed = time.monotonic()
        try:
            _sync_data(self._descriptor)
            for index, crc in waiting.items():
                self._journal.note(index, crc)
        except OSError as error:
            raise self.explain(error) from error
        self.finished |= waiting

    def verify(self, is_cancelled: Callable[[], bool], on_read: Callable[[int], None]) -> str:
        """Read the whole file again: header, sizes, every tensor's checksum. Its SHA-256, "" where it was cancelled.

        Raises UserError where the disk does not give back what was written; such tensors are made again next time.
        """
        self.commit()
        digest = hashlib.sha256()
        wrong = []
        try:
            os.fsync(self._descriptor)
            with part_path(self.final).open("rb", buffering=0) as file:
                header = _read(file.fileno(), len(self.layout.header))
                digest.update(header)
                is_right = header == self.layout.header and len(self.finished) == len(self.layout.tensors)
                places = [*enumerate(self.layout.tensors)]
                for position, (index, place) in enumerate(places):
                    end = places[position + 1][1].offset if position + 1 < len(places) else self.layout.file_bytes
                    crc, left = 0, place.size_bytes
                    while left:
                        piece = file.read(min(_READ_STEP, left))
                        if not piece or is_cancelled():
                            break
                        crc, left = zlib.crc32(piece, crc), left - len(piece)
                        digest.update(piece)
                        on_read(len(piece))
                    if is_cancelled():
                        return ""
                    digest.update(file.read(end - place.offset - place.size_bytes))
                    if left or crc != self.finished.get(index):
                        wrong.append(index)
        except OSError as error:
            raise self.explain(error) from error
        if wrong or not is_right:
            self._forget(wrong)
            raise _not_what_was_written(len(wrong))
        read_file_header(part_path(self.final))
        return digest.hexdigest()

    def _forget(self, wrong: list[int]) -> None:
        for index in wrong:
            self.finished.pop(index, None)
        if self._journal is not None:
            self._journal.close()
        try:
            self._journal = ResultJournal(journal_path(self.final), self.head, self.finished)
        except OSError as error:
            raise self.explain(error) from error

    def publish(self) -> None:
        """Give the file its name; from here on it is a model file like any other. Raises UserError."""
        self._release()
        try:
            if os.path.lexists(self.final):
                raise UserError(
                    f"There is a file {self.final.name} already.",
                    "Choose another name, or remove that file first.",
                    kind="exists",
                    bad_input=True,
                )
            os.replace(part_path(self.final), self.final)
            sync_folder(self.final.parent)
            journal_path(self.final).unlink(missing_ok=True)
        except OSError as error:
            raise self.explain(error) from error
        finally:
            self._lock.release()

    def drop(self) -> None:
        """Remove what was made so far."""
        self._release()
        remove_leftovers(self.final)
        self._lock.release()

    def close(self) -> None:
        """Let go of the file; what the journal says stays true."""
        self._release()
        self._lock.release()

    def explain(self, error: OSError) -> UserError:
        """The words for what the disk did not do. A result that does not fit is removed: it only takes room."""
        details = f"{type(error).__name__}: {error}"
        if error.errno in _FULL:
            written = sum(self.layout.tensors[index].size_bytes for index in self.finished)
            missing = self.layout.file_bytes - written + SPARE_BYTES
            lacking = missing - free_bytes(self.final.parent)
            self.drop()
            return _disk_full(self.final.parent, lacking, "The unfinished result was removed; the source is untouched.")
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return UserError(
                f"Snug may not write into the folder {self.final.parent.name or self.final.parent}.",
                "Choose another folder, or give yourself permission to write there.",
                kind="folder-read-only",
                details=details,
            )
        return UserError(
            "The disk could not save the result.",
            "Check the disk, then start again: what is safely saved is used. The source is untouched.",
            kind="disk-problem",
            details=details,
        )

    def _put(self, offset: int, data: bytes | memoryview) -> None:
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def _release(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        if self._journal is not None:
            self._journal.close()
            self._journal = None


def unfinished(folder: Path, source: str) -> tuple[str, float]:
    """The type of an unfinished result of this source in `folder` ("" for none), and the share of it that is done."""
    try:
        journals = sorted(folder.glob("*.gguf.making-journal"))
    except OSError:
        return "", 0.0
    for path in journals:
        state = read_journal(path)
        part = path.with_name(path.name.removesuffix("-journal"))
        if state is not None and state.head.source == source and part.is_file():
            return state.head.type_name, len(state.finished) / max(1, state.head.tensors)
    return "", 0.0


def remove_leftovers(final: Path) -> int:
    """Remove the unfinished result and its journal; the bytes that this frees."""
    freed = 0
    for path in (
        part_path(final),
        journal_path(final),
        journal_path(final).with_name(journal_path(final).name + ".new"),
    ):
        try:
            status = path.lstat()
            path.unlink()
        except OSError:
            continue
        freed += getattr(status, "st_blocks", 0) * 512 or status.st_size
    return freed


def _read(descriptor: int, length: int) -> bytes:
    pieces = []
    while length and (piece := os.read(descriptor, length)):
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)


def _disk_full(folder: Path, lacking: int, kept: str) -> UserError:
    return UserError(
        f"There is not enough room on the disk for this. {kept}",
        f"Free {size_text(max(lacking, 1_000_000))} and start again, or choose a smaller type or another disk.",
        kind="disk-full",
        details=f"folder {folder}, lacking {lacking} bytes",
    )


def _not_what_was_written(count: int) -> UserError:
    return UserError(
        "The disk did not give back what was written to it.",
        "Check the disk, then start again: only what is wrong is made again.",
        kind="disk-problem",
        details=f"{count} tensors with wrong checksums",
    )
