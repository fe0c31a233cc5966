"""Home in the real window: this computer's real figures, three picks, and where its buttons lead."""

from __future__ import annotations

import os
import signal
import sqlite3

from PySide6.QtCore import QPointF, QTimer


def test_the_first_start_reads_this_computer_and_keeps_it_for_the_next(open_rooms, home, qtbot):
    rooms = open_rooms(home)
    assert rooms.home.machineLine
    assert not rooms.home.isKnown
    qtbot.waitUntil(lambda: rooms.reader.is_fresh, timeout=30_000)
    assert rooms.home.isKnown
    assert rooms.store.machine.last() == rooms.reader.machine
    assert len(rooms.home.picks.rows()) == 3 or rooms.home.nothingText


def test_home_shows_this_computer_with_its_real_memory(hands):
    machine = hands.rooms.reader.machine
    assert machine.memory.total > 0
    assert hands.text("machineLine") == hands.rooms.home.machineLine
    assert "free for a model" in hands.text("freeMemory")


def test_home_offers_picks_and_the_first_is_the_accented_one(hands):
    assert hands.item("pick0").property("accented") is True
    assert hands.item("pick1").property("accented") is False
    assert hands.is_shown("getAndChat0")


def test_in_the_smallest_window_the_buttons_are_seen_without_scrolling(hands):
    hands.view.resize(900, 600)
    hands.settle()
    for index in range(len(hands.rooms.home.picks.rows())):
        button = hands.item(f"getAndChat{index}")
        assert button.mapToScene(QPointF(0, button.height())).y() <= 600
    hands.view.resize(1280, 800)
    hands.settle()
    button, card = hands.item("getAndChat0"), hands.item("pick0")
    assert card.mapToScene(QPointF(0, card.height())).y() - button.mapToScene(QPointF(0, button.height())).y() < 40


def test_another_use_shows_its_own_picks(hands):
    before = [row["key"] for row in hands.rooms.home.picks.rows()]
    hands.click("use_code")
    assert hands.rooms.home.use == "code"
    assert [row["key"] for row in hands.rooms.home.picks.rows()] != before


def test_is_this_right_lists_every_figure_with_its_source(hands):
    hands.click("isThisRight")
    hands.item("machineFiguresConfirm")
    rows = hands.rooms.home.figures.rows()
    assert {"memory.total", "cpu.name"} <= {row["key"] for row in rows}
    assert all(row["source"] for row in rows)
    hands.save_pictures("home-figures")


def test_more_models_leads_to_discover(hands):
    hands.click("moreModels")
    assert hands.app.screen == "discover"


def test_try_pip_opens_a_chat_with_the_built_in_model(hands):
    hands.click("tryPip")
    assert hands.app.screen == "chat"
    assert "Pip" in hands.rooms.chat.composer.modelName


def test_everything_on_home_has_a_name_and_room_for_a_finger(hands):
    assert hands.nameless() == []
    assert hands.small_targets() == []


def test_every_card_says_what_would_change_it(hands):
    rows = hands.rooms.home.picks.rows
    hands.bot.waitUntil(lambda: all(row["change"] for row in rows()), timeout=60_000)
    hands.settle()
    for index, row in enumerate(rows()):
        assert hands.text(f"pickChange{index}") == row["change"]
        assert row["change"].endswith(".")


def test_home_pictures(hands):
    hands.bot.waitUntil(lambda: all(row["change"] for row in hands.rooms.home.picks.rows()), timeout=60_000)
    hands.settle()
    paths = hands.save_pictures("home")
    assert all(path.stat().st_size > 10_000 for path in paths)


def test_every_use_has_picks_or_says_why_not(hands):
    for use in ("chat", "writing", "code", "documents", "vision"):
        hands.rooms.home.chooseUse(use)
        assert hands.rooms.home.picks.rows() or hands.rooms.home.nothingText, use


def test_a_busy_later_start_does_not_make_the_computer_slower(rooms, this_machine, qtbot):
    qtbot.waitUntil(lambda: rooms.reader.is_fresh, timeout=30_000)
    assert rooms.reader.machine.memory.bandwidth >= this_machine.memory.bandwidth


def test_a_reader_that_dies_is_explained_and_can_be_asked_again(open_rooms, hands_on, home, qtbot):
    rooms = open_rooms(home)
    qtbot.waitUntil(lambda: rooms.reader._child is not None and rooms.reader._child.pid > 0, timeout=30_000)
    os.kill(rooms.reader._child.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: not rooms.reader.is_reading, timeout=30_000)
    hands = hands_on(rooms)
    assert "could not be read" in hands.text("machineLine")
    hands.click("readMachineAgain")
    qtbot.waitUntil(lambda: rooms.reader.is_fresh, timeout=30_000)
    assert rooms.home.isKnown


def test_a_database_that_another_program_holds_for_a_moment_is_waited_for(open_rooms, known_home, qtbot):
    holder = sqlite3.connect(known_home / "snug.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    QTimer.singleShot(700, holder.close)
    rooms = open_rooms(known_home)
    assert rooms.app_model.troubleTitle == ""
    assert rooms.home.isKnown


def test_a_figure_can_be_corrected_and_taken_back(hands):
    hands.bot.waitUntil(lambda: hands.rooms.reader.is_fresh, timeout=30_000)  # else a new reading changes it meanwhile
    before = hands.rooms.reader.machine
    hands.click("isThisRight")
    hands.item("correct-memory.bandwidth")
    hands.settle()
    hands.click("correct-memory.bandwidth")
    hands.item("correctionNumber")
    hands.settle()
    hands.save_pictures("home-correction")
    hands.item("correctionNumber").setProperty("value", 1234)
    hands.click("correctionConfirm")
    hands.bot.waitUntil(lambda: hands.rooms.reader.machine.memory.bandwidth == 123.4e9)
    assert "reads 123 GB a second, corrected by you" in hands.text("machineLine")
    assert hands.rooms.store.machine.last().memory.bandwidth == before.memory.bandwidth
    hands.settle()
    hands.click("takeBack-memory.bandwidth")
    hands.bot.waitUntil(lambda: hands.rooms.reader.machine.memory.bandwidth == before.memory.bandwidth)
