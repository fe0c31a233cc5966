"""The main job in a real window: find a model, lose the app half-way, get it all the same, chat, find it all again."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from snug.paths import Paths
from snug.store import Store, open_store
from tests.hub.request_log import covered

FILE_BYTES = 48_000_000
RATE_BYTES_PER_S = 1_500_000
JOURNAL_STEP_BYTES = 2 * 1024 * 1024
CONNECTIONS = 4
ROOT = Path(__file__).parents[2]
SEARCH_FIELD = (360, 88)
FIRST_ROW = (360, 220)


@pytest.fixture
def hub_log(tmp_path: Path) -> Path:
    return tmp_path / "hub.jsonl"


@pytest.fixture
def endpoint(hub_log: Path) -> Iterator[str]:
    """A Hub whose files are as large as a small real model and arrive slowly enough to be interrupted."""
    hub = subprocess.Popen(
        [sys.executable, "-m", "tests.hub", "--pad", str(FILE_BYTES), "--slow", str(RATE_BYTES_PER_S),
         "--log", str(hub_log)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert hub.stdout is not None
    with hub.stdout:
        yield hub.stdout.readline().strip().removeprefix("HF_ENDPOINT=")
        hub.terminate()
    hub.wait(10)


def stored(home: Path) -> closing[Store]:
    """A look into the store beside the window that writes it."""
    return closing(open_store(Paths(home), read_only=True)[0])


def has_download(home: Path) -> bool:
    with stored(home) as store:
        return bool(store.downloads.all())


def downloaded_share(home: Path) -> float:
    with stored(home) as store:
        rows = store.downloads.all()
        return rows[0].done_bytes / rows[0].total_bytes if rows else 0.0


def answers(home: Path) -> list[str]:
    with stored(home) as store:
        return [
            message.text
            for chat in store.chats.list()
            for message in store.chats.messages(chat.id)
            if message.role == "assistant" and message.state == "done"
        ]


def sent_twice(log: Path) -> int:
    """Bytes of model files that left the Hub more often than once."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for line in log.read_text("utf-8").splitlines():
        entry = json.loads(line)
        if entry["file"].endswith(".gguf") and entry["end"] > entry["first"] and entry["where"] == "cdn":
            spans.setdefault(entry["file"], []).append((entry["first"], entry["end"]))
    return sum(sum(end - first for first, end in of_one) - covered(of_one) for of_one in spans.values())


def test_a_model_is_found_fetched_across_a_kill_chatted_with_and_kept(
    screen, person, start_app, endpoint, hub_log, tmp_path, wait_for
):
    home = tmp_path / "home"
    app = start_app(endpoint)
    wait_for("the three picks", lambda: len(screen.accent_buttons()) == 1)
    screen.save("1-welcome")

    person.turn_to_the_window()
    person.press("ctrl+2")
    person.click(*SEARCH_FIELD)
    person.write("qwen3 0.6b")
    wait_for("the search to be over", lambda: hub_log.exists() and "/api/models?search" in hub_log.read_text())
    screen.save("2-search")
    person.click(*FIRST_ROW)
    wait_for("Get and chat", lambda: len(screen.accent_buttons()) == 1)
    wait_for("the file's own figures", lambda: "cdn" in hub_log.read_text())
    header_bytes = len(hub_log.read_text().splitlines())
    screen.save("3-details")

    pressed: list[float] = []

    def has_begun() -> bool:
        if has_download(home):
            return True
        if not pressed or time.monotonic() - pressed[-1] > 3.0:  # again: a line that came above it had moved it away
            person.click(*screen.settled_button())
            pressed.append(time.monotonic())
        return False

    wait_for("the download to begin", has_begun)
    wait_for("40 % of the download", lambda: home.exists() and downloaded_share(home) >= 0.4, 120)
    screen.save("4-download-at-40-percent")
    app.kill()
    assert len(hub_log.read_text().splitlines()) >= header_bytes

    app = start_app(endpoint)
    wait_for("the three picks again", lambda: len(screen.accent_buttons()) == 1)
    home_buttons = screen.accent_buttons()
    wait_for("the download to go on by itself", lambda: downloaded_share(home) >= 0.5)
    screen.save("5-resumed")

    def has_arrived() -> bool:
        with stored(home) as store:
            return store.downloads.all()[0].state == "done"

    wait_for("the model to arrive", has_arrived, 120)
    assert sent_twice(hub_log) <= CONNECTIONS * JOURNAL_STEP_BYTES

    wait_for("the chat to open by itself", lambda: screen.accent_buttons() != home_buttons)
    person.turn_to_the_window()
    person.write("What is the capital of France?")
    person.press("Return")
    wait_for("an answer", lambda: answers(home))
    assert "Paris" in answers(home)[0]
    screen.save("6-chat")
    assert app.close() == 0

    app = start_app(endpoint)
    wait_for("the picks again", lambda: len(screen.accent_buttons()) == 1)
    home_picture = screen.pixels()
    person.turn_to_the_window()
    person.press("ctrl+4")
    wait_for("the chat screen", lambda: (screen.pixels() != home_picture).mean() > 0.1)
    with stored(home) as store:
        [chat] = store.chats.list()
        assert chat.message_count == 2
        [model] = [model for model in store.models.all() if model.is_ours]
        assert model.state == "ready"
    screen.save("7-after-a-restart")
    assert app.close() == 0
