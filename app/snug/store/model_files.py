"""The files behind a model: whether they are still there and unchanged, and which of them may be deleted."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# FAT keeps times in steps of two seconds.
MTIME_TOLERANCE_NS = 2_000_000_000
# What a column of SQLite can hold.
LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class FileLook:
    """What a file looked like: enough to notice that it changed, went, or that its drive is away."""

    file_bytes: int
    mtime_ns: int
    inode: int
    device: int
    mount_point: str


def look_at(path: str, *, is_new: bool = False) -> FileLook | None:
    """The look of the file that `path` leads to; None where there is none. Only a new one's drive is looked up."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    inode, device = found.st_ino & LARGEST, found.st_dev & LARGEST
    return FileLook(found.st_size, found.st_mtime_ns, inode, device, mount_point_of(path) if is_new else "")


def mount_point_of(path: str) -> str:
    """The folder at which the drive of `path` is mounted; "" where it is the drive of the whole system."""
    folder = os.path.dirname(os.path.realpath(path))
    while folder and not os.path.ismount(folder):
        parent = os.path.dirname(folder)
        if parent == folder:
            return ""
        folder = parent
    return "" if folder == os.path.dirname(folder) and os.name != "nt" else folder


def state_of(path: str, known: FileLook, now: FileLook | None) -> str:
    """Compare with what was known: "ready", "changed", "missing" or "not_connected".

    "not_connected" means that the folder or its drive is away, so the file may come back untouched.
    """
    if now is None:
        return "not_connected" if _is_drive_away(path, known) else "missing"
    is_same_file = now.inode == known.inode or now.device != known.device
    is_same = now.file_bytes == known.file_bytes and abs(now.mtime_ns - known.mtime_ns) <= MTIME_TOLERANCE_NS
    return "ready" if is_same and is_same_file else "changed"


def _is_drive_away(path: str, known: FileLook) -> bool:
    if known.mount_point and not os.path.ismount(known.mount_point):
        return True
    try:
        return os.stat(os.path.dirname(path)).st_dev & LARGEST != known.device
    except (OSError, ValueError):
        return True


def deletable(files: Iterable[str], folders: Iterable[Path]) -> tuple[list[str], int]:
    """Those of `files` that lie inside one of `folders`, and the bytes that deleting them frees.

    Only the name inside the folder counts: a link is deleted as a link, whatever it leads to, and a file with a
    second name elsewhere frees nothing.
    """
    roots = [os.path.realpath(folder) for folder in folders]
    chosen: list[str] = []
    freed = 0
    for path in files:
        parent = os.path.realpath(os.path.dirname(path))
        if not any(parent == root or parent.startswith(root.rstrip(os.sep) + os.sep) for root in roots):
            continue
        try:
            found = os.lstat(path)
        except (OSError, ValueError):
            continue
        if stat.S_ISDIR(found.st_mode):
            continue
        chosen.append(path)
        if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
            freed += found.st_size
    return chosen, freed


def delete_files(files: Iterable[str], folders: Iterable[Path]) -> None:
    """Delete `files` and the folders that this leaves empty, never one of `folders` itself. Raises OSError."""
    roots = {os.path.realpath(folder) for folder in folders}
    for path in files:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    for path in files:
        folder = os.path.realpath(os.path.dirname(path))
        while any(folder.startswith(root + os.sep) for root in roots):
            try:
                os.rmdir(folder)
            except OSError:
                break
            folder = os.path.dirname(folder)
