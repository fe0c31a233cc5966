"""The speed test of the window: begins by itself once, tells how long it takes, is skipped, and gives way to a chat."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Signal
from pytestqt.qtbot import QtBot

from snug.core.catalogue import facts_of, load_catalogue
from snug.core.speed_test import SpeedRow, computer_of
from snug.paths import Paths, resources_folder
from snug.store import Store, open_store
from snug.ui import speed_test
from snug.ui.machine_reader import MachineReader
from snug.ui.speed_test import SpeedTestModel
from snug.worker import protocol
from snug.worker.speed_messages import MeasureSpeed, SpeedMeasured
from tests.core.machines import machine

FACTS = facts_of(load_catalogue(resources_folder() / "catalogue" / "models.json")[0], "Q4_K_M")


class FakeChild(QObject):
    """Keeps what it was sent, and says what a test wants."""

    event = Signal(int, object)
    died = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[protocol.Request] = []
        self.is_stopped = False

    def send(self, request: protocol.Request) -> int:
        self.sent.append(request)
        return len(self.sent)

    def stop(self) -> None:
        self.is_stopped = True


class FakeChildren:
    def __init__(self) -> None:
        self.made: list[FakeChild] = []

    def make(self, kind: str) -> FakeChild:
        self.made.append(FakeChild())
        return self.made[-1]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened, _ = open_store(Paths(tmp_path))
    opened.machine.remember(machine(32))
    yield opened
    opened.close()


@pytest.fixture
def children() -> FakeChildren:
    return FakeChildren()


@pytest.fixture
def make(
    store: Store, children: FakeChildren, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., SpeedTestModel]:
    monkeypatch.delenv(speed_test.OFF, raising=False)
    monkeypatch.setattr(speed_test, "WAIT_MS", 1)
    kept: list[QObject] = []

    def made(is_busy: Callable[[], bool] = lambda: False) -> SpeedTestModel:
        reader = MachineReader(store, children, str)  # type: ignore[arg-type]
        reader.is_fresh = True
        kept.append(reader)
        model = SpeedTestModel(reader, store, children, tmp_path / "cache", tmp_path / "pip", is_busy)  # type: ignore[arg-type]
        kept.append(model)
        reader.changed.emit()
        return model

    return made


def rows(busy: float = 0.0) -> list[SpeedRow]:
    return [SpeedRow(FACTS, 12.0, 80.0, busy)]


def measured(busy: float = 0.0) -> SpeedMeasured:
    return SpeedMeasured(rows=rows(busy), bandwidth=2e10, pip_tokens_per_s=400.0, seconds=18.0)


def test_it_begins_by_itself_says_what_it_does_and_keeps_what_it_found(
    make: Callable[..., SpeedTestModel], children: FakeChildren, store: Store, qtbot: QtBot
) -> None:
    model = make()
    qtbot.waitUntil(lambda: bool(children.made))
    child = children.made[0]
    assert isinstance(child.sent[0], MeasureSpeed)
    child.event.emit(1, protocol.Progress(done=8.0, total=20.0, unit="seconds", doing="Measuring"))
    assert model.property("isRunning")
    assert "12 seconds left" in model.property("text")
    child.event.emit(1, measured())
    assert not model.property("isRunning")
    assert child.is_stopped
    found = store.machine.speed_test()
    assert found is not None
    assert found.rows == tuple(rows())
    assert found.computer == computer_of(machine(32))


def test_a_tested_computer_is_not_tested_again(
    make: Callable[..., SpeedTestModel], children: FakeChildren, qtbot: QtBot
) -> None:
    first = make()
    qtbot.waitUntil(lambda: bool(children.made))
    children.made[0].event.emit(1, measured())
    again = make()
    qtbot.wait(30)
    assert len(children.made) == 1
    assert not first.property("isRunning")
    assert not again.property("isRunning")


def test_a_test_beside_busy_programs_is_made_again_at_the_next_start(
    make: Callable[..., SpeedTestModel], children: FakeChildren, qtbot: QtBot
) -> None:
    make()
    qtbot.waitUntil(lambda: bool(children.made))
    children.made[0].event.emit(1, measured(busy=0.7))
    make()
    qtbot.waitUntil(lambda: len(children.made) == 2)


def test_skipping_ends_the_child_and_it_stays_ended(
    make: Callable[..., SpeedTestModel], children: FakeChildren, store: Store, qtbot: QtBot
) -> None:
    model = make()
    qtbot.waitUntil(lambda: bool(children.made))
    model.skip()
    assert children.made[0].is_stopped
    assert not model.property("isRunning")
    model._on_reader()
    qtbot.wait(30)
    assert len(children.made) == 1
    assert store.machine.speed_test() is None


def test_a_model_at_work_has_the_processor_to_itself(
    make: Callable[..., SpeedTestModel], children: FakeChildren, qtbot: QtBot
) -> None:
    busy = [False]
    model = make(lambda: busy[0])
    qtbot.waitUntil(lambda: bool(children.made))
    busy[0] = True
    model._tick()
    assert children.made[0].is_stopped
    assert not model.property("isRunning")
    busy[0] = False
    qtbot.waitUntil(lambda: len(children.made) == 2)


def test_another_computer_is_tested_though_one_was(store: Store) -> None:
    one, other = machine(32), machine(32, cores=16)
    assert computer_of(one) != computer_of(other)
    test = speed_test.needs_test
    from snug.core.speed_test import SpeedTest

    found = SpeedTest(computer_of(one), tuple(rows()))
    assert not test(found, computer_of(one))
    assert test(found, computer_of(other))
    assert test(replace(found, rows=tuple(rows(busy=0.5))), computer_of(one))
    assert test(None, computer_of(one))
