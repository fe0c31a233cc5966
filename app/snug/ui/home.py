"""The Home screen: this computer in two lines, and the three models that suit it best."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.core.catalogue import CatalogueEntry
from snug.core.corrections import Correctable, amount_now, correctable
from snug.core.devices import places_of
from snug.core.errors import UserError
from snug.core.machine import Machine
from snug.core.machine_words import CORRECTED, FigureRow, figure_rows, machine_line, memory_line, used_line
from snug.core.models_here import ModelHere, models_here
from snug.core.quality import Measured
from snug.core.recommend import Pick, nothing_fits_words, recommend
from snug.core.words import pages_text, size_text, verdict_text, words_per_second_text
from snug.store.rows import LibraryModel
from snug.ui.fit_view import verdict_kind
from snug.ui.machine_news import MachineNews
from snug.ui.machine_reader import MachineReader
from snug.ui.pick_changes import PickChanges
from snug.ui.row_list import RowList
from snug.ui.speed_test import SpeedTestModel

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1

USES = (
    ("chat", "Chat"),
    ("writing", "Writing"),
    ("code", "Code"),
    ("documents", "Documents"),
    ("tools", "Tools"),
    ("vision", "Pictures"),
)
PICK_ROLES = ("key", "name", "by", "verdictKind", "verdictText", "speed", "download", "why", "isHere", "change")
FIGURE_ROLES = ("key", "label", "value", "source", "isKnown", "unit", "amount", "lowest", "highest", "isCorrectable",
                "isCorrected")  # fmt: skip


@QmlElement
@QmlUncreatable("The application makes it")
class HomeModel(QObject):
    """What Home shows. `wanted` asks for a pick: catalogue entry, file type, and to chat with it when it is there."""

    machineChanged = Signal()
    picksChanged = Signal()
    wanted = Signal(object, str, bool)
    hereWanted = Signal(int)
    pipWanted = Signal()
    screenWanted = Signal(str)
    said = Signal(str)

    def __init__(
        self,
        reader: MachineReader,
        catalogue: Callable[[], Sequence[CatalogueEntry]],
        getting: QObject | None,
        now: Callable[[], datetime],
        parent: QObject | None = None,
        *,
        speed_test: SpeedTestModel | None = None,
        library: Callable[[], Iterable[LibraryModel]] = tuple,
        measured: Callable[[], Measured] = dict,
    ) -> None:
        super().__init__(parent)
        self._speed_test = speed_test
        self._reader = reader
        self._catalogue = catalogue
        self._getting = getting
        self._now = now
        self._library = library
        self._measured = measured
        self._here: list[ModelHere] = []
        self._known_measured: Measured = {}
        self._use = self._shown_use = "chat"
        self._shown: tuple[Pick, ...] = ()
        self._nothing = ""
        self._machine: Machine | None = None
        self._picks = RowList(PICK_ROLES, self)
        self._figures = RowList(FIGURE_ROLES, self)
        self._changes = PickChanges(self)
        self._changes.found.connect(self._show_changes)
        self._news = MachineNews(reader, self)
        reader.changed.connect(self._on_reader)
        self._on_reader()

    @Property(str, notify=machineChanged)
    def greeting(self) -> str:
        return greeting_words(self._now().hour)

    @Property(bool, notify=machineChanged)
    def isKnown(self) -> bool:
        return self._reader.machine is not None

    @Property(bool, notify=machineChanged)
    def isReading(self) -> bool:
        return self._reader.is_reading

    @Property(str, notify=machineChanged)
    def machineLine(self) -> str:
        if self._reader.machine is not None:
            return machine_line(self._reader.machine)
        problem = self._reader.problem
        if problem is not None:
            return f"{problem.title} {problem.advice}"
        return self._reader.doing or "Reading this computer…"

    @Property(str, notify=machineChanged)
    def usedText(self) -> str:
        return used_line(self._reader.known())

    @Property(str, notify=machineChanged)
    def freeText(self) -> str:
        return memory_line(self._reader.known()) if self._reader.machine is not None else ""

    @Property(list, notify=machineChanged)
    def segments(self) -> list[dict[str, Any]]:
        return used_segments(self._reader.known())

    @Property(QObject, constant=True)
    def figures(self) -> RowList:
        return self._figures

    @Property(list, constant=True)
    def uses(self) -> list[dict[str, str]]:
        return [{"key": key, "text": text} for key, text in USES]

    @Property(str, notify=picksChanged)
    def use(self) -> str:
        return self._use

    @Property(QObject, constant=True)
    def picks(self) -> RowList:
        return self._picks

    @Property(str, notify=picksChanged)
    def nothingText(self) -> str:
        """Why there is no pick; empty while there are some or the computer is not known yet."""
        return self._nothing

    @Property(QObject, constant=True)
    def news(self) -> QObject:
        """What changed on this computer, and where its sources differ."""
        return self._news

    @Property(QObject, constant=True)
    def speedTest(self) -> QObject | None:
        return self._speed_test

    @Property(QObject, constant=True)
    def getting(self) -> QObject | None:
        return self._getting

    @Slot(str)
    def chooseUse(self, use: str) -> None:
        """Show the picks for another use."""
        if use != self._use and use in dict(USES):
            self._use = use
            self._show_picks()

    @Slot(str)
    def getAndChat(self, key: str) -> None:
        """Fetch the pick with that key, then chat with it."""
        for pick in self._shown:
            if pick.entry.key == key and pick.is_here:
                mine = (key, pick.file_type)
                self.hereWanted.emit(next(item.id for item in self._here if (item.key, item.file_type) == mine))
            elif pick.entry.key == key:
                self.wanted.emit(pick.entry, pick.file_type, True)

    @Slot(str, float)
    def correct(self, key: str, amount: float) -> None:
        """The person knows this figure better."""
        try:
            self._reader.correct(key, amount)
        except UserError as error:
            self.said.emit(str(error))

    @Slot(str)
    def takeBack(self, key: str) -> None:
        """What was read counts again."""
        self._reader.take_back(key)

    @Slot()
    def readAgain(self) -> None:
        self._reader.read()

    @Slot()
    def tryPip(self) -> None:
        self.pipWanted.emit()

    @Slot()
    def whatIf(self) -> None:
        """What would be picked on another computer."""
        self.screenWanted.emit("whatif")

    @Slot()
    def moreModels(self) -> None:
        self.screenWanted.emit("discover")

    def _on_reader(self) -> None:
        if self._reader.machine is not self._machine:
            self._machine = self._reader.machine
            self._figures.show(figures_of(self._reader.known()))
            self._show_picks()
        self.machineChanged.emit()

    def refresh(self) -> None:
        """Home is shown again: what was fetched or removed meanwhile counts."""
        if self._machine is not None and (
            self._models_here() != self._here or self._measured() != self._known_measured
        ):
            self._show_picks()

    def _models_here(self) -> list[ModelHere]:
        rows = [
            (model.id, model.repo, model.path, model.file_type) for model in self._library() if model.state == "ready"
        ]
        return models_here(self._catalogue(), rows)

    def _show_picks(self) -> None:
        if self._machine is not None:
            catalogue = self._catalogue()
            self._here = self._models_here()
            known = [(item.key, item.file_type) for item in self._here]
            measured = self._known_measured = dict(self._measured())
            self._shown = recommend(catalogue, self._machine, self._use, here=known, measured=measured)
            self._changes.look(catalogue, self._machine, self._use, self._shown, here=known, measured=measured)
            self._nothing = "" if self._shown else nothing_fits_words(catalogue, self._machine, self._use)
        said = {row["key"]: row["change"] for row in self._picks.rows()} if self._use == self._shown_use else {}
        self._shown_use = self._use
        self._picks.show([{**pick_row(pick), "change": said.get(pick.entry.key, "")} for pick in self._shown])
        self.picksChanged.emit()

    def _show_changes(self, sentences: tuple[str, ...]) -> None:
        for pick, sentence in zip(self._shown, sentences, strict=True):
            self._picks.update({"key": pick.entry.key, "change": sentence})

    def close(self) -> None:
        """Nothing is looked for any more: the store closes."""
        self._changes.stop()


def greeting_words(hour: int) -> str:
    """A greeting for an hour of the day."""
    if 5 <= hour < 12:
        return "Good morning"
    return "Good afternoon" if 12 <= hour < 18 else "Good evening"


def used_segments(machine: Machine) -> list[dict[str, Any]]:
    """The memory bar of the machine alone: what no model may use, and what is free for one."""
    total = machine.memory.total
    if not total:
        return []
    share = 1 - places_of(machine).main.free / total
    return [{"kind": "other", "share": share, "text": ""}, {"kind": "free", "share": 1 - share, "text": ""}]


def figures_of(machine: Machine) -> list[dict[str, Any]]:
    """Every figure with its source, as rows."""
    allowed = correctable(machine)
    return [figure_role(row, machine, allowed.get(row.key)) for row in figure_rows(machine)]


def figure_role(row: FigureRow, machine: Machine, bounds: Correctable | None) -> dict[str, Any]:
    """One figure as a row; `amount` is what stands there now, in the unit that a correction is asked in."""
    return {
        "key": row.key,
        "label": row.label,
        "value": row.value,
        "source": row.source,
        "isKnown": row.is_known,
        "unit": bounds.unit if bounds else "",
        "amount": amount_now(machine, row.key) / bounds.scale if bounds else 0.0,
        "lowest": bounds.lowest if bounds else 0.0,
        "highest": bounds.highest if bounds else 0.0,
        "isCorrectable": bounds is not None,
        "isCorrected": row.source.startswith(CORRECTED),
    }


def pick_row(pick: Pick) -> dict[str, Any]:
    """A recommendation in words, for its card."""
    verdict, pages = verdict_text(pick.fit), pages_text(pick.fit.context)
    return {
        "key": pick.entry.key,
        "name": pick.entry.name,
        "by": f"by {pick.entry.maker} · {_lower_first(pick.entry.licence_words)}",
        "verdictKind": verdict_kind(pick.fit),
        "verdictText": f"{verdict}, {_lower_first(pick.badge)}" if pick.badge == "Fastest" else verdict,
        "speed": words_per_second_text(pick.fit.speed),
        "download": "Already on this computer" if pick.is_here else f"{size_text(pick.download_bytes)} to download",
        "isHere": pick.is_here,
        "why": pick.why if pages in pick.why else f"{pick.why} Remembers {pages}.",
        "change": "",
    }


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
