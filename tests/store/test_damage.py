"""Whatever happens to the database file, Snug starts, keeps the file, and says what it restored."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from snug.core.errors import UserError
from snug.paths import Paths
from snug.store import Store, open_store

CASES = 200 if os.environ.get("SNUG_FULL_TESTS") == "1" else 40
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
Fill = Callable[[Store, int, int], list[tuple[int, str]]]


def now() -> datetime:
    return NOW


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory, fill: Fill) -> Paths:
    """A home folder with 240 messages in the database and 200 of them in its backup."""
    paths = Paths(tmp_path_factory.mktemp("used") / "home")
    store, _ = open_store(paths, now=now)
    fill(store, 5, 40)
    store.close()
    store, _ = open_store(paths, now=now)
    fill(store, 1, 40)
    store.close()
    assert len(list(paths.backups.iterdir())) == 1
    return paths


def spray(content: bytearray, dice: random.Random) -> None:
    for _ in range(dice.choice((1, 5, 50, 400))):
        content[dice.randrange(len(content))] = dice.randrange(256)


def wipe(content: bytearray, dice: random.Random) -> None:
    start = dice.randrange(len(content))
    length = dice.choice((16, 512, 4096, 40_000))
    content[start : start + length] = dice.randbytes(len(content[start : start + length]))


def zero(content: bytearray, dice: random.Random) -> None:
    start = dice.randrange(len(content) // 4096) * 4096
    length = dice.choice((1, 4)) * 4096
    content[start : start + length] = bytes(len(content[start : start + length]))


def cut(content: bytearray, dice: random.Random) -> None:
    del content[dice.randrange(1, len(content)) :]


def head(content: bytearray, dice: random.Random) -> None:
    content[dice.randrange(100)] = dice.randrange(256)


def web_page(content: bytearray, dice: random.Random) -> None:
    content[:] = b"<html><body>Sign in to the network</body></html>" * dice.randrange(1, 50)


def empty(content: bytearray, dice: random.Random) -> None:
    content.clear()


DAMAGES = (spray, wipe, zero, cut, head, web_page, empty, spray, wipe, cut)


@pytest.mark.parametrize("seed", range(CASES))
def test_a_damaged_database_is_kept_and_snug_starts(seed: int, used: Paths, tmp_path: Path) -> None:
    dice = random.Random(seed)
    damage = DAMAGES[seed % len(DAMAGES)]
    paths = Paths(tmp_path / "home")
    shutil.copytree(used.home, paths.home)
    content = bytearray(paths.database.read_bytes())
    damage(content, dice)
    paths.database.write_bytes(content)

    store, notices = open_store(paths, now=now)

    chat = store.chats.create(None)
    store.chats.add_user_message(chat, "still here")
    shown = [message for row in store.chats.list() for message in store.chats.messages(row.id, limit=500)]
    store.close()
    connection = sqlite3.connect(paths.database)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    kept = [path for path in paths.home.glob("snug.corrupt-*.db") if path.read_bytes() == bytes(content)]
    assert len(kept) == len(notices) <= 1
    assert sum(message.text != "still here" and not message.is_damaged for message in shown) >= 200
    assert not (paths.home / "recovering").exists()


def test_most_of_a_database_is_salvaged_without_any_backup(used: Paths, tmp_path: Path) -> None:
    paths = Paths(tmp_path / "home")
    shutil.copytree(used.home, paths.home)
    shutil.rmtree(paths.backups)
    content = bytearray(paths.database.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xff" * 4096
    paths.database.write_bytes(content)

    store, (notice,) = open_store(paths, now=now)

    shown = [message for row in store.chats.list() for message in store.chats.messages(row.id, limit=500)]
    store.close()
    assert notice.kind == "recovered"
    assert f"{len(shown)} of 240 messages" in notice.text
    assert len(shown) >= 210


def test_a_database_without_its_first_page_is_salvaged(used: Paths, tmp_path: Path) -> None:
    paths = Paths(tmp_path / "home")
    shutil.copytree(used.home, paths.home)
    shutil.rmtree(paths.backups)
    content = bytearray(paths.database.read_bytes())
    content[:4096] = bytes(4096)
    paths.database.write_bytes(content)

    store, notices = open_store(paths, now=now)

    assert sum(row.message_count for row in store.chats.list()) == 240
    assert [notice.kind for notice in notices] == ["recovered"]
    store.close()


def leave_no_tables(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 0")
    connection.execute("VACUUM")
    connection.close()


@pytest.mark.parametrize(
    "lose",
    [Path.unlink, lambda path: path.write_bytes(b""), leave_no_tables],
    ids=["missing", "zero length", "without tables"],
)
def test_a_lost_or_empty_database_is_no_fresh_start(
    lose: Callable[[Path], object], used: Paths, tmp_path: Path
) -> None:
    paths = Paths(tmp_path / "home")
    shutil.copytree(used.home, paths.home)
    lose(paths.database)

    store, (notice,) = open_store(paths, now=now)

    assert notice.kind == "restored"
    assert "01.05.2026" in notice.text
    assert sum(row.message_count for row in store.chats.list()) == 200
    store.close()


def test_without_a_backup_a_lost_database_is_told(used: Paths, tmp_path: Path) -> None:
    paths = Paths(tmp_path / "home")
    shutil.copytree(used.home, paths.home)
    shutil.rmtree(paths.backups)
    paths.database.unlink()

    store, (notice,) = open_store(paths, now=now)

    assert notice.kind == "data-missing"
    assert str(paths.database) in notice.text
    assert store.chats.list() == []
    store.close()


def test_a_first_start_has_no_notices(tmp_path: Path) -> None:
    store, notices = open_store(Paths(tmp_path / "home"), now=now)
    store.close()
    assert notices == ()


@pytest.mark.parametrize("is_read_only", [False, True])
def test_a_newer_database_is_refused_and_not_touched(is_read_only: bool, used: Paths, tmp_path: Path) -> None:
    paths = Paths(tmp_path / "home")
    shutil.copytree(used.home, paths.home)
    connection = sqlite3.connect(paths.database)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.execute("PRAGMA user_version = 999")
    connection.commit()
    connection.close()
    before = {path.name: path.read_bytes() for path in paths.home.iterdir() if path.is_file()}

    with pytest.raises(UserError) as caught:
        open_store(paths, now=now, read_only=is_read_only)

    assert caught.value.kind == "newer-database"
    after = {path.name: path.read_bytes() for path in paths.home.iterdir() if path.is_file() and path != paths.lock}
    assert after == {name: content for name, content in before.items() if name != paths.lock.name}


def test_deleted_chats_do_not_come_back_from_the_backup(used: Paths, tmp_path: Path) -> None:
    paths = Paths(tmp_path / "home")
    shutil.copytree(used.home, paths.home)
    store, _ = open_store(paths, now=now)
    gone = store.chats.list()[-1].id
    store.chats.delete_for_good(gone)
    store.close()
    content = bytearray(paths.database.read_bytes())
    # The page of the settings alone is damaged: everything else can be read to its end.
    connection = sqlite3.connect(paths.database)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'settings'").fetchone()
    connection.close()
    content[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    paths.database.write_bytes(content)

    store, (notice,) = open_store(paths, now=now)

    assert notice.kind == "recovered"
    assert gone not in [row.id for row in store.chats.list()]
    store.close()


def test_a_changed_text_is_shown_as_damaged_not_hidden(used: Paths, tmp_path: Path) -> None:
    paths = Paths(tmp_path / "home")
    shutil.copytree(used.home, paths.home)
    content = bytearray(paths.database.read_bytes())
    place = content.index(b"Answer 3 of 2")
    content[place : place + 6] = b"\xff\xfeswer"
    paths.database.write_bytes(content)

    store, notices = open_store(paths, now=now)

    shown = [message for row in store.chats.list() for message in store.chats.messages(row.id, limit=500)]
    store.close()
    assert notices == ()
    assert len(shown) == 240
    assert [message.text[:6] for message in shown if message.is_damaged] == ["��swer"]


def test_damage_met_while_running_is_repaired_at_the_next_start(used: Paths, tmp_path: Path) -> None:
    paths = Paths(tmp_path / "home")
    shutil.copytree(used.home, paths.home)
    store, _ = open_store(paths, now=now)
    chat = store.chats.list()[0].id
    connection = sqlite3.connect(paths.database)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'messages'").fetchone()
    connection.close()
    with paths.database.open("rb+") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
        file.seek(24)
        file.write(b"\x7f\xff\xff\x00")  # the change counter: SQLite must not use what it has in memory

    with pytest.raises(UserError) as caught:
        store.chats.messages(chat)
    store.close()

    assert caught.value.kind == "database-damaged"
    store, (notice,) = open_store(paths, now=now)
    assert notice.kind == "recovered"
    store.close()
