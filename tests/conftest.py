"""What all tests share: Qt without a display, drawn by software."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from snug.store import Store

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_QUICK_BACKEND", "software")
os.environ.setdefault("SNUG_NO_SPEED_TEST", "1")

# A busy computer is no failure: no example has a time limit. The small runs draw the same examples each time, so
# that a change is what fails; the whole campaigns look for new ones.
settings.register_profile("snug", deadline=None, derandomize=os.environ.get("SNUG_FULL_TESTS") != "1")
settings.load_profile("snug")


def pytest_collection_finish() -> None:
    """What the collection left in memory is not looked through again: that would stop every thread for a while."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def qapp_cls() -> type:
    """Snug has no widgets: the application is the plain one."""
    from PySide6.QtGui import QGuiApplication

    return QGuiApplication


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of Snug's own, which child processes see too."""
    folder = tmp_path / "home"
    monkeypatch.setenv("SNUG_HOME", str(folder))
    return folder


@pytest.fixture
def write_long_chat() -> Callable[[Store, int], int]:
    """Writes a chat of so many messages in one transaction, as years of talking would leave it."""
    return long_chat


def long_chat(store: Store, count: int) -> int:
    from sqlalchemy import insert

    from snug.store.schema import messages
    from snug.store.values import checksum

    chat_id = store.chats.create(None)
    rows = []
    for number in range(1, count + 1):
        role = "user" if number % 2 else "assistant"
        text = f"{'Question' if number % 2 else 'Answer'} {(number - 1) // 2}"
        rows.append(
            {
                "id": number, "chat_id": chat_id, "parent_id": number - 1 or None, "is_shown": True,
                "is_picked": True, "role": role, "text": text, "checksum": checksum(role, text), "state": "done",
                "model_name": "Pip", "created_at": "2026-11-21T12:00:00+00:00", "tokens": 2,
            }
        )  # fmt: skip
    with store._database.write() as connection:
        connection.execute(insert(messages), rows)
    return chat_id
