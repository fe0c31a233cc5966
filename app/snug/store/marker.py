"""A small file beside the database that says it was used: an empty database must not pass for a fresh start."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from snug.paths import Paths

NAME = "snug.used"
SUSPECT = "snug.suspect"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows the database had when it was last opened or closed."""

    models: int = 0
    chats: int = 0
    messages: int = 0


def read_counts(paths: Paths) -> Counts | None:
    """The counts of the last time; None where Snug was never used here. A damaged marker still says "used"."""
    try:
        return msgspec.json.decode((paths.home / NAME).read_bytes(), type=Counts)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError):
        return Counts()


def write_counts(paths: Paths, counts: Counts) -> None:
    """Keep the counts. A disk that refuses is no reason to stop: the marker that is there goes on to count."""
    write_atomically(paths.home / NAME, msgspec.json.encode(counts))


def is_suspect(paths: Paths) -> bool:
    """Whether SQLite reported damage while Snug ran."""
    return (paths.home / SUSPECT).exists()


def set_suspect(paths: Paths, suspect: bool) -> None:
    """Have the next start look at the whole database, or not any more."""
    if suspect:
        write_atomically(paths.home / SUSPECT, b"SQLite reported damage\n")
    else:
        (paths.home / SUSPECT).unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes) -> None:
    """The file has either its old or its new content, whatever happens; where the disk refuses, its old one."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError:
        part.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
