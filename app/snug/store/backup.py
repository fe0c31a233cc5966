"""Copies of the database: taken through SQLite's backup, named when complete, the newest five kept."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from snug.core.errors import UserError
from snug.paths import Paths
from snug.store.database import FAULTS, connect, told_error
from snug.store.integrity import problems
from snug.store.marker import sync_folder
from snug.store.migrate import recorded_revision
from snug.store.schema import KNOWN_REVISIONS

KEPT = 5
# A backup of 50 MB takes 0.36 s: up to this size it is made at start, above at closing.
AT_START_BYTES = 16_000_000
OVERDUE_DAYS = 3
_NAME = re.compile(r"snug-(\d{6,})-(\d{4}-\d{2}-\d{2})(-before-\w+)?\.db")


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished copy. `number` grows with every copy, because clocks jump."""

    path: Path
    number: int
    day: date


def all_backups(paths: Paths) -> list[Backup]:
    """The copies that are there, the newest first."""
    found = []
    if paths.backups.is_dir():
        for path in paths.backups.iterdir():
            match = _NAME.fullmatch(path.name)
            if match:
                with contextlib.suppress(ValueError):
                    found.append(Backup(path, int(match[1]), date.fromisoformat(match[2])))
    return sorted(found, key=lambda backup: backup.number, reverse=True)


def days_since_last(paths: Paths, now: datetime) -> int | None:
    """How many days ago the newest copy was made; None where there is none. A clock set back counts as days."""
    backups = all_backups(paths)
    return abs((now.date() - backups[0].day).days) if backups else None


def is_due(paths: Paths, now: datetime, size_bytes: int, *, is_start: bool) -> bool:
    """Whether a copy is to be made now: once a day, a large one at closing unless that was missed for days."""
    days = days_since_last(paths, now)
    if days == 0:
        return False
    is_overdue = days is None or days >= OVERDUE_DAYS
    return not is_start or is_overdue or size_bytes <= AT_START_BYTES


def make_backup(source: sqlite3.Connection, paths: Paths, now: datetime, before: str = "") -> Path:
    """A checked copy under its final name; `before` names the migration that follows.

    Raises UserError: "database-damaged" where the source is, which is how a file too large for the check at start
    is checked, else "backup-failed".
    """
    try:
        paths.backups.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = max((backup.number for backup in all_backups(paths)), default=0) + 1
        suffix = f"-before-{before}" if before else ""
        final = paths.backups / f"snug-{number:06d}-{now:%Y-%m-%d}{suffix}.db"
        part = paths.backups / "snug.part"
        _remove_with_journals(part)
        with contextlib.closing(sqlite3.connect(part)) as target:
            source.backup(target)
            if problems(target, 0):
                raise UserError("Snug's file of chats and models is damaged.", kind="database-damaged")
        _sync(part)
        os.replace(part, final)
        sync_folder(paths.backups)
    except (OSError, *FAULTS) as error:
        told = told_error(error)
        raise UserError(
            "A backup of your chats could not be made.",
            told.advice if told else "Check that Snug's folder has space and may be written.",
            kind="backup-failed",
            details=str(error),
        ) from error
    for old in all_backups(paths)[KEPT:]:
        with contextlib.suppress(OSError):
            old.path.unlink()
    return final


def newest_good(paths: Paths) -> Backup | None:
    """The newest copy that is whole and that this version understands."""
    for backup in all_backups(paths):
        try:
            with contextlib.closing(connect(backup.path, "ro", 1000)) as connection:
                if recorded_revision(connection) in KNOWN_REVISIONS and not problems(connection, 0):
                    return backup
        except FAULTS:
            continue
    return None


def _remove_with_journals(path: Path) -> None:
    for suffix in ("", "-journal", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
