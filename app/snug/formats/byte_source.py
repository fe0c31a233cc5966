"""Where bytes of a model file come from: a file here, or one elsewhere read by ranges."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Protocol

from snug.core.errors import UserError


class ByteSource(Protocol):
    """Random access to the bytes of one file."""

    @property
    def size(self) -> int:
        """The whole file's size in bytes."""

    def read(self, offset: int, length: int) -> bytes:
        """The bytes from `offset` on: `length` of them, or fewer where the file ends. Raises UserError."""


class FileSource:
    """A file on this computer; a context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            status = os.stat(path)
            if not stat.S_ISREG(status.st_mode):
                raise _not_a_file(path)
            self._file = open(path, "rb", buffering=0)  # noqa: SIM115 - closed by __exit__ or close()
        except OSError as error:
            raise _unreadable(path, error) from error
        except ValueError as error:
            raise _not_a_file(path) from error
        self._size = status.st_size

    @property
    def size(self) -> int:
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        try:
            self._file.seek(offset)
            return self._file.read(length)
        except OSError as error:
            raise _unreadable(self.path, error) from error

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> FileSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _not_a_file(path: Path) -> UserError:
    return UserError(f"{path.name or path} is not a file.", "Choose a model file.", kind="not-a-file", bad_input=True)


def _unreadable(path: Path, error: OSError) -> UserError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return UserError(
            f"There is no file {path.name}.",
            "Check the name; if it is on another drive, connect that drive.",
            kind="no-file",
            details=str(path),
            bad_input=True,
        )
    if isinstance(error, PermissionError):
        return UserError(
            f"You may not read {path.name}.",
            "Change the file's permissions, or copy it to a folder of your own.",
            kind="no-permission",
            details=str(error),
            bad_input=True,
        )
    return UserError(
        f"{path.name} cannot be read.",
        "The drive may be failing or disconnected.",
        kind="read-failed",
        details=str(error),
    )
