"""A damaged or lost database: kept aside, salvaged, completed from the last backup, and told to the person."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from snug.core.errors import UserError
from snug.paths import Paths
from snug.store.backup import Backup, newest_good
from snug.store.database import FAULTS, Database, connect
from snug.store.marker import read_counts, sync_folder
from snug.store.migrate import migrate
from snug.store.rows import Notice
from snug.store.salvage import TableSalvage, open_damaged, read_table
from snug.store.schema import chats, downloads, machine, messages, models, settings
from snug.store.values import checksum

TABLES = (models, chats, messages, downloads, settings, machine)
JOURNALS = ("-journal", "-wal", "-shm")
SCRATCH = "recovering"


def recover(paths: Paths, now: datetime) -> Notice:
    """Replace a damaged database by what can be read of it; the damaged file stays beside it.

    Until the last step the damaged file lies in its place, so a kill in between only means to begin again.
    """
    counts = read_counts(paths)
    kept = _free_name(paths, now)
    with _scratch(paths) as scratch:
        try:
            shutil.copy(paths.database, kept)
            copy, fresh = scratch / "damaged.db", scratch / "new.db"
            _copy_with_journals(paths.database, copy)
            restored = _rebuild(copy, fresh, newest_good(paths))
            replace_database(paths, fresh)
        except OSError as error:
            raise _no_room(error) from error
    known = max(counts.messages if counts else 0, restored)
    return Notice(
        "Your chats were repaired.",
        f"Snug's file of chats and models was damaged. {restored:,} of {known:,} messages were restored. "
        f"The damaged file is kept as {kept.name}.",
        "recovered",
    )


def restore_backup(paths: Paths, now: datetime) -> Notice | None:
    """Put the last backup in the place of a lost or empty database; None where there is no backup."""
    found = newest_good(paths)
    if found is None:
        return None
    with _scratch(paths) as scratch:
        try:
            if paths.database.exists():
                shutil.copy(paths.database, _free_name(paths, now))
            fresh = scratch / "new.db"
            shutil.copyfile(found.path, fresh)
            replace_database(paths, fresh)
        except OSError as error:
            raise _no_room(error) from error
    return Notice(
        "Your chats were brought back from a backup.",
        f"Snug's file of chats and models was missing or empty. The backup of {found.day:%d.%m.%Y} was put in its "
        "place. What was written after that day is not in it.",
        "restored",
    )


def lost_notice(paths: Paths) -> Notice:
    """What a person is told where the database is gone and no backup is there."""
    return Notice(
        "Your chats are not here.",
        f"Snug was used before, but its file of chats and models is gone, and there is no backup. If you moved it, "
        f"close Snug, put it back as {paths.database} and start again.",
        "data-missing",
    )


def replace_database(paths: Paths, fresh: Path) -> None:
    """Put a finished file in the database's place. Old journals go first: SQLite would play them into the new file."""
    with fresh.open("rb+") as file:
        os.fsync(file.fileno())
    for suffix in JOURNALS:
        paths.database.with_name(paths.database.name + suffix).unlink(missing_ok=True)
    os.replace(fresh, paths.database)
    sync_folder(paths.home)


# --- rebuilding --------------------------------------------------------------------------------------------


def _rebuild(copy: Path, fresh: Path, backup: Backup | None) -> int:
    """Write a new database to `fresh` from the damaged `copy` and the backup; the number of messages in it."""
    database = Database(fresh)
    try:
        migrate(database)
    finally:
        database.close()
    damaged = _salvage(copy, fresh)
    older: dict[str, TableSalvage] = {}
    if backup is not None:
        with contextlib.closing(connect(backup.path, "ro", 1000)) as connection:
            older = {table.name: read_table(connection, table) for table in TABLES}
    with contextlib.closing(connect(fresh, "rw", 1000)) as target:
        target.execute("PRAGMA foreign_keys=OFF")
        target.execute("BEGIN IMMEDIATE")
        for table in TABLES:
            found = damaged[table.name]
            for row in _best_rows(table.name, found, older.get(table.name)):
                _insert(target, table.name, row)
        _mend_references(target)
        target.execute("COMMIT")
        return int(target.execute("SELECT count(*) FROM messages").fetchone()[0])


def _salvage(copy: Path, fresh: Path) -> dict[str, TableSalvage]:
    try:
        with contextlib.closing(open_damaged(copy, fresh)) as connection:
            return {table.name: read_table(connection, table) for table in TABLES}
    except FAULTS:
        return {table.name: TableSalvage([], [], is_complete=False) for table in TABLES}


def _best_rows(table: str, found: TableSalvage, older: TableSalvage | None) -> list[dict[str, object]]:
    """The salvaged rows; those that damage took or changed come from the backup.

    Where a table could be read to its end, a row that only the backup has was deleted by the person.
    """
    key = "key" if table in (settings.name, machine.name) else "id"
    rows = {row[key]: row for row in _as_mappings(found) if row.get(key) is not None}
    for row in _as_mappings(older) if older else []:
        mine = rows.get(row[key])
        is_changed = mine is not None and table == messages.name and not _is_whole(mine) and _is_whole(row)
        if is_changed or (mine is None and not found.is_complete):
            rows[row[key]] = row
    return list(rows.values())


def _as_mappings(table: TableSalvage) -> list[dict[str, object]]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def _is_whole(row: dict[str, object]) -> bool:
    return row.get("checksum") == checksum(str(row.get("role")), str(row.get("text")))


def _insert(target: sqlite3.Connection, table: str, row: dict[str, object]) -> None:
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join("?" for _ in row)
    # A row with a hole where a value must be cannot be kept; the count in the notice says so.
    target.execute(f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({marks})", list(row.values()))


def _mend_references(target: sqlite3.Connection) -> None:
    """Make every reference lead somewhere and every conversation have a shown path."""
    target.execute("UPDATE chats SET position = id WHERE typeof(position) <> 'integer' OR abs(position) > 1 << 48")
    target.execute(
        "INSERT INTO chats (id, title, is_titled_by_person, created_at, updated_at, position) "
        "SELECT DISTINCT chat_id, 'Restored conversation', 0, '', '', chat_id FROM messages "
        "WHERE typeof(chat_id) = 'integer' AND chat_id NOT IN (SELECT id FROM chats)"
    )
    target.execute("DELETE FROM messages WHERE chat_id NOT IN (SELECT id FROM chats)")
    for table in ("chats", "downloads"):
        target.execute(f"UPDATE {table} SET model_id = NULL WHERE model_id NOT IN (SELECT id FROM models)")
    target.execute("UPDATE messages SET is_shown = 1 WHERE is_shown NOT IN (0, 1)")
    target.execute("UPDATE messages SET is_picked = 1 WHERE is_picked NOT IN (0, 1)")
    target.execute(
        "UPDATE messages SET parent_id = (SELECT max(before.id) FROM messages before "
        "WHERE before.chat_id = messages.chat_id AND before.id < messages.id AND before.is_shown) "
        "WHERE parent_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM messages parent WHERE parent.id = "
        "messages.parent_id AND parent.chat_id = messages.chat_id AND parent.id < messages.id)"
    )
    target.execute(
        "UPDATE messages SET is_shown = 1 WHERE NOT EXISTS "
        "(SELECT 1 FROM messages m WHERE m.chat_id = messages.chat_id AND m.is_shown)"
    )


# --- files -------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _scratch(paths: Paths) -> Iterator[Path]:
    """An empty folder beside the database that is gone afterwards; what a killed recovery left goes first."""
    folder = paths.home / SCRATCH
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise _no_room(error) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_name(paths: Paths, now: datetime) -> Path:
    for number in range(1, 10_000):
        end = "" if number == 1 else f"-{number}"
        path = paths.home / f"snug.corrupt-{now:%Y-%m-%d}{end}.db"
        if not path.exists():
            return path
    raise UserError("There are too many damaged files in Snug's folder.", "Remove some.", kind="too-many-files")


def _copy_with_journals(source: Path, target: Path) -> None:
    for suffix in ("", *JOURNALS[:2]):
        path = source.with_name(source.name + suffix)
        if path.exists():
            shutil.copyfile(path, target.with_name(target.name + suffix))


def _no_room(error: OSError) -> UserError:
    return UserError(
        "Snug's file of chats and models is damaged and could not be repaired yet.",
        "Check that Snug's folder has free space and may be written, then start Snug again. Nothing was changed.",
        kind="recovery-failed",
        details=str(error),
    )
