"""Migrations: from nothing to the declared tables, all or nothing, with a backup before."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from snug.core.errors import UserError
from snug.paths import Paths
from snug.store import Store, backup, integrity, migrate, open_store
from snug.store.schema import APPLICATION_ID, HEAD_REVISION, KNOWN_REVISIONS, SCHEMA_VERSION, metadata

SECOND = '''
"""A second migration: a new table, a new column, a changed table, moved data."""
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("folders", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String))
    op.add_column("chats", sa.Column("folder_id", sa.Integer))
    op.execute("INSERT INTO folders (name) VALUES ('All')")
    op.execute("UPDATE chats SET folder_id = 1")
    with op.batch_alter_table("downloads") as batch:
        batch.alter_column("title", new_column_name="label")
    op.create_index("chats_by_folder", "chats", ["folder_id"])
'''


def test_the_migrations_lead_to_the_declared_tables(store: Store) -> None:
    with store.database.read() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    assert [d for d in differences if not (d[0] == "remove_table" and d[1].name.startswith("message_search_"))] == []


def test_the_newest_migration_is_the_recorded_one(store: Store) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.SCRIPTS))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_current_head() == HEAD_REVISION
    assert {script.revision for script in scripts.walk_revisions()} == set(KNOWN_REVISIONS)
    raw = store.database.raw
    assert raw.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    assert raw.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def test_the_pragmas_are_those_of_a_durable_database(store: Store) -> None:
    raw = store.database.raw
    values = {
        name: raw.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("synchronous", "foreign_keys", "trusted_schema", "secure_delete", "busy_timeout", "mmap_size")
    }
    assert values == {
        "synchronous": 2, "foreign_keys": 1, "trusted_schema": 0, "secure_delete": 1, "busy_timeout": 100,
        "mmap_size": 0,
    }  # fmt: skip
    is_safe = sqlite3.sqlite_version_info >= (3, 51, 3)
    assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal" if is_safe else "delete",)


def test_a_start_without_a_migration_does_not_load_alembic(opened: Callable[[], Store], paths: Paths) -> None:
    opened().close()
    code = (
        "import sys; from pathlib import Path; from snug.paths import Paths; from snug.store import open_store; "
        "open_store(Paths(Path(sys.argv[1])))[0].close(); print('alembic' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code, str(paths.home)], capture_output=True, text=True, check=True)
    assert answer.stdout == "False\n"


def test_the_lock_and_the_rows_are_imported_without_sqlalchemy() -> None:
    code = "import sys, snug.store; snug.store.InstanceLock, snug.store.ChatRow; print('sqlalchemy' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "False\n"


@pytest.fixture
def second_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes this version one that knows a second migration."""

    def install() -> None:
        scripts = tmp_path / "migrations"
        shutil.copytree(migrate.SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
        (scripts / "versions" / "0002_second.py").write_text(SECOND)
        monkeypatch.setattr(migrate, "SCRIPTS", scripts)
        monkeypatch.setattr(migrate, "HEAD_REVISION", "0002")
        for module in (migrate, integrity, backup):
            monkeypatch.setattr(module, "KNOWN_REVISIONS", ("0001", "0002"))

    return install


@contextlib.contextmanager
def failing_at(number: int) -> Iterator[list[str]]:
    """Every statement that may change something is counted; number `number` fails as on a broken disk."""
    seen: list[str] = []

    def before(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith(("SELECT", "PRAGMA main.")):
            return  # a question changes nothing, and SQLAlchemy asks some in two ways
        seen.append(statement)
        if len(seen) == number:
            raise sqlite3.OperationalError("injected failure")

    event.listen(Engine, "before_cursor_execute", before)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", before)


def test_a_migration_that_fails_at_any_statement_leaves_the_old_data(
    opened: Callable[[], Store], paths: Paths, fill: Callable[..., object], second_migration: Callable[[], None]
) -> None:
    store = opened()
    fill(store, 3, 6)
    store.close()
    before = dump(paths)
    second_migration()
    failed, number = 0, 1
    while True:
        with failing_at(number) as seen:
            try:
                opened_store, _ = open_store(paths)
            except (UserError, sqlite3.OperationalError, DBAPIError):
                failed += 1
            else:
                opened_store.close()
                assert number > len(seen)
                break
        if not any(statement.startswith("PRAGMA foreign_key_check") for statement in seen[:-1]):
            assert dump(paths) == before
            assert any("-before-0001" in found.path.name for found in backup.all_backups(paths))
        number += 1
    assert failed >= 12
    after = dump(paths)
    assert "folders" in after
    assert "Question 2 of 2" in after


def dump(paths: Paths) -> str:
    connection = sqlite3.connect(paths.database)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return "\n".join(line for line in connection.iterdump() if "message_search" not in line)
    finally:
        connection.close()


def test_no_migration_without_its_backup(
    opened: Callable[[], Store], paths: Paths, second_migration: Callable[[], None]
) -> None:
    opened().close()
    before = dump(paths)
    second_migration()
    shutil.rmtree(paths.backups, ignore_errors=True)
    paths.backups.write_text("in the way")
    with pytest.raises(UserError) as caught:
        open_store(paths)
    assert caught.value.kind == "backup-failed"
    assert dump(paths) == before
