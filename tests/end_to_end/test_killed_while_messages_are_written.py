"""kill -9 of the whole app in the middle of conversations: what it had shown as sent is there afterwards."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from snug.paths import Paths
from snug.store import open_store

KILLS = 200 if os.environ.get("SNUG_FULL_TESTS") == "1" else 6
WINDOW = Path(__file__).with_name("writing_window.py")


def chat_until_killed(home: Path, first: int, seconds: float) -> list[int]:
    """Run the app on `home`, kill it so long after its first message; the numbers that it had said were sent."""
    environment = {**os.environ, "SNUG_HOME": str(home)}
    process = subprocess.Popen(
        [sys.executable, str(WINDOW), str(first)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    with process.stdout as output:
        lines = [output.readline()]
        time.sleep(seconds)  # the moment of the kill is what is drawn at random
        process.send_signal(signal.SIGKILL)
        lines += output.readlines()
    process.wait(10)
    return [int(line.removeprefix("sent ")) for line in lines if line.startswith("sent ")]


def kept_messages(home: Path) -> tuple[set[int], set[str]]:
    """The numbers of the user messages that are there, and all states of the replies."""
    store, _ = open_store(Paths(home))
    with closing(store):
        rows = [row for chat in store.chats.list(limit=100_000) for row in store.chats.messages(chat.id, limit=100_000)]
    numbers = {int(row.text.split()[1].rstrip(":")) for row in rows if row.role == "user"}
    assert not any(row.is_damaged for row in rows)
    return numbers, {row.state for row in rows if row.role == "assistant"}


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is sent as a signal here")
def test_no_message_that_was_shown_as_sent_is_missing_after_a_kill(tmp_path: Path) -> None:
    dice = random.Random(20261121)
    home = tmp_path / "home"
    sent: set[int] = set()
    for _ in range(KILLS):
        said = chat_until_killed(home, max(sent, default=0) + 1, dice.uniform(0, 0.8))
        assert said, "the app did not come to its first message"
        sent |= set(said)
        with closing(sqlite3.connect(home / "snug.db")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        kept, states = kept_messages(home)
        assert sent <= kept, f"lost: {sorted(sent - kept)}"
        assert states <= {"done", "interrupted"}, states
    assert len(sent) >= KILLS
