"""Bringing a database to this version's tables with Alembic, all or nothing."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Connection, inspect

from snug.core.errors import UserError
from snug.store.database import Database
from snug.store.schema import APPLICATION_ID, HEAD_REVISION, KNOWN_REVISIONS, SCHEMA_VERSION

SCRIPTS = Path(__file__).parent / "migrations"


def recorded_revision(connection: sqlite3.Connection) -> str | None:
    """The newest migration that this database has been through; None for a new one."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return None if row is None else str(row[0])


def is_current(connection: sqlite3.Connection) -> bool:
    """Whether nothing is left to do."""
    return recorded_revision(connection) == HEAD_REVISION


def migrate(database: Database) -> None:
    """Run what is missing in one transaction: a failure at any statement leaves the database as it was."""
    with database.write() as connection:
        _upgrade(connection)
        connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
        connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise UserError(
                "Snug's file of chats and models could not be brought up to date.",
                "Nothing was changed. Keep using the version of Snug that you had, and report this.",
                kind="migration-failed",
                details=f"{len(broken)} broken references, first in {broken[0][0]}",
            )


def _upgrade(connection: Connection) -> None:
    # Imported here: Alembic takes 0.2 s, and a start that migrates nothing must not pay for it.
    from alembic import command
    from alembic.config import Config

    revision = recorded_revision(_raw(connection))
    if revision is None and inspect(connection).has_table("models"):
        raise UserError(
            "Snug's file of chats and models does not say which version made it.",
            "It was left as it is.",
            kind="database-damaged",
        )
    if revision is not None and revision not in KNOWN_REVISIONS:
        raise newer_database()
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def newer_database() -> UserError:
    """What a person is told when a newer Snug has written the database."""
    return UserError(
        "Your chats and models were saved by a newer version of Snug.",
        "Install that version or a later one. The file was not touched.",
        kind="newer-database",
    )


def _raw(connection: Connection) -> sqlite3.Connection:
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw
