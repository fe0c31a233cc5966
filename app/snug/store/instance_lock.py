"""One Snug at a time per home folder: a lock of the operating system that ends with its process."""

from __future__ import annotations

import os
import sys
from typing import IO

from snug.core.errors import UserError
from snug.paths import Paths

# The lock is on one byte far behind the text, so that others can read the pid also where locks are mandatory.
LOCKED_BYTE = 1 << 20


class InstanceLock:
    """The right to write this home folder. It cannot go stale: the system frees it when the process ends."""

    def __init__(self, paths: Paths) -> None:
        self._path = paths.lock
        self._file: IO[bytes] | None = None

    @property
    def is_held(self) -> bool:
        """True while this object holds the lock."""
        return self._file is not None

    def acquire(self) -> bool:
        """Whether this process holds the lock now; never waits. Raises UserError where the folder is not writable."""
        if self._file is not None:
            return True
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = self._path.open("a+b", buffering=0)
        except OSError as error:
            raise UserError(
                f"Snug cannot write in its folder {self._path.parent}.",
                "Allow writing there, or choose another folder with the environment variable SNUG_HOME.",
                kind="folder-not-writable",
                details=str(error),
            ) from error
        if not _lock(file):
            file.close()
            return False
        file.truncate(0)
        file.write(str(os.getpid()).encode())
        self._file = file
        return True

    def release(self) -> None:
        """Free the lock; the file stays, because removing it would let two processes lock two files."""
        if self._file is not None:
            self._file.truncate(0)
            _unlock(self._file)
            self._file.close()
            self._file = None

    def holder(self) -> int | None:
        """The process number of the Snug that holds the lock, for messages; None where it is not known."""
        try:
            text = self._path.read_bytes()[:20]
        except OSError:
            return None
        return int(text) if text.isdigit() else None


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes]) -> bool:
        file.seek(LOCKED_BYTE)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        file.seek(LOCKED_BYTE)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _lock(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_UN)
