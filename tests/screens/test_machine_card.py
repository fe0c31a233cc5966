"""The machine card in the real window: who holds memory, what changed until it is noted, and sources that differ."""

from __future__ import annotations

from dataclasses import replace

import pytest

from snug.core.machine import EngineDevice, Machine
from snug.core.two_sources import with_engine_devices
from snug.system.machine import read_machine
from snug.worker import protocol
from tests.system.conftest import load_recording

DESKTOP = ("nvidia-rtx-3060", EngineDevice("CUDA0", "NVIDIA GeForce RTX 3060", "gpu", 19_800_000_000, 18_000_000_000))


@pytest.fixture
def desktop() -> Machine:
    """A desktop with a card of which the engine counts borrowed memory too, with programs open."""
    name, device = DESKTOP
    return with_engine_devices(read_machine("/home/ann/models", environment=load_recording(name)), (device,))


@pytest.fixture
def shown(hands, qtbot, desktop):
    """The window after the reading child has said that the computer is `desktop`, an earlier driver being noted."""
    qtbot.waitUntil(lambda: hands.rooms.reader.is_fresh, timeout=30_000)
    older = replace(desktop.gpus[0], driver="550.54.14")
    memory = replace(desktop.memory, total=desktop.memory.total // 2, available=1_000_000_000)
    hands.rooms.store.machine.note(replace(desktop, gpus=(older,), memory=memory))
    hands.rooms.reader._on_event(0, protocol.MachineRead(machine=desktop))
    hands.settle()
    return hands


def test_the_card_says_what_changed_until_it_is_noted(shown, desktop):
    said = shown.text("machineChanges")
    assert f"New driver for the NVIDIA GeForce RTX 3060: {desktop.gpus[0].driver} (it was 550.54.14)." in said
    assert "More memory" in said
    shown.click("noteMachineChanges")
    shown.settle()
    assert not shown.is_shown("machineChanges")
    shown.rooms.reader._on_event(0, protocol.MachineRead(machine=desktop))
    shown.settle()
    assert not shown.is_shown("machineChanges")


def test_the_card_names_who_holds_the_memory(shown):
    assert "in use by other programs (Firefox: 2.1 GB, Visual Studio Code: 900 MB)" in shown.rooms.home.usedText


def test_the_card_says_where_two_sources_differ_and_which_is_believed(shown):
    said = shown.text("machineDifferences")
    assert "the system says 12 GB, the engine 18 GB. Snug counts with 12 GB" in said


def test_everything_new_on_the_card_has_a_name_and_room_for_a_finger(shown):
    assert shown.nameless() == []
    assert shown.small_targets() == []


def test_machine_card_pictures(shown):
    shown.save_pictures("home-machine-news")
    shown.click("isThisRight")
    shown.item("machineFiguresConfirm")
    shown.settle()
    rows = {row["key"]: row for row in shown.rooms.home.figures.rows()}
    assert "Firefox: 2.1 GB" in rows["memory_holders"]["value"]
    assert "differs.gpus.0.memory_total" in rows
    shown.save_pictures("home-machine-figures")
