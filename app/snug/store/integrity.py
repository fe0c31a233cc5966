"""What a database file is, judged without trusting it: its first bytes, and SQLite's own checks."""

from __future__ import annotations

import contextlib
import sqlite3
import struct
from dataclasses import dataclass
from pathlib import Path

from snug.store.database import FAULTS, file_uri
from snug.store.schema import APPLICATION_ID, KNOWN_REVISIONS, SCHEMA_VERSION

MAGIC = b"SQLite format 3\0"
HEADER_BYTES = 100
FULL_CHECK_BYTES = 16_000_000
QUICK_CHECK_BYTES = 64_000_000


@dataclass(frozen=True, slots=True)
class FileKind:
    """`kind` is "absent", "empty", "sqlite" or "other"; the numbers are those of an SQLite header."""

    kind: str
    user_version: int = 0
    application_id: int = 0
    size_bytes: int = 0


def kind_of(path: Path) -> FileKind:
    """Read the first bytes; the file is not changed, nor opened by SQLite. Raises OSError."""
    try:
        with path.open("rb") as file:
            head = file.read(HEADER_BYTES)
            size = file.seek(0, 2)
    except FileNotFoundError:
        return FileKind("absent")
    if not head:
        return FileKind("empty")
    if len(head) < HEADER_BYTES or not head.startswith(MAGIC):
        return FileKind("other", size_bytes=size)
    (user_version,) = struct.unpack_from(">i", head, 60)
    (application_id,) = struct.unpack_from(">I", head, 68)
    return FileKind("sqlite", user_version, application_id, size)


def has_no_tables(path: Path) -> bool:
    """Whether this is a whole database with nothing in it, as a tool leaves that was asked to open a lost one."""
    try:
        with contextlib.closing(sqlite3.connect(file_uri(path, "ro&immutable=1"), uri=True)) as connection:
            return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None
    except FAULTS:
        return False


def is_newer(path: Path, found: FileKind) -> bool:
    """Whether a newer Snug wrote this database. Reads it without changing a byte.

    A version number alone may be damage: it counts only where the recorded migration is unknown too.
    """
    if found.kind != "sqlite":
        return False
    try:
        with contextlib.closing(sqlite3.connect(file_uri(path, "ro&immutable=1"), uri=True)) as connection:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except FAULTS:
        return found.user_version > SCHEMA_VERSION and found.application_id == APPLICATION_ID and not _has_damage(path)
    revision = None if row is None else str(row[0])
    return revision is not None and revision not in KNOWN_REVISIONS and not _has_damage(path)


def _has_damage(path: Path) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(file_uri(path, "ro&immutable=1"), uri=True)) as connection:
            return bool(problems(connection, 0))
    except FAULTS:
        return True


def problems(connection: sqlite3.Connection, size_bytes: int, *, is_thorough: bool = False) -> list[str]:
    """What SQLite finds wrong. A large file is checked more lightly, a very large one only when `is_thorough`."""
    if size_bytes > QUICK_CHECK_BYTES and not is_thorough:
        return []
    pragma = "integrity_check" if size_bytes <= FULL_CHECK_BYTES or is_thorough else "quick_check"
    try:
        found = [str(row[0]) for row in connection.execute(f"PRAGMA {pragma}(20)")]
    except FAULTS as error:
        if isinstance(error, UnicodeDecodeError):
            return ["the schema is no text"]
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return [str(error)]
        raise
    return [] if found == ["ok"] else found
