"""Every number that is shown for one file and settings is the same number, wherever it is shown.

`SURFACES` is the list of places; each says, in the words that a person reads there, the verdict, the speed, the memory
and the pages of one model, or those of them that it shows. A new place that shows such figures gets a line there.
"""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from snug import cli
from snug.commands import library, machine_file, recommend
from snug.commands.command import Context
from snug.core import candidates
from snug.core.catalogue import CatalogueEntry, load_catalogue
from snug.core.fit import FitSettings, Parts, SpeedRange, Verdict
from snug.core.known_machines import load_known_machines
from snug.core.machine import Cpu, Machine, Memory
from snug.core.machine_words import memory_line
from snug.core.words import VERDICT_TEXTS, pages_text, size_text, words_per_second_text
from snug.formats.gguf_facts import facts_from_header
from snug.formats.gguf_header import read_file_header
from snug.paths import Paths, resources_folder
from snug.store import Store, open_store
from snug.store.rows import LibraryModel, NewModel
from snug.ui.calculator import CalculatorModel
from snug.ui.chat import ChatModel
from snug.ui.child_requests import ChildRequests
from snug.ui.children import Children
from snug.ui.conversion_offer import Offer
from snug.ui.conversion_result import ConversionResult
from snug.ui.discover import DiscoverModel
from snug.ui.download_queue import DownloadQueue
from snug.ui.getting import Getting
from snug.ui.home import HomeModel
from snug.ui.library import LibraryModelView
from snug.ui.machine_reader import MachineReader
from snug.ui.memory_plans import MemoryPlans
from snug.ui.model_details import ModelDetails
from snug.ui.what_if import WhatIfModel
from snug.worker.conversion_messages import ConversionChoice, ConversionDone, ConversionPreviewed, ConversionSource

LAPTOP = Machine(os="linux", cpu=Cpu("laptop", 8, 8, ("avx2",)), memory=Memory(16_000_000_000, 12_000_000_000, 50e9))
PIP = resources_folder() / "models" / "pip" / "pip-7m-Q8_0.gguf"
FACTS = facts_from_header(read_file_header(PIP))
REPO = "snug-test/pip-7m-GGUF"
WAIT_MS = 20_000
TAKEN = Parts(weights=7_392_460, conversation=3_145_728, compute=9_447_669, other=81_000_000)


def pip_entry() -> CatalogueEntry:
    """Pip as the catalogue would list it: figures near its file's, never quite the same."""
    usual = load_catalogue(resources_folder() / "catalogue" / "models.json")[0]
    return replace(
        usual, key="pip", name="Pip", repo="snug-test/pip-7m", gguf_repos=(REPO,), parameters=7_000_000,
        active_parameters=None, architecture="llama", layers=6, kv_heads=2, head_dim=64, hidden=256, vocabulary=4096,
        context=1024, tied_embeddings=True, good_for=("chat",),
    )  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """The words of one place; None for what it does not show."""

    verdict: str | None = None
    speed: str | None = None
    memory: str | None = None
    pages: str | None = None


class Rooms:
    """Everything that shows figures, over one home: the window's view-models and the commands."""

    def __init__(self, home: Path, children: Children, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
        self.bot = qtbot
        self.paths = Paths(home)
        self.store: Store = open_store(self.paths, now=lambda: datetime.now(UTC))[0]
        self.store.settings.set("network.offline", True)
        self.file = home / "models" / "pip.gguf"  # the one that ships with Snug is another entry
        self.file.parent.mkdir(parents=True)
        shutil.copy(PIP, self.file)
        self.model: LibraryModel = self.store.models.add(
            NewModel("Pip", str(self.file), FACTS, repo=REPO, source="hub")
        )
        self.store.machine.remember(LAPTOP)
        self.owner = QObject()
        self.reader = MachineReader(self.store, children, lambda: ".", self.owner)
        engine = ChildRequests(lambda: children.make("dry-run"), self.owner)
        self.plans = MemoryPlans(self.paths.cache, self.paths.home, self.paths.headers, engine, self.owner)
        self.reader.files = lambda: self.plans.files(self.store.models.all())
        self.reader.relearn()
        hub = ChildRequests(lambda: children.make("hub"), self.owner)
        queue = DownloadQueue(self.store, self.paths, lambda: children.make("download"), lambda: "", self.owner)
        getting = Getting(self.store, queue, hub, self.owner)
        self.details = ModelDetails(self.reader.known, self.store.settings, hub, getting, self.owner, plans=self.plans)
        entries = (pip_entry(),)
        self.home = HomeModel(self.reader, lambda: entries, getting, datetime.now, self.owner)
        self.discover = DiscoverModel(
            lambda: entries, self.reader.known, self.store.settings, hub, self.details, self.owner
        )
        files = ChildRequests(lambda: children.make("files"), self.owner)
        self.library = LibraryModelView(self.store, self.reader.known, files, self.owner, plans=self.plans)
        self.chat = ChatModel(
            self.store, lambda memory: children.make("chat", memory=memory), lambda: self.reader.machine, datetime.now,
            self.owner, plans=self.plans,
        )  # fmt: skip
        computers = load_known_machines(resources_folder() / "catalogue" / "machines.json")
        self.what_if = WhatIfModel(
            lambda: computers, lambda: entries, self.reader.known, self.store.settings, self.owner
        )
        self.calculator = CalculatorModel(lambda: computers, self.reader.known, self.store.settings, self.owner)
        self.made = ConversionResult(
            self.store, self.reader.known, ChildRequests(lambda: children.make("comparison"), self.owner),
            lambda: entries, self.owner, plans=self.plans,
        )  # fmt: skip
        for module in (machine_file, library):
            monkeypatch.setattr(module, "read_here", lambda context, **_: self.reader.known())
        monkeypatch.setattr(recommend, "load_catalogue", lambda path: entries)
        monkeypatch.setattr(candidates, "TYPES", ("Q8_0",))  # so that every place means this file

    def refresh(self) -> None:
        """What the window does when something was learnt."""
        self.reader.relearn()
        self.discover.refresh()
        self.details.refresh()
        self.library.refresh()
        self.chat.refresh()

    def command(self, *words: str) -> Any:
        """What `snug WORDS --json` prints, with the machine that the window knows."""
        out = io.StringIO()
        chosen = cli.build_parser(cli.load_commands()).parse_args([*words, "--json"])
        code = cli.run_command(chosen.command, chosen, Context(self.paths, json=True, out=out))
        assert code == 0, out.getvalue()
        return json.loads(out.getvalue())

    def close(self) -> None:
        self.what_if.close()
        self.calculator.close()
        self.chat.close()
        self.store.close()


def on_home(rooms: Rooms) -> Shown:
    (pick,) = rooms.home.picks.rows()
    pages = re.search(r"[Rr]emembers ([^.,;]*pages?)", pick["why"])
    return Shown(pick["verdictText"].split(",")[0], pick["speed"], pages=pages[1] if pages else None)


def on_discover(rooms: Rooms) -> Shown:
    rooms.discover.fill()
    (row,) = rooms.discover.rows.rows()
    return Shown(row["verdictText"], as_speed(row["figures"]))


def in_the_details(rooms: Rooms) -> Shown:
    rooms.discover.fill()
    rooms.discover.open("pip")
    view = rooms.details.fit
    memory = re.search(r"(?:Uses|Needs) ([\d.]+ \w+)", view.property("memoryText"))
    assert memory
    return Shown(
        view.property("verdictText"), view.property("speedText").split(" (")[0], memory[1],
        view.property("pagesText").split(" · ")[0],
    )  # fmt: skip


def in_the_library(rooms: Rooms) -> Shown:
    rooms.library.refresh()
    (row,) = [row for row in rooms.library.rows.rows() if row["modelId"] == rooms.model.id]
    figures = re.search(r"([\d.]+ \w+) in memory, remembers (.*)", row["details"])
    assert figures
    return Shown(row["verdictText"], as_speed(row["figures"]), figures[1], figures[2])


def in_the_chat_loader(rooms: Rooms) -> Shown:
    rooms.chat.newChatWith(rooms.model.id)
    composer = rooms.chat.composer
    memory = re.search(r"([\d.]+ \w+) of memory", composer.property("status"))
    assert memory
    return Shown(memory=memory[1], pages=composer.property("pagesLeft").removesuffix(" left"))


def in_what_if(rooms: Rooms) -> Shown:
    rooms.what_if.choose("MacBook Air M4, 16 GB")
    rooms.what_if.refresh()
    rooms.bot.waitUntil(lambda: not rooms.what_if.isWeighing, timeout=WAIT_MS)
    (pick,) = rooms.what_if.picks.rows()
    verdict, _, speed = pick["here"].removeprefix("On this computer: ").partition(", ")
    return Shown(verdict.capitalize(), speed)


def in_make_it_fit(rooms: Rooms) -> Shown:
    """The finished file: the same bytes in another place, with the speed that was measured here."""
    speed = rooms.store.models.get(rooms.model.id).measured_tokens_per_s or 0.0
    choice = ConversionChoice(
        type_name="Q8_0", size_bytes=FACTS.file_bytes, facts=FACTS, seconds=1, words_changed=0, tensor_types={}
    )
    preview = ConversionPreviewed(
        title="Pip", sentence="", kind="plain", parameters=FACTS.parameters, stored_bytes=FACTS.file_bytes,
        choices=[choice], original_type="F16",
    )  # fmt: skip
    done = ConversionDone(
        path=str(rooms.file), size_bytes=FACTS.file_bytes, sha256="", type_name="Q8_0", facts=FACTS, seconds=1,
        tokens_per_s=speed,
    )  # fmt: skip
    rooms.made.show(Offer(preview, rooms.reader.known(), is_weighed=False), REPO, ConversionSource(), "", done)
    cells = [cell["text"] for cell in rooms.made.cells]
    after = dict(zip(cells[::3], cells[2::3], strict=True))
    return Shown(speed=after.get("Speed", "").split(" (")[0] or None, memory=after["Memory"])


def by_snug_fit(rooms: Rooms) -> Shown:
    return of_document(rooms.command("fit", str(rooms.file)))


def by_snug_recommend(rooms: Rooms) -> Shown:
    return of_document(rooms.command("recommend")["picks"][0]["fit"])


def by_snug_models(rooms: Rooms) -> Shown:
    (model,) = [model for model in rooms.command("models")["models"] if model["id"] == rooms.model.id]
    return of_document(model["fit"])


SURFACES: tuple[Callable[[Rooms], Shown], ...] = (
    on_home,
    on_discover,
    in_the_details,
    in_the_library,
    in_the_chat_loader,
    in_what_if,
    in_make_it_fit,
    by_snug_fit,
    by_snug_recommend,
    by_snug_models,
)


def as_speed(figures: str) -> str:
    """ "14 words/s · 5.2 GB" as it is said elsewhere."""
    return f"about {figures.split(' · ')[0].replace(' words/s', ' words a second')}"


def of_document(document: dict[str, Any]) -> Shown:
    """A command's figures in the words that `snug` prints without --json."""
    return Shown(
        VERDICT_TEXTS[Verdict(document["verdict"])],
        words_per_second_text(SpeedRange(**document["speed"])),
        size_text(document["memory"]["total"]),
        pages_text(document["context"]),
    )


def all_shown(rooms: Rooms) -> dict[str, dict[str, str]]:
    """Each figure with what every place says of it."""
    found: dict[str, dict[str, str]] = {"verdict": {}, "speed": {}, "memory": {}, "pages": {}}
    for surface in SURFACES:
        shown = surface(rooms)
        for name, said in found.items():
            value = getattr(shown, name)
            if value is not None:
                said[surface.__name__] = value
    return found


def the_one_answer(rooms: Rooms) -> dict[str, str]:
    """Every figure, where all places agree on it."""
    found = all_shown(rooms)
    for name, said in found.items():
        assert len(set(said.values())) == 1, (name, said)
        assert len(said) >= 5, (name, said)
    return {name: next(iter(said.values())) for name, said in found.items()}


@pytest.fixture
def rooms(qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rooms]:
    children = Children(tmp_path / "logs")
    made = Rooms(tmp_path / "home", children, monkeypatch, qtbot)
    yield made
    made.close()
    children.kill_all()


def test_every_place_shows_the_same_figures_planned_and_measured(rooms: Rooms, qtbot: QtBot) -> None:
    with qtbot.waitSignal(rooms.plans.arrived, timeout=WAIT_MS):
        rooms.library.refresh()
    rooms.refresh()
    planned = the_one_answer(rooms)

    before = rooms.plans.fit(FACTS, FitSettings(), rooms.reader.known())
    assert before.basis == "dry-run"
    rooms.plans.record("Pip", FACTS, FitSettings(), before, [TAKEN])
    rooms.store.models.record_speed(rooms.model.id, 123.4)
    rooms.refresh()
    measured = the_one_answer(rooms)
    assert measured["memory"] == size_text(TAKEN.total) != planned["memory"]
    assert measured["speed"] == words_per_second_text(SpeedRange(1, 123.4, 200)) != planned["speed"]


def test_after_a_chat_every_place_shows_what_the_load_took(rooms: Rooms, qtbot: QtBot) -> None:
    rooms.chat.newChatWith(rooms.model.id)
    estimated = rooms.plans.fit(FACTS, FitSettings(), rooms.reader.known())
    assert rooms.chat.gives_back() == {}
    assert rooms.chat.composer.send("hello")
    qtbot.waitUntil(lambda: not rooms.chat.composer.property("isAnswering"), timeout=6 * WAIT_MS)
    after = rooms.plans.fit(FACTS, FitSettings(), rooms.reader.known())
    assert (estimated.basis, after.basis) == ("formula", "measured")
    held = rooms.chat.gives_back()["memory"]
    assert held == after.memory.total - after.memory.weights  # Linux counts mapped weights as free
    rooms.refresh()
    rooms.chat.composer.giveMemoryBack()  # the loader says what a start takes only where nothing is loaded
    assert the_one_answer(rooms)["memory"] == size_text(after.memory.total)
    assert [load.name for load in rooms.plans._plans().loads()] == ["Pip"]


def test_the_calculators_window_and_command_show_the_same_bars(rooms: Rooms, qtbot: QtBot) -> None:
    with qtbot.waitSignal(rooms.calculator.changed, timeout=WAIT_MS):
        rooms.calculator.refresh()
    said = rooms.command("calculate", "--parameters", "8B", "--context", "8192")
    shown = {row["name"]: row for row in rooms.calculator.bars.rows()}
    assert rooms.calculator.needText == f"Needs {size_text(said['memory']['total'])} of memory"
    computers = {item["name"]: item for item in said["computers"]}
    assert {name.casefold() for name in computers} == {name.casefold() for name in shown}
    for name, row in shown.items():
        item = next(item for key, item in computers.items() if key.casefold() == name.casefold())
        assert row["words"] == f"{size_text(item['needed'])} of {size_text(item['free'])} free"
        assert row["verdictText"].startswith(("Fits", VERDICT_TEXTS[Verdict(item["fit"]["verdict"])]))


def test_the_calculator_leaves_this_computer_as_much_as_the_machine_card(rooms: Rooms, qtbot: QtBot) -> None:
    with qtbot.waitSignal(rooms.calculator.changed, timeout=WAIT_MS):
        rooms.calculator.refresh()
    here = rooms.calculator.bars.rows()[0]
    free = re.search(r"of ([\d.]+ \w+) free", here["words"])
    assert free
    assert memory_line(rooms.reader.known()).startswith(f"{free[1]} of ")
