"""Opening the store: from whatever lies in the home folder to a database that can be trusted."""

from __future__ import annotations

from snug.paths import Paths, resources_folder
from snug.store.built_in import ensure_built_in
from snug.store.database import WINDOW_BUSY_MS, Database
from snug.store.migrate import is_current, migrate
from snug.store.rows import Notice
from snug.store.store import Store
from snug.store.values import Clock, utc_now


def open_store(
    paths: Paths, *, now: Clock = utc_now, read_only: bool = False, busy_ms: int | None = None
) -> tuple[Store, tuple[Notice, ...]]:
    """The store of this home folder, and what a person should know about its opening.

    Only the holder of the `InstanceLock` may open it for writing. Raises UserError: "newer-database" (the file
    was not touched), "database-busy", "folder-not-writable" and others.
    """
    if busy_ms is None:
        busy_ms = 5000 if read_only else WINDOW_BUSY_MS
    paths.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if read_only and not paths.database.exists():
        open_store(paths, now=now, busy_ms=busy_ms)[0].close()
    database = Database(paths.database, read_only=read_only, busy_ms=busy_ms)
    if not is_current(database.raw):
        migrate(database)
    store = Store(database, paths, now)
    if not read_only:
        store.settle()
        ensure_built_in(database, store.models, resources_folder())
    return store, ()
