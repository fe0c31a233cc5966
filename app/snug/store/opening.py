"""Opening the store: from whatever lies in the home folder to a database that can be trusted."""

from __future__ import annotations

import contextlib
import sqlite3

from sqlalchemy.exc import DBAPIError

from snug.core.errors import UserError
from snug.paths import Paths, resources_folder
from snug.store import backup, integrity, marker, recovery
from snug.store.built_in import ensure_built_in
from snug.store.database import WINDOW_BUSY_MS, Database, user_errors
from snug.store.instance_lock import InstanceLock
from snug.store.migrate import is_current, migrate, newer_database, recorded_revision
from snug.store.place import check_place
from snug.store.rows import Notice
from snug.store.store import Store
from snug.store.values import Clock, utc_now

PATIENT_BUSY_MS = 5000


def open_store(
    paths: Paths, *, now: Clock = utc_now, read_only: bool = False, busy_ms: int | None = None
) -> tuple[Store, tuple[Notice, ...]]:
    """The store of this home folder, and what a person should know about its opening.

    Only the holder of the `InstanceLock` may open it for writing. Raises UserError: "newer-database" (the file
    was not touched), "database-busy" (try again), "folder-not-writable", "unsuitable-folder", "disk-full" and others.
    """
    if read_only:
        return _open_for_reading(paths, now, PATIENT_BUSY_MS if busy_ms is None else busy_ms)
    busy_ms = WINDOW_BUSY_MS if busy_ms is None else busy_ms
    _make_home(paths)
    notices = _bring_back_what_is_lost(paths, now)
    try:
        return _open(paths, now, busy_ms, notices), tuple(notices)
    except UserError as error:
        if error.kind != "database-damaged":
            raise
    notices = [recovery.recover(paths, now())]
    return _open(paths, now, busy_ms, notices), tuple(notices)


def _make_home(paths: Paths) -> None:
    check_place(paths.home)
    try:
        paths.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"Snug cannot make its folder {paths.home}.",
            "Allow writing there, or choose another folder with the environment variable SNUG_HOME.",
            kind="folder-not-writable",
            details=str(error),
        ) from error


def _bring_back_what_is_lost(paths: Paths, now: Clock) -> list[Notice]:
    """A missing or empty database of a Snug that was used before is no fresh start."""
    try:
        found = integrity.kind_of(paths.database)
    except OSError as error:
        raise UserError(
            "Snug cannot read its file of chats and models.",
            f"Check that {paths.database} is a file that you may read.",
            kind="cannot-open",
            details=str(error),
        ) from error
    if integrity.is_newer(paths.database, found):
        raise newer_database()
    is_lost = found.kind in ("absent", "empty") or (found.kind == "sqlite" and integrity.has_no_tables(paths.database))
    if not is_lost:
        return []
    if marker.read_counts(paths) is None and not backup.all_backups(paths):
        return []
    restored = recovery.restore_backup(paths, now())
    if restored is None:
        # A journal without its database must not be played into the new one.
        for suffix in recovery.JOURNALS:
            paths.database.with_name(paths.database.name + suffix).unlink(missing_ok=True)
    return [restored or recovery.lost_notice(paths)]


def _open(paths: Paths, now: Clock, busy_ms: int, notices: list[Notice]) -> Store:
    database = Database(paths.database, busy_ms=busy_ms, on_damage=lambda: marker.set_suspect(paths, True))
    try:
        with contextlib.suppress(OSError):
            # Nobody else on this computer reads the chats; journals get the same mode from SQLite.
            paths.database.chmod(0o600)
        with user_errors():
            _check(database, paths)
            _migrate(database, paths, now)
        store = Store(database, paths, now)
        full = _keep_house(store)
    except BaseException:
        database.close()
        raise
    if full is not None:
        notices.append(full)
    return store


def _keep_house(store: Store) -> Notice | None:
    """What each start does to the data. A full disk stops that, and is told, but never stops the start."""
    steps = (
        store.settle,
        lambda: ensure_built_in(store.database, store.models, resources_folder()),
        lambda: store.chats.empty_expired(int(store.settings.get("privacy.bin_days"))),
        store.chats.index_some,
        store.keep_counts,
        lambda: store.back_up_if_due(is_start=True),
    )
    full: Notice | None = None
    for step in steps:
        try:
            step()
        except UserError as error:
            if error.kind != "disk-full":
                raise
            full = Notice("The disk is full.", "Free some space: until then nothing new can be saved.", error.kind)
    return full


def _check(database: Database, paths: Paths) -> None:
    size = paths.database.stat().st_size
    is_suspect = marker.is_suspect(paths)
    found = integrity.problems(database.raw, size, is_thorough=is_suspect)
    if found:
        raise UserError("Snug's file of chats and models is damaged.", kind="database-damaged", details=found[0])
    if is_suspect:
        marker.set_suspect(paths, False)


def _migrate(database: Database, paths: Paths, now: Clock) -> None:
    if is_current(database.raw):
        return
    revision = recorded_revision(database.raw)
    if revision is not None:
        backup.make_backup(database.raw, paths, now(), before=revision)
    try:
        migrate(database)
    except (DBAPIError, sqlite3.Error) as error:
        raise UserError(
            "Snug's file of chats and models could not be brought up to date.",
            "Nothing was changed. Keep using the version of Snug that you had, and report this.",
            kind="migration-failed",
            details=str(error),
        ) from error


def _open_for_reading(paths: Paths, now: Clock, busy_ms: int) -> tuple[Store, tuple[Notice, ...]]:
    """Read beside a running window. Where nobody writes, first bring the database in order."""
    lock = InstanceLock(paths)
    notices: tuple[Notice, ...] = ()
    if lock.acquire():
        try:
            store, notices = open_store(paths, now=now, busy_ms=busy_ms)
            store.close()
        finally:
            lock.release()
    database = Database(paths.database, read_only=True, busy_ms=busy_ms)
    try:
        with user_errors():
            is_ready = is_current(database.raw)
        if not is_ready:
            raise UserError(
                "Snug's chats and models are just being brought up to date.",
                "Try again in a moment.",
                kind="database-busy",
            )
        return Store(database, paths, now), notices
    except BaseException:
        database.close()
        raise
