"""The Library screen's view-model with the real store and the real child."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from snug.core.machine import Cpu, Machine, Memory
from snug.paths import Paths, resources_folder
from snug.store import Store, open_store
from snug.ui.child_requests import ChildRequests
from snug.ui.children import Children
from snug.ui.library import LibraryModelView
from snug.ui.library_rows import found_words
from snug.worker import protocol

PIP = resources_folder() / "models" / "pip" / "pip-7m-Q8_0.gguf"
MACHINE = Machine(os="linux", cpu=Cpu("laptop", 8, 8), memory=Memory(16_000_000_000, 12_000_000_000, 50e9))
WAIT_MS = 20_000


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened, _ = open_store(Paths(tmp_path / "home"), now=lambda: datetime.now(UTC))
    yield opened
    opened.close()


@pytest.fixture
def library(qtbot: QtBot, tmp_path: Path, store: Store) -> Iterator[LibraryModelView]:
    children = Children(Paths(tmp_path / "home").logs)
    view = LibraryModelView(store, lambda: MACHINE, ChildRequests(lambda: children.make("files"), children), children)
    view.refresh()
    yield view
    children.kill_all()


def named(library: LibraryModelView, name: str) -> dict[str, object]:
    return next(row for row in library.rows.rows() if name in str(row["path"]))


def add(library: LibraryModelView, qtbot: QtBot, path: Path) -> None:
    with qtbot.waitSignal(library.changed, timeout=WAIT_MS):
        library.addFile(path.as_uri())


def test_the_built_in_model_is_there_and_cannot_be_removed(library: LibraryModelView) -> None:
    [row] = library.rows.rows()
    assert "Pip" in row["name"]
    assert (row["canChat"], row["canRemove"], library.isEmpty) == (True, False, True)


def test_a_file_is_used_in_place_after_it_was_looked_into(
    library: LibraryModelView, qtbot: QtBot, tmp_path: Path
) -> None:
    copy = tmp_path / "模型 😀 é.gguf"
    shutil.copy(PIP, copy)
    add(library, qtbot, copy)
    row = named(library, "模型")
    assert (row["path"], row["verdictText"], row["canChat"]) == (str(copy), "Fits well", True)
    assert not library.isEmpty


def test_a_model_that_an_older_version_took_in_gets_the_figures_that_it_lacks(
    library: LibraryModelView, store: Store, qtbot: QtBot, tmp_path: Path
) -> None:
    copy = tmp_path / "old.gguf"
    shutil.copy(PIP, copy)
    add(library, qtbot, copy)
    model = store.models.by_path(str(copy))
    assert model is not None
    whole = model.facts
    store.models.update_facts(model.id, replace(whole, layer_bytes=(), layer_expert_bytes=(), matrix_bytes_by_type={}))
    store.models.rename(model.id, "My own name")
    with qtbot.waitSignals([library.changed, library.changed], timeout=WAIT_MS):  # what is known at once, then the rest
        library.refresh()
    again = store.models.get(model.id)
    assert again is not None
    assert (again.facts, again.name) == (whole, "My own name")
    assert len(whole.layer_bytes) == whole.layers


def test_a_broken_file_is_refused_in_words_and_not_added(
    library: LibraryModelView, qtbot: QtBot, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(PIP.read_bytes()[:5000])
    library.addFile(str(broken))
    qtbot.waitUntil(lambda: library.problemTitle != "", timeout=WAIT_MS)
    assert len(library.rows.rows()) == 1
    assert library.statusText == ""
    library.dismiss()
    assert library.problemTitle == ""


def test_a_file_that_went_away_stays_in_the_list(library: LibraryModelView, qtbot: QtBot, tmp_path: Path) -> None:
    copy = tmp_path / "gone.gguf"
    shutil.copy(PIP, copy)
    add(library, qtbot, copy)
    os.remove(copy)
    library.refresh()
    row = named(library, "gone.gguf")
    assert (row["phase"], row["verdictText"], row["canChat"]) == ("missing", "Missing", False)


def test_a_moved_folder_is_found_again_by_one_of_its_files(
    library: LibraryModelView, qtbot: QtBot, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    old.mkdir()
    for name in ("one.gguf", "two.gguf"):
        shutil.copy(PIP, old / name)
        add(library, qtbot, old / name)
    ids = [named(library, name)["modelId"] for name in ("one.gguf", "two.gguf")]
    old.rename(tmp_path / "new")
    library.refresh()
    assert named(library, "one.gguf")["canFind"]
    library.find(ids[0], (tmp_path / "new" / "one.gguf").as_uri())
    qtbot.waitUntil(lambda: all(row["canChat"] for row in library.rows.rows()), timeout=WAIT_MS)
    assert [named(library, name)["modelId"] for name in ("one.gguf", "two.gguf")] == ids
    assert str(named(library, "two.gguf")["path"]).startswith(str(tmp_path / "new"))


def test_another_file_is_not_taken_for_the_missing_one(library: LibraryModelView, qtbot: QtBot, tmp_path: Path) -> None:
    copy = tmp_path / "gone.gguf"
    shutil.copy(PIP, copy)
    add(library, qtbot, copy)
    library.check(named(library, "gone.gguf")["modelId"])
    qtbot.waitUntil(lambda: library.statusText == "", timeout=WAIT_MS)
    other = tmp_path / "other.gguf"
    data = bytearray(copy.read_bytes())
    data[-100] ^= 1
    other.write_bytes(data)
    os.remove(copy)
    library.refresh()
    library.find(named(library, "gone.gguf")["modelId"], str(other))
    qtbot.waitUntil(lambda: "not the file" in library.problemTitle, timeout=WAIT_MS)
    assert named(library, "gone.gguf")["phase"] == "missing"


def test_removing_a_file_of_the_persons_own_leaves_it_where_it_is(
    library: LibraryModelView, qtbot: QtBot, tmp_path: Path
) -> None:
    copy = tmp_path / "mine.gguf"
    shutil.copy(PIP, copy)
    add(library, qtbot, copy)
    model_id = named(library, "mine.gguf")["modelId"]
    assert library.removalWords(model_id)
    with qtbot.waitSignal(library.said):
        library.remove(model_id)
    assert copy.exists()
    assert len(library.rows.rows()) == 1


def test_a_flipped_bit_is_found_by_checking_the_file(library: LibraryModelView, qtbot: QtBot, tmp_path: Path) -> None:
    copy = tmp_path / "checked.gguf"
    shutil.copy(PIP, copy)
    add(library, qtbot, copy)
    model_id = named(library, "checked.gguf")["modelId"]
    with qtbot.waitSignal(library.said, timeout=WAIT_MS):
        library.check(model_id)
    data = bytearray(copy.read_bytes())
    data[-100] ^= 1
    copy.write_bytes(data)
    library.check(model_id)
    qtbot.waitUntil(lambda: "damaged" in library.problemTitle, timeout=WAIT_MS)


def test_models_of_other_programs_are_offered_then_used_in_place(
    library: LibraryModelView, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "person" / ".lmstudio" / "models" / "maker" / "pip"
    other.mkdir(parents=True)
    shutil.copy(PIP, other / "pip.gguf")
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    with qtbot.waitSignal(library.foundChanged, timeout=WAIT_MS):
        library.scan()
    assert library.foundText == "Snug found 1 in LM Studio and can use it where it is."
    library.addFound()
    assert named(library, ".lmstudio")["line"].find("kept by LM Studio") >= 0
    assert library.foundText == ""


def test_a_model_can_be_renamed(library: LibraryModelView, qtbot: QtBot, tmp_path: Path) -> None:
    copy = tmp_path / "name.gguf"
    shutil.copy(PIP, copy)
    add(library, qtbot, copy)
    library.rename(named(library, "name.gguf")["modelId"], "  My own  ")
    assert named(library, "name.gguf")["name"] == "My own"


def test_what_was_found_is_counted_by_program() -> None:
    facts = None

    def model(app: str) -> protocol.FoundModel:
        return protocol.FoundModel(name="x", path="/x", app=app, size_bytes=1, facts=facts)  # type: ignore[arg-type]

    assert found_words([]) == ""
    found = [model("LM Studio"), model("LM Studio"), model("Jan")]
    assert found_words(found) == "Snug found 1 in Jan and 2 in LM Studio and can use them where they are."
