"""Discover with the real store, the real child and a Hub on loopback: search, details, and getting a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from snug.core.candidates import candidate_of
from snug.core.catalogue import CatalogueEntry, load_catalogue
from snug.core.disk_room import NO_ROOM_WORDS
from snug.core.machine import Cpu, Disk, Machine, Memory
from snug.core.words import VERDICT_TEXTS
from snug.paths import Paths, resources_folder
from snug.store import Store, open_store
from snug.ui.child_requests import ChildRequests
from snug.ui.children import Children
from snug.ui.discover import DiscoverModel, may_be_good_for
from snug.ui.download_queue import DownloadQueue
from snug.ui.getting import Getting, best_choice
from snug.ui.model_details import ModelDetails, context_at, position_of
from snug.worker import protocol
from tests.hub.content import other_format_repository
from tests.hub.server import Hub

LAPTOP = Machine(os="linux", cpu=Cpu("laptop", 8, 8, ("avx2",)), memory=Memory(16_000_000_000, 12_000_000_000, 50e9))
ROOMY_BUT_SLOW = Machine(
    os="linux", cpu=Cpu("laptop", 8, 8, ("avx2",)), memory=Memory(32_000_000_000, 20_000_000_000, 20e9)
)
"""Every verdict occurs here: room for much, and a pace for little."""
UNKNOWN = Machine()
WAIT_MS = 20_000


class Rooms:
    """What main wires for these screens."""

    def __init__(self, folder: Path, catalogue: tuple[CatalogueEntry, ...]) -> None:
        self.machine = LAPTOP
        self.paths = Paths(folder)
        self.store: Store = open_store(self.paths, now=lambda: datetime.now(UTC))[0]
        self.children = Children(self.paths.logs)
        self.hub = ChildRequests(lambda: self.children.make("hub"), self.children)
        self.queue = DownloadQueue(self.store, self.paths, lambda: self.children.make("download"), lambda: "")
        self.getting = Getting(self.store, self.queue, self.hub)
        self.details = ModelDetails(lambda: self.machine, self.store.settings, self.hub, self.getting)
        self.discover = DiscoverModel(
            lambda: catalogue, lambda: self.machine, self.store.settings, self.hub, self.details
        )

    def close(self) -> None:
        self.queue.stop()
        self.children.kill_all()
        self.store.close()


@pytest.fixture(scope="module")
def catalogue() -> tuple[CatalogueEntry, ...]:
    return load_catalogue(resources_folder() / "catalogue" / "models.json")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with Hub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        yield running


@pytest.fixture
def rooms(qtbot: QtBot, tmp_path: Path, catalogue: tuple[CatalogueEntry, ...]) -> Iterator[Rooms]:
    made = Rooms(tmp_path, catalogue)
    yield made
    made.close()


def shown(rooms: Rooms) -> dict[str, dict[str, object]]:
    return {row["key"]: row for row in rooms.discover.rows.rows()}


def test_without_a_network_the_catalogue_is_shown_with_a_verdict_for_each(
    rooms: Rooms, catalogue: tuple[CatalogueEntry, ...]
) -> None:
    rooms.machine = ROOMY_BUT_SLOW
    rooms.discover.fill()
    rows = shown(rooms)
    assert len(rows) == len(catalogue)
    assert {row["verdictText"] for row in rows.values()} == {*VERDICT_TEXTS.values(), "Fits, but slow"}
    assert rows["llama-3.3-70b-instruct"]["figures"].startswith("needs ")


def test_the_list_begins_with_what_is_worth_most_here_for_the_chosen_use(
    rooms: Rooms, catalogue: tuple[CatalogueEntry, ...]
) -> None:
    rooms.discover.fill()
    entries = {entry.key: entry for entry in catalogue}
    for use in ("", "code", "vision"):
        rooms.discover.setFilter("use", use)
        ranked = [candidate_of(entries[key], rooms.machine, use or "chat") for key in shown(rooms)]
        fitting = [item for item in ranked if item is not None]
        assert ranked[: len(fitting)] == fitting
        assert [item.order for item in fitting] == sorted((item.order for item in fitting), reverse=True)


def test_a_search_result_for_another_engine_comes_after_what_is_ready(rooms: Rooms, hub: Hub, qtbot: QtBot) -> None:
    hub.repositories[other_format_repository().name] = other_format_repository()
    rooms.discover.fill()
    rooms.discover.setText("pip")
    qtbot.waitUntil(lambda: "snug-test/pip-7m-gptq" in shown(rooms), timeout=WAIT_MS)
    keys = list(shown(rooms))
    assert keys.index("snug-test/pip-7m-gguf") < keys.index("snug-test/pip-7m-gptq")


def test_the_filter_hides_what_does_not_fit(rooms: Rooms) -> None:
    rooms.discover.fill()
    rooms.discover.setFilter("fits", "yes")
    assert shown(rooms)
    assert all(row["verdictKind"] in ("good", "tight") for row in shown(rooms).values())


def test_what_the_disk_has_no_room_for_is_marked_sorted_last_and_hidden_with_what_does_not_fit(rooms: Rooms) -> None:
    rooms.machine = replace(LAPTOP, disks=(Disk("/models", 5_000_000_000, 250_000_000_000),))
    rooms.discover.fill()
    rows = list(shown(rooms).values())
    marked = [row for row in rows if row["verdictText"] == NO_ROOM_WORDS]
    assert marked
    assert all(row["verdictKind"] == "bad" for row in marked)
    fitting = [index for index, row in enumerate(rows) if row["verdictKind"] in ("good", "tight")]
    assert max(fitting) < min(rows.index(row) for row in marked)
    rooms.discover.setFilter("fits", "yes")
    assert NO_ROOM_WORDS not in {row["verdictText"] for row in shown(rooms).values()}


def test_the_size_and_licence_filters_leave_what_matches(rooms: Rooms) -> None:
    rooms.discover.fill()
    everything = len(shown(rooms))
    rooms.discover.setFilter("size", "2")
    small = set(shown(rooms))
    assert 0 < len(small) < everything
    rooms.discover.setFilter("licence", "free")
    assert 0 < len(set(shown(rooms))) < len(small)
    rooms.discover.setFilter("size", "")
    rooms.discover.setFilter("licence", "")
    assert len(shown(rooms)) == everything


def test_pictures_and_parts_come_along_and_are_said(rooms: Rooms, hub: Hub, qtbot: QtBot) -> None:
    for words, said in (("vision", "sees pictures"), ("split", "parts")):
        rooms.discover.setText(f"snug-test/{words}")
        qtbot.waitUntil(lambda words=words: any(words in key for key in shown(rooms)), timeout=WAIT_MS)
        rooms.discover.open(next(key for key in shown(rooms) if words in key))
        qtbot.waitUntil(lambda said=said: said in rooms.details.companionText, timeout=WAIT_MS)


def test_before_the_computer_is_known_nothing_is_claimed(rooms: Rooms) -> None:
    rooms.machine = UNKNOWN
    rooms.discover.fill()
    assert {row["verdictKind"] for row in shown(rooms).values()} == {"quiet"}
    rooms.machine = LAPTOP
    rooms.discover.refresh()
    assert "good" in {row["verdictKind"] for row in shown(rooms).values()}


def test_a_search_finds_what_the_catalogue_does_not_have(rooms: Rooms, hub: Hub, qtbot: QtBot) -> None:
    rooms.discover.fill()
    rooms.discover.setText("pip")
    qtbot.waitUntil(lambda: "snug-test/pip-7m-gguf" in shown(rooms), timeout=WAIT_MS)
    assert not rooms.discover.isBusy
    assert shown(rooms)["snug-test/pip-7m-gguf"]["verdictText"] == "Fits well"


def test_a_hub_that_cannot_be_reached_leaves_the_list_and_says_so(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    rooms.discover.setText("gemma")
    qtbot.waitUntil(lambda: rooms.discover.problemTitle != "", timeout=WAIT_MS)
    assert any(key.startswith("gemma") for key in shown(rooms))


def test_a_search_while_offline_leads_to_the_switch(rooms: Rooms, qtbot: QtBot) -> None:
    rooms.store.settings.set("network.offline", True)
    rooms.discover.setText("gemma")
    qtbot.waitUntil(lambda: rooms.discover.problemTitle != "", timeout=WAIT_MS)
    assert rooms.discover.problemAction == "Open Settings"
    with qtbot.waitSignal(rooms.discover.settingsRequested):
        rooms.discover.mend()


def test_details_go_from_estimate_to_the_files_own_figures(rooms: Rooms, hub: Hub, qtbot: QtBot) -> None:
    rooms.discover.fill()
    rooms.discover.setText("pip")
    qtbot.waitUntil(lambda: "snug-test/pip-7m-gguf" in shown(rooms), timeout=WAIT_MS)
    rooms.discover.open("snug-test/pip-7m-gguf")
    details = rooms.details
    assert details.title == "pip-7m-GGUF"
    qtbot.waitUntil(lambda: "pip-7m-Q8_0.gguf" in files_text(details), timeout=WAIT_MS)
    sizes = [choice["type"] for choice in details.files]
    assert sizes.index("Q4_K_M") < sizes.index("Q8_0") < sizes.index("F16")
    assert "KV cache" in details.rawText


def files_text(details: ModelDetails) -> str:
    texts = []
    for index in range(len(details.files)):
        details.chooseFile(index)
        texts.append(details.rawText)
    return "\n".join(texts)


def test_more_conversation_needs_more_memory(rooms: Rooms) -> None:
    rooms.discover.fill()
    rooms.discover.open("qwen3-4b-instruct-2507")
    rooms.details.chooseContext(0.2)
    little = rooms.details.fit.segments
    rooms.details.chooseContext(0.6)
    much = rooms.details.fit.segments
    share = {"little": little[2]["share"], "much": much[2]["share"]}
    assert share["much"] > share["little"]
    assert abs(sum(part["share"] for part in much) - 1) < 1e-6


def test_one_press_downloads_checks_and_puts_the_model_into_the_library(
    rooms: Rooms, hub: Hub, qtbot: QtBot, catalogue: tuple[CatalogueEntry, ...]
) -> None:
    [entry] = [entry for entry in catalogue if entry.key == "qwen3-0.6b"]
    with qtbot.waitSignal(rooms.queue.arrived, timeout=60_000) as arrived:
        rooms.getting.get_entry(entry, "Q8_0", True)
    model = rooms.store.models.get(arrived.args[1])
    assert (model.name, model.is_ours, model.state) == (entry.name, True, "ready")
    assert Path(model.path).is_relative_to(rooms.paths.models)
    assert len(model.sha256) == 64


def test_a_model_that_is_here_is_opened_instead_of_fetched_again(
    rooms: Rooms, hub: Hub, qtbot: QtBot, catalogue: tuple[CatalogueEntry, ...]
) -> None:
    [entry] = [entry for entry in catalogue if entry.key == "qwen3-0.6b"]
    with qtbot.waitSignal(rooms.queue.arrived, timeout=60_000) as arrived:
        rooms.getting.get_entry(entry, "Q8_0", True)
    with qtbot.waitSignal(rooms.getting.ready, timeout=WAIT_MS) as ready:
        rooms.getting.get_entry(entry, "Q8_0", True)
    assert ready.args[0] == arrived.args[1]


def test_a_problem_while_looking_for_the_file_has_words(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot, catalogue: tuple[CatalogueEntry, ...]
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with qtbot.waitSignal(rooms.getting.problemChanged, timeout=WAIT_MS):
        rooms.getting.get_entry(catalogue[0], "Q4_K_M", True)
    assert rooms.getting.problemTitle
    assert rooms.getting.busyKey == ""


def choice(file_type: str, complete: bool = True) -> protocol.FileChoice:
    return protocol.FileChoice(
        title=file_type, group="balanced", file_type=file_type, size_bytes=1, files=[], complete=complete
    )


@pytest.mark.parametrize(
    ("there", "wanted", "taken"),
    [
        (["Q4_K_M", "Q8_0"], "Q8_0", "Q8_0"),
        (["Q4_0", "Q4_K_M", "Q8_0"], "Q5_K_M", "Q4_K_M"),
        (["Q8_0", "F16"], "Q4_K_M", "Q8_0"),
        (["MXFP4"], "Q4_K_M", "MXFP4"),
    ],
)
def test_the_nearest_file_is_taken_where_the_wanted_one_is_missing(there: list[str], wanted: str, taken: str) -> None:
    assert best_choice([choice(name) for name in there], wanted).file_type == taken


def test_an_incomplete_file_is_never_taken() -> None:
    assert best_choice([choice("Q4_K_M", complete=False)], "Q4_K_M") is None


@pytest.mark.parametrize("context", [1024, 4096, 32768, 131072])
def test_the_slider_and_the_context_agree(context: int) -> None:
    assert context_at(position_of(context, 131072), 131072) == pytest.approx(context, abs=256)


def test_a_use_hides_only_search_results_that_are_known_not_to_be_for_it(rooms: Rooms, hub: Hub, qtbot: QtBot) -> None:
    rooms.discover.fill()
    rooms.discover.setText("pip")
    qtbot.waitUntil(lambda: "snug-test/pip-7m-gguf" in shown(rooms), timeout=WAIT_MS)
    for use in ("chat", "writing", "code", "documents", "tools"):
        rooms.discover.setFilter("use", use)
        assert {"snug-test/pip-7m-gguf", "snug-test/vision-pip-gguf"} <= set(shown(rooms))
    rooms.discover.setFilter("use", "vision")
    assert "snug-test/vision-pip-gguf" in shown(rooms)
    assert "snug-test/pip-7m-gguf" not in shown(rooms)


@pytest.mark.parametrize(
    ("task", "use", "may"),
    [("", "vision", True), ("", "code", True), ("text-generation", "code", True), ("text-to-image", "chat", False),
     ("feature-extraction", "documents", False), ("image-text-to-text", "vision", True)],
)  # fmt: skip
def test_only_the_task_that_the_hub_names_tells_what_a_model_is_not_for(task: str, use: str, may: bool) -> None:
    model = protocol.HubModel(repo="a/b", author="a", name="b", task=task)
    assert may_be_good_for(model, use) is may


def test_the_details_answer_for_the_use_that_is_chosen(rooms: Rooms) -> None:
    rooms.discover.fill()
    rooms.discover.setFilter("use", "code")
    rooms.discover.open("gpt-oss-20b")
    assert "of code" in rooms.details.reasons.standing
