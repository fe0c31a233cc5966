"""Locks, full disks and failing disks: said in words, nothing saved is lost, and the next try works."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from snug.core.errors import UserError
from snug.paths import Paths
from snug.store import Store, open_store

# Locks the database as a backup program would, until its input ends.
LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""

# Says what happens to each of 40 messages.
TALKER = """
import sys
from pathlib import Path
from snug.core.errors import UserError
from snug.paths import Paths
from snug.store import open_store

try:
    store, _ = open_store(Paths(Path(sys.argv[1])))
    chat = store.chats.create(None)
except UserError as error:
    print("open", error.kind)
    sys.exit()
for number in range(40):
    try:
        print("saved", store.chats.add_user_message(chat, f"message {number}").id, flush=True)
    except UserError as error:
        print("failed", error.kind, flush=True)
"""


@pytest.fixture
def lock_database(paths: Paths) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []

    def lock() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", LOCKER, str(paths.database)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        return process

    yield lock
    for process in processes:
        process.kill()
        process.communicate()


def test_a_locked_database_is_busy_never_damaged(
    store: Store, lock_database: Callable[[], subprocess.Popen[str]], paths: Paths
) -> None:
    chat = store.chats.create(None)
    locker = lock_database()
    for step in (lambda: store.chats.add_user_message(chat, "x"), lambda: open_store(paths)):
        with pytest.raises(UserError) as caught:
            step()
        assert caught.value.kind == "database-busy"

    locker.communicate()

    store.chats.add_user_message(chat, "x")
    assert not list(paths.home.glob("*corrupt*"))
    assert [message.text for message in store.chats.messages(chat)] == ["x"]


def test_a_reader_beside_the_window_sees_what_is_committed(store: Store, paths: Paths) -> None:
    chat = store.chats.create(None)
    store.chats.add_user_message(chat, "before")
    reader, notices = open_store(paths, read_only=True)
    store.chats.add_user_message(chat, "after")
    assert [message.text for message in reader.chats.messages(chat)] == ["before", "after"]
    assert [row.id for row in reader.chats.list("after")] == [chat]
    assert notices == ()
    with pytest.raises(UserError) as caught:
        reader.chats.add_user_message(chat, "not mine")
    assert caught.value.kind == "read-only"
    reader.close()


def test_reading_where_snug_was_never_used_gives_an_empty_library(paths: Paths) -> None:
    reader, notices = open_store(paths, read_only=True)
    assert [model.source for model in reader.models.all()] == ["built-in"]
    assert notices == ()
    reader.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.name == "nt" or not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_loses_nothing_that_was_saved(small_disk: Path) -> None:
    paths = Paths(small_disk / "home")
    store, _ = open_store(paths)
    chat = store.chats.create(None)
    saved: list[str] = []
    (small_disk / "ballast").write_bytes(b"x" * 200_000)
    store.chats.begin_reply(chat, "Pip")
    with pytest.raises(UserError) as caught:
        talk_until_it_fails(store, chat, saved)
    assert caught.value.kind == "disk-full"
    assert [message.text for message in store.chats.messages(chat, limit=1000)] == ["", *saved]
    store.close()

    again, _ = open_store(paths)
    assert [message.text for message in again.chats.messages(chat, limit=1000)] == ["", *saved]
    again.close()

    (small_disk / "ballast").unlink()
    again, notices = open_store(paths)
    assert notices == ()
    again.chats.add_user_message(chat, "goes on")
    assert again.chats.messages(chat, limit=1000)[0].state == "interrupted"
    again.close()


def talk_until_it_fails(store: Store, chat: int, saved: list[str]) -> None:
    for number in range(1000):
        saved.append(store.chats.add_user_message(chat, f"{number} " + "x" * 5000).text)


def test_a_start_on_a_full_disk_is_told_in_words(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(b"x" * (1024 * 1024 - 20_000))
    with pytest.raises(UserError) as caught:
        open_store(Paths(small_disk / "home"))
    assert caught.value.kind == "disk-full"
    (small_disk / "ballast").unlink()
    store, notices = open_store(Paths(small_disk / "home"))
    assert notices == ()
    store.close()


def can_trace() -> bool:
    if not shutil.which("strace"):
        return False
    return subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not can_trace(), reason="strace is not there or not allowed")
@pytest.mark.parametrize("call", ["fdatasync", "fsync", "pwrite64"])
@pytest.mark.parametrize("when", [30, 61])
def test_a_message_counts_as_saved_only_when_the_disk_took_it(call: str, when: int, paths: Paths) -> None:
    open_store(paths)[0].close()
    inject = f"inject={call}:error=EIO:when={when}+1"
    command = ["strace", "-f", "-o", os.devnull, "-e", inject, sys.executable, "-c", TALKER, str(paths.home)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line.split() for line in answer.stdout.splitlines()]
    assert {word for outcome, word in lines if outcome != "saved"} <= {"disk-problem"}, answer.stderr
    acknowledged = {int(word) for outcome, word in lines if outcome == "saved"}
    connection = sqlite3.connect(paths.database)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    stored = {number for (number,) in connection.execute("SELECT id FROM messages")}
    connection.close()
    assert acknowledged <= stored


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(UserError) as caught:
        open_store(Paths(tmp_path / "closed" / "home"))
    assert caught.value.kind == "folder-not-writable"


def test_a_home_that_is_a_file_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("x")
    for is_read_only in (False, True):
        with pytest.raises(UserError) as caught:
            open_store(Paths(tmp_path / "home"), read_only=is_read_only)
        assert caught.value.kind == "folder-not-writable"


def test_a_database_that_is_a_folder_is_told_in_words(paths: Paths) -> None:
    paths.database.mkdir(parents=True)
    with pytest.raises(UserError) as caught:
        open_store(paths)
    assert caught.value.kind == "cannot-open"


@pytest.mark.skipif(os.name == "nt", reason="modes are of POSIX")
def test_nobody_else_may_read_the_chats(paths: Paths) -> None:
    open_store(paths)[0].close()
    assert paths.home.stat().st_mode & 0o777 == 0o700
    assert paths.database.stat().st_mode & 0o777 == 0o600
