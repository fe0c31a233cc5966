"""The one connection to SQLite: pragmas, transactions, and SQLite's failures in words."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from snug.core.errors import UserError

# The sqlite3 module fails to decode SQLite's message where that quotes damaged bytes.
FAULTS = (sqlite3.Error, UnicodeDecodeError)
WAL_FROM = (3, 51, 3)
WINDOW_BUSY_MS = 100


def journal_mode(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> str:
    """WAL from SQLite 3.51.3 on; before, a reset of the WAL could corrupt the database."""
    return "WAL" if version >= WAL_FROM else "DELETE"


def file_uri(path: Path, mode: str) -> str:
    """The address under which SQLite opens `path` with `mode` ("rw", "rwc", "ro", "ro&immutable=1")."""
    return f"file:{quote(path.absolute().as_posix())}?mode={mode}"


def connect(path: Path, mode: str, busy_ms: int) -> sqlite3.Connection:
    """A plain connection with Snug's pragmas; used by the engine below, by backups and by recovery."""
    connection = sqlite3.connect(file_uri(path, mode), uri=True, isolation_level=None, timeout=busy_ms / 1000)
    # A damaged file may hold bytes that are no UTF-8: show them as such instead of failing the whole row.
    connection.text_factory = _text
    try:
        set_pragmas(connection, is_writer=mode.startswith("rw"))
    except FAULTS:
        connection.close()
        raise
    return connection


def set_pragmas(connection: sqlite3.Connection, *, is_writer: bool) -> None:
    """Durable commits, checked references, nothing run from the schema, deleted text overwritten, no mmap."""
    connection.execute("PRAGMA trusted_schema=OFF")
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA mmap_size=0")
    if is_writer:
        connection.execute(f"PRAGMA journal_mode={journal_mode()}")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA secure_delete=ON")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


class Database:
    """One open database. `read` and `write` give a connection inside a transaction."""

    def __init__(
        self,
        path: Path,
        *,
        read_only: bool = False,
        busy_ms: int = WINDOW_BUSY_MS,
        on_damage: Callable[[], None] | None = None,
    ) -> None:
        self.path = path
        self.is_read_only = read_only
        self._on_damage = on_damage
        mode = "ro" if read_only else "rwc"
        self._engine = sqlalchemy.create_engine(
            "sqlite://", creator=lambda: connect(path, mode, busy_ms), poolclass=StaticPool
        )
        event.listen(self._engine, "begin", _begin)
        with user_errors():
            self._connection = self._engine.connect()

    @property
    def raw(self) -> sqlite3.Connection:
        """The connection of the sqlite3 module, for backups and checks."""
        raw: Any = self._connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        return raw

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is on the disk when the block ends, or has changed nothing. Raises UserError."""
        with self._user_errors(), self._connection.execution_options(snug_begin="BEGIN IMMEDIATE").begin():
            yield self._connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view. Raises UserError."""
        with self._user_errors(), self._connection.execution_options(snug_begin="BEGIN").begin():
            yield self._connection

    @contextmanager
    def _user_errors(self) -> Iterator[None]:
        try:
            with user_errors():
                yield
        except UserError as error:
            if error.kind == "database-damaged" and self._on_damage is not None:
                self._on_damage()
            raise

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._connection.close()
        self._engine.dispose()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("snug_begin", "BEGIN IMMEDIATE"))


@contextmanager
def user_errors() -> Iterator[None]:
    """Turns SQLite's failures of the world into UserError; a mistake of ours rises as it is."""
    try:
        yield
    except (DBAPIError, *FAULTS) as error:
        told = told_error(error)
        if told is None:
            raise
        raise told from error


def told_error(error: BaseException) -> UserError | None:
    """The words for a failure of SQLite, or None where the fault is Snug's."""
    original = getattr(error, "orig", None) or error
    code = getattr(original, "sqlite_errorcode", None)
    words = _WORDS.get(code & 0xFF) if isinstance(code, int) else None
    is_quoting_damage = isinstance(original, UnicodeDecodeError) or "malformed" in str(original)
    if words is None and is_quoting_damage:
        words = _WORDS[sqlite3.SQLITE_CORRUPT]
    if words is None:
        return None
    title, advice, kind = words
    name = getattr(original, "sqlite_errorname", "")
    return UserError(title, advice, kind=kind, details=f"{name}: {original}".strip(": "))


_DAMAGED = (
    "Snug's file of chats and models is damaged.",
    "Close Snug and start it again: it then keeps the damaged file and restores what can be read.",
    "database-damaged",
)
_WORDS: dict[int, tuple[str, str, str]] = {
    sqlite3.SQLITE_BUSY: (
        "Another program is using Snug's file of chats and models.",
        "Wait a moment and try again; a backup, a virus scanner or a cloud folder may be reading it.",
        "database-busy",
    ),
    sqlite3.SQLITE_LOCKED: (
        "Snug's file of chats and models is in use.",
        "Wait a moment and try again.",
        "database-busy",
    ),
    sqlite3.SQLITE_FULL: (
        "The disk is full, so this was not saved.",
        "Free some space and try again. Everything that was saved before is still there.",
        "disk-full",
    ),
    sqlite3.SQLITE_IOERR: (
        "The disk reported a problem, so this was not saved.",
        "Check the disk, then start Snug again. Everything that was saved before is still there.",
        "disk-problem",
    ),
    sqlite3.SQLITE_READONLY: (
        "Snug may not write its file of chats and models.",
        "Allow writing in Snug's folder, then try again.",
        "read-only",
    ),
    sqlite3.SQLITE_PERM: (
        "Snug may not open its file of chats and models.",
        "Allow reading and writing in Snug's folder, then try again.",
        "read-only",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "Snug cannot open its file of chats and models.",
        "Check that Snug's folder is there and that you may read and write it.",
        "cannot-open",
    ),
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}
