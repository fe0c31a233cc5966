"""Home's picks: what is on this computer already is offered first, and its button opens a chat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from snug.core.candidates import TYPES
from snug.core.catalogue import facts_of, load_catalogue
from snug.core.recommend import recommend
from snug.core.what_changes import changes
from snug.paths import Paths, resources_folder
from snug.store import Store, open_store
from snug.store.rows import NewModel
from snug.ui.children import Children
from snug.ui.home import HomeModel
from snug.ui.machine_reader import MachineReader
from tests.core.machines import card, machine

CATALOGUE = load_catalogue(resources_folder() / "catalogue" / "models.json")
GEMMA = next(entry for entry in CATALOGUE if entry.key == "gemma-4-12b-it")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(Paths(tmp_path), now=lambda: datetime.now(UTC))[0]
    opened.machine.remember(machine(32, card()))
    yield opened
    opened.close()


@pytest.fixture
def children(qtbot: QtBot, tmp_path: Path) -> Iterator[Children]:
    made = Children(tmp_path / "logs")
    yield made
    made.kill_all()


def add_gemma(store: Store, folder: Path) -> int:
    file = folder / "gemma-4-12B-it-Q4_K_M.gguf"
    file.write_bytes(b"GGUF")
    facts = replace(facts_of(GEMMA, "Q4_K_M"), exact=True)
    return store.models.add(NewModel("Gemma", str(file), facts, repo=GEMMA.gguf_repos[0], source="hub")).id


def test_a_model_that_is_here_is_offered_first_and_its_button_chats(
    store: Store, children: Children, tmp_path: Path, qtbot: QtBot
) -> None:
    owner = QObject()
    reader = MachineReader(store, children, lambda: ".", owner)
    home = HomeModel(reader, lambda: CATALOGUE, None, datetime.now, owner, library=store.models.all)
    assert not any(row["isHere"] for row in home.picks.rows())
    number = add_gemma(store, tmp_path)
    home.refresh()
    first = home.picks.rows()[0]
    assert (first["key"], first["isHere"], first["download"]) == (GEMMA.key, True, "Already on this computer")
    with qtbot.waitSignal(home.hereWanted, check_params_cb=lambda model: model == number):
        home.getAndChat(GEMMA.key)


def test_tool_use_is_among_the_uses_and_has_its_own_picks(store: Store, children: Children, qtbot: QtBot) -> None:
    owner = QObject()
    home = HomeModel(MachineReader(store, children, lambda: ".", owner), lambda: CATALOGUE, None, datetime.now, owner)
    assert "tools" in [use["key"] for use in home.uses]
    home.chooseUse("tools")
    assert len(home.picks.rows()) == 3


def test_what_would_change_a_pick_is_said_as_the_core_says_it(store: Store, children: Children, qtbot: QtBot) -> None:
    owner = QObject()
    reader = MachineReader(store, children, lambda: ".", owner)
    home = HomeModel(reader, lambda: CATALOGUE, None, datetime.now, owner)
    assert [row["change"] for row in home.picks.rows()] == ["", "", ""]
    qtbot.waitUntil(lambda: any(row["change"] for row in home.picks.rows()), timeout=20_000)
    picks = recommend(CATALOGUE, reader.known())
    assert [row["change"] for row in home.picks.rows()] == list(changes(CATALOGUE, reader.known(), "chat", picks))


def test_a_divergence_measured_here_changes_what_is_picked(store: Store, children: Children, qtbot: QtBot) -> None:
    owner = QObject()
    reader = MachineReader(store, children, lambda: ".", owner)
    home = HomeModel(reader, lambda: CATALOGUE, None, datetime.now, owner, measured=store.divergences.known)
    first = home.picks.rows()[0]["key"]
    for name in TYPES:
        store.divergences.record(first, name, 3.0)
    home.refresh()
    assert first != home.picks.rows()[0]["key"]
    home.close()
