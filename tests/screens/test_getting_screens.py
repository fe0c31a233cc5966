"""Discover, Downloads and Library in the real window: what a person sees and presses on the way to a model."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from snug.paths import resources_folder
from tests.hub.faults import Fault
from tests.hub.server import Hub

Hands = Any

PIP = resources_folder() / "models" / "pip" / "pip-7m-Q8_0.gguf"
WAIT_MS = 30_000


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with Hub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        yield running


def press_found(hands: Hands, key: str) -> None:
    """Presses that model's row, wherever it stands in the list."""
    hands.item("discoverList").setProperty("currentIndex", found(hands).index(key))
    hands.click(f"found-{key}")


def test_discover_shows_the_catalogue_and_the_details_of_one(hub: Hub, hands: Hands) -> None:
    hands.go("discover")
    press_found(hands, "qwen3.5-4b")
    hands.bot.waitUntil(lambda: "GGUF" in hands.rooms.discover.details.rawText, timeout=WAIT_MS)
    hands.settle()
    assert hands.text("detailsTitle") == "Qwen3.5 4B"
    assert hands.text("pagesWords").startswith("about ")
    hands.save_pictures("discover")
    hands.item("detailsCard").setProperty("open", True)
    hands.settle()
    hands.scroll_to(hands.item("detailsCard"))
    hands.save_pictures("discover-card")
    assert hands.nameless() == []
    assert hands.small_targets() == []


def test_the_details_say_why_what_would_change_it_and_what_public_tests_say(hands: Hands) -> None:
    hands.rooms.store.settings.set("network.offline", True)  # the Hub of the tests has a tiny file, which would fit
    hands.go("discover")
    hands.rooms.discover.open("qwen3.5-122b-a10b")
    reasons = hands.rooms.discover.details.reasons
    hands.bot.waitUntil(lambda: reasons.changeText != "", timeout=WAIT_MS)
    hands.settle()
    assert hands.text("detailsStanding").startswith("In public tests it does better than is usual")
    assert hands.text("detailsChange") == reasons.changeText
    hands.scroll_to(hands.item("detailsWhy"))
    hands.save_pictures("discover-why")
    hands.item("detailsEvidence").setProperty("open", True)
    hands.settle()
    hands.scroll_to(hands.item("detailsEvidence"))
    hands.save_pictures("discover-evidence")
    assert len(reasons.evidence) >= 10
    assert all(row["source"] and row["score"] for row in reasons.evidence)
    assert hands.nameless() == []
    assert hands.small_targets() == []


def test_a_model_without_room_on_the_disk_says_so_before_it_is_fetched(hands: Hands) -> None:
    hands.rooms.store.settings.set("network.offline", True)  # the Hub of the tests has a tiny file, which has room
    hands.bot.waitUntil(lambda: hands.rooms.reader.is_fresh, timeout=WAIT_MS)  # a figure is of one folder's disk
    disk = hands.rooms.reader.known().disks[0].key
    hands.rooms.home.correct(disk, 3.0)
    hands.go("discover")
    press_found(hands, "qwen3.5-4b")
    reasons = hands.rooms.discover.details.reasons
    hands.bot.waitUntil(lambda: reasons.changeText != "", timeout=WAIT_MS)
    hands.settle()
    row = next(row for row in hands.rooms.discover.rows.rows() if row["key"] == "qwen3.5-4b")
    assert (row["verdictKind"], row["verdictText"]) == ("bad", "No room on disk")
    assert hands.item("detailsVerdict").property("text") == "No room on disk"
    assert hands.text("detailsDisk").startswith("The disk for models has 3.0 GB free; with a little to spare, ")
    assert "more room on the disk it would fit" in reasons.changeText
    hands.save_pictures("discover-no-disk")
    hands.rooms.home.takeBack(disk)
    hands.rooms.discover.refresh()
    assert hands.rooms.discover.details.diskText == ""
    assert hands.text("detailsVerdict") != "No room on disk"


def test_a_repository_for_another_engine_says_what_snug_can_do_with_it(hub: Hub, hands: Hands) -> None:
    hands.go("discover")
    hands.click("search")
    hands.write("snug-test/pip-7m-GPTQ")
    hands.bot.waitUntil(
        lambda: "snug-test/pip-7m-gptq" in [row["key"] for row in hands.rooms.discover.rows.rows()], timeout=WAIT_MS
    )
    hands.click("found-snug-test/pip-7m-gptq")
    hands.bot.waitUntil(lambda: "vLLM (GPTQ)" in hands.text("detailsStatus"), timeout=WAIT_MS)
    hands.settle()
    assert "Snug can convert it (needs" in hands.text("detailsStatus")
    hands.save_pictures("discover-other-engine")
    hands.click("convert")
    hands.bot.waitUntil(lambda: hands.rooms.app_model.screen == "fit", timeout=WAIT_MS)


def test_discover_without_the_hub_keeps_the_list_and_offers_to_try_again(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    hands.go("discover")
    hands.click("search")
    hands.write("gemma")
    hands.bot.waitUntil(lambda: hands.is_shown("searchProblem"), timeout=WAIT_MS)
    hands.settle()
    hands.save_pictures("discover-no-network")
    assert hands.is_shown("searchProblemAction")
    assert any(row["title"].startswith("Gemma") for row in hands.rooms.discover.rows.rows())


def test_a_download_is_watched_paused_continued_and_chatted_with(hub: Hub, hands: Hands) -> None:
    hub.rate = 200_000
    hands.go("discover")
    press_found(hands, "qwen3-0.6b")
    hands.bot.waitUntil(lambda: "GGUF" in hands.rooms.discover.details.rawText, timeout=WAIT_MS)
    hands.click("onlyDownload")
    hands.item("pause")
    hands.bot.waitUntil(lambda: "a second" in hands.text("downloadLine"), timeout=WAIT_MS)
    hands.save_pictures("downloads-running")
    hands.click("pause")
    hands.item("resume")
    assert hands.text("downloadLine").startswith("Paused")
    hub.rate = 0
    hands.click("resume")
    hands.bot.waitUntil(lambda: hands.is_shown("chat"), timeout=WAIT_MS)
    hands.settle()
    hands.save_pictures("downloads-arrived")
    assert hands.nameless() == []
    hands.click("chat")
    assert hands.app.screen == "chat"


def test_a_download_that_fails_says_what_to_do(hub: Hub, hands: Hands) -> None:
    hands.go("downloads")
    hands.settle()
    hands.save_pictures("downloads-empty")
    hands.click("downloadsEmptyPrimary")
    assert hands.app.screen == "discover"
    press_found(hands, "qwen3-0.6b")
    hands.bot.waitUntil(lambda: "GGUF" in hands.rooms.discover.details.rawText, timeout=WAIT_MS)
    hub.faults.add(Fault("status", where="resolve", status=404, times=0))
    hands.click("onlyDownload")
    hands.item("resume")
    hands.settle()
    hands.save_pictures("downloads-failed")
    assert filled(hands) == ["findAnother"]
    hands.click("findAnother")
    assert hands.app.screen == "discover"
    assert hands.item("search").property("text") == "Qwen3-0.6B"


def test_a_gated_model_says_what_to_do_and_where(hub: Hub, hands: Hands) -> None:
    hands.go("discover")
    hands.click("search")
    hands.write("snug-test/gated")
    hands.bot.waitUntil(lambda: any("gated" in key for key in found(hands)), timeout=WAIT_MS)
    [key] = [key for key in found(hands) if "gated" in key]
    hands.click(f"found-{key}")
    hands.bot.waitUntil(lambda: "sign in" in hands.text("detailsStatus"), timeout=WAIT_MS)
    hands.click("onlyDownload")
    hands.item("openPage")
    hands.settle()
    assert filled(hands) == ["openPage"]
    hands.click("openPage")
    hands.settle()
    hands.save_pictures("downloads-gated")
    hands.click("pageAskCancel")
    hands.click("openSettings")
    assert hands.app.screen == "settings"


def filled(hands: Hands) -> list[str]:
    """The download's buttons that are filled with the accent."""
    names = ("resume", "openPage", "openSettings", "findAnother")
    return [name for name in names for item in hands.items(name) if item.property("filled")]


def found(hands: Hands) -> list[str]:
    return [row["key"] for row in hands.rooms.discover.rows.rows()]


def test_the_library_adds_a_file_and_asks_before_it_removes_one(hands: Hands, tmp_path: Path, qtbot: QtBot) -> None:
    copy = tmp_path / "mine.gguf"
    shutil.copy(PIP, copy)
    hands.go("library")
    hands.settle()
    hands.save_pictures("library-empty")
    with qtbot.waitSignal(hands.rooms.library.changed, timeout=WAIT_MS):
        hands.rooms.library.addFile(copy.as_uri())
    hands.settle()
    hands.save_pictures("library")
    assert hands.nameless() == []
    assert hands.small_targets() == []
    menu = hands.items("libraryMenu")[0]
    hands.click(menu)
    hands.click("libraryRemove")
    hands.settle()
    hands.save_pictures("library-remove")
    hands.click("removeAskDanger")
    hands.bot.waitUntil(lambda: len(hands.items("libraryMenu")) == 1, timeout=WAIT_MS)
    assert copy.exists()


def test_the_keyboard_alone_reaches_a_model(hub: Hub, hands: Hands) -> None:
    hands.key(Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    hands.bot.waitUntil(lambda: hands.is_shown("discoverList"), timeout=WAIT_MS)
    hands.item("discoverList").forceActiveFocus()
    hands.key(Qt.Key.Key_Down)
    hands.key(Qt.Key.Key_Return)
    hands.bot.waitUntil(lambda: hands.is_shown("detailsTitle"), timeout=WAIT_MS)
