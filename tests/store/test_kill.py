"""A process that is killed while it writes messages loses none that it has acknowledged."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

from snug.paths import Paths
from snug.store import open_store

KILLS = 200 if os.environ.get("SNUG_FULL_TESTS") == "1" else 15

# Prints a line after each commit: chat, message and text are then on the disk.
WRITER = """
import sys
from pathlib import Path
from snug.paths import Paths
from snug.store import InstanceLock, open_store

paths = Paths(Path(sys.argv[1]))
lock = InstanceLock(paths)
assert lock.acquire()
store, notices = open_store(paths)
assert notices == (), notices
print("ready", flush=True)
chat = store.chats.create(None)
for turn in range(1_000_000):
    question = store.chats.add_user_message(chat, f"{sys.argv[2]} question {turn} " + "x" * (turn * 97 % 3000))
    print(question.id, question.text, sep="\\t", flush=True)
    answer = store.chats.begin_reply(chat, "Pip")
    for part in range(3):
        text = f"{sys.argv[2]} answer {turn} part {part} " + "y" * (turn * 331 % 9000)
        store.chats.save_reply(answer.id, text)
        print(answer.id, text, sep="\\t", flush=True)
    store.chats.save_reply(answer.id, text, state="done")
    if turn % 7 == 6:
        answer = store.chats.regenerate(answer.id, "Pip")
        store.chats.save_reply(answer.id, "again", state="done")
        print(answer.id, "again", sep="\\t", flush=True)
    if turn % 11 == 10:
        store.chats.index_some()
"""


def test_kill_9_at_any_moment_loses_no_acknowledged_message(tmp_path: Path) -> None:
    paths = Paths(tmp_path / "home")
    dice = random.Random(20)
    acknowledged: dict[int, str] = {}
    for round_number in range(KILLS):
        acknowledged |= write_until_killed(paths, round_number, dice)

        connection = sqlite3.connect(paths.database)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        stored = dict(connection.execute("SELECT id, text FROM messages").fetchall())
        connection.close()
        lost = [number for number, text in acknowledged.items() if not holds(stored.get(number), text)]
        assert lost == [], f"round {round_number}"
    assert len(acknowledged) > KILLS * 5

    store, notices = open_store(paths)
    messages = [message for row in store.chats.list() for message in store.chats.messages(row.id, limit=100_000)]
    store.close()
    assert notices == ()
    assert not [message for message in messages if message.is_damaged or message.state == "writing"]
    assert any(message.state == "interrupted" for message in messages)


def holds(stored: str | None, acknowledged: str) -> bool:
    """Whether the text that was acknowledged is there, or a later part of the same answer."""
    if stored is None:
        return False
    return stored == acknowledged or stored.split(" part ")[0] == acknowledged.split(" part ")[0]


def write_until_killed(paths: Paths, round_number: int, dice: random.Random) -> dict[int, str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(paths.home), str(round_number)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    acknowledged: dict[int, str] = {}
    try:
        for _ in range(dice.randrange(1, 60)):
            number, text = process.stdout.readline().rstrip("\n").split("\t")
            acknowledged[int(number)] = text
    finally:
        # The writer goes on meanwhile: the blow falls anywhere between two acknowledgements.
        process.kill()
        for line in process.stdout.read().splitlines(keepends=True):
            if line.endswith("\n"):
                number, text = line.rstrip("\n").split("\t")
                acknowledged[int(number)] = text
        process.stdout.close()
        process.wait()
    return acknowledged
