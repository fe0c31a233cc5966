"""A home folder, a clock that is set by hand, and a store with something in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from snug.core.model_facts import ModelFacts
from snug.paths import Paths
from snug.store import NewModel, Store, open_store

FACTS = ModelFacts(
    name="Test", architecture="llama", file_type="Q4_K_M", parameters=7_000_000, weight_bytes=4000, layers=2,
    embedding_length=64, vocabulary=100, context_max=512, attention_heads=4, kv_heads=(2, 2), head_dims_k=(16, 16),
    head_dims_v=(16, 16), file_bytes=4096,
)  # fmt: skip


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 5, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def move(self, **how: float) -> None:
        self.moment += timedelta(**how)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "home")


@pytest.fixture
def opened(paths: Paths, clock: Clock) -> Iterator[Callable[[], Store]]:
    """Opens the store of the home folder; every one is closed at the end."""
    stores: list[Store] = []

    def open_again() -> Store:
        for store in stores:
            store.close()
        stores.append(open_store(paths, now=clock)[0])
        return stores[-1]

    yield open_again
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Callable[[], Store]) -> Store:
    return opened()


@pytest.fixture
def model_file(paths: Paths) -> Callable[..., NewModel]:
    """Writes a file as a model's stand-in, and gives the row to add for it."""

    def make(name: str, *, folder: Path | None = None, size: int = 4096, is_ours: bool = True) -> NewModel:
        path = (folder or paths.models) / f"{name}.gguf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
        return NewModel(name=name, path=str(path), facts=FACTS, source="hub", is_ours=is_ours)

    return make


@pytest.fixture(scope="session")
def facts() -> ModelFacts:
    return FACTS


@pytest.fixture(scope="session")
def fill() -> Callable[[Store, int, int], list[tuple[int, str]]]:
    """Writes conversations with questions and answers; gives what was acknowledged, as (chat, text)."""
    return _fill


def _fill(store: Store, chats: int, messages: int) -> list[tuple[int, str]]:
    said: list[tuple[int, str]] = []
    for number in range(chats):
        chat = store.chats.create(None)
        for turn in range(messages // 2):
            question = f"Question {turn} of {number}: " + "why is the sky blue? " * 6
            said.append((chat, store.chats.add_user_message(chat, question).text))
            answer = store.chats.begin_reply(chat, "Pip")
            text = f"Answer {turn} of {number}: " + "because of the light. " * 12
            store.chats.save_reply(answer.id, text, state="done", tokens=12)
            said.append((chat, text))
    return said
