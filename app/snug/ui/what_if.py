"""The "What if" screen: another computer, known or from figures by hand, and the models to take on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Property, QObject, QTimer, Signal, Slot
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.core.amounts import bytes_per_s, memory_bytes
from snug.core.catalogue import CatalogueEntry, facts_of
from snug.core.errors import UserError
from snug.core.fit import Fit, FitSettings, Verdict
from snug.core.known_machines import KnownMachine, find_machine, machine_by_hand
from snug.core.machine import Machine
from snug.core.machine_words import machine_line, memory_line
from snug.core.memory_fit import fit
from snug.core.quality import Measured
from snug.core.recommend import Pick, nothing_fits_words, recommend_in_turns
from snug.core.words import verdict_text, words_per_second_text
from snug.store.settings import Settings
from snug.ui.home import PICK_ROLES, USES, pick_row
from snug.ui.pick_changes import PickChanges
from snug.ui.row_list import RowList

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1

WAIT_MS = 200
"""After the last change; choosing for another computer takes some tens of milliseconds in all."""
KIND_WORDS = {"mac": "Apple", "small": "Small computer", "laptop": "Laptop", "desktop": "Desktop", "server": "Server",
              "card": "A desktop with this card"}  # fmt: skip
MACHINE_ROLES = ("name", "about", "isChosen")
OTHER_PICK_ROLES = (*PICK_ROLES, "here")
HAND = "by hand"
FIGURES = ("memory", "cards", "bandwidth")


@dataclass(frozen=True, slots=True)
class Asked:
    """The figures by hand, as they were typed."""

    memory: str = ""
    cards: str = ""
    bandwidth: str = ""


@QmlElement
@QmlUncreatable("The application makes it")
class WhatIfModel(QObject):
    """What would be picked on another computer, beside how the same model does on this one."""

    changed = Signal()
    listChanged = Signal()
    screenWanted = Signal(str)

    def __init__(
        self,
        known: Callable[[], Sequence[KnownMachine]],
        catalogue: Callable[[], Sequence[CatalogueEntry]],
        here: Callable[[], Machine],
        settings: Settings,
        parent: QObject | None = None,
        *,
        measured: Callable[[], Measured] = dict,
    ) -> None:
        super().__init__(parent)
        self._measured = measured
        self._known, self._catalogue, self._here, self._settings = known, catalogue, here, settings
        self._search = ""
        self._name = str(settings.get("whatif.machine"))
        self._asked = Asked(*(str(settings.get(f"whatif.{key}")) for key in FIGURES))
        self._use = "chat"
        self._machine: Machine | None = None
        self._problem: UserError | None = None
        self._nothing = ""
        self._shown: tuple[Pick, ...] = ()
        self._is_weighing = False
        self._machines = RowList(MACHINE_ROLES, self)
        self._picks = RowList(OTHER_PICK_ROLES, self)
        self._changes = PickChanges(self)
        self._changes.found.connect(self._show_changes)
        self._wait = QTimer(self, singleShot=True, interval=WAIT_MS)
        self._wait.timeout.connect(self._begin)
        self._turn = QTimer(self, interval=0)
        self._turn.timeout.connect(self._weigh_on)
        self._weighing: Iterator[None] = iter(())
        self._show_list()
        if self._name:
            self._choose_machine()

    # --- which computer

    @Property(QObject, constant=True)
    def machines(self) -> RowList:
        return self._machines

    @Property(str, notify=listChanged)
    def search(self) -> str:
        return self._search

    @Property(bool, notify=changed)
    def isByHand(self) -> bool:
        return self._name == HAND

    @Property(list, notify=changed)
    def figures(self) -> list[str]:
        """Memory, graphics memory and bandwidth as they were typed."""
        return [self._asked.memory, self._asked.cards, self._asked.bandwidth]

    @Property(str, notify=changed)
    def title(self) -> str:
        """The other computer's name; empty while none is chosen."""
        if self._machine is None:
            return ""
        return "A computer with these figures" if self._name == HAND else self._name

    @Property(str, notify=changed)
    def machineText(self) -> str:
        return machine_line(self._machine) if self._machine is not None else ""

    @Property(str, notify=changed)
    def memoryText(self) -> str:
        if self._machine is None:
            return ""
        assumed = any(note.startswith("assumed") for note in self._machine.sources.values())
        return memory_line(self._machine) + (", assumed" if assumed else "")

    @Property(str, notify=changed)
    def problem(self) -> str:
        """What is wrong with the figures by hand, and how to write them."""
        return str(self._problem) if self._problem is not None else ""

    # --- the picks there

    @Property(list, constant=True)
    def uses(self) -> list[dict[str, str]]:
        return [{"key": key, "text": text} for key, text in USES]

    @Property(str, notify=changed)
    def use(self) -> str:
        return self._use

    @Property(QObject, constant=True)
    def picks(self) -> RowList:
        return self._picks

    @Property(str, notify=changed)
    def nothingText(self) -> str:
        return self._nothing

    @Property(bool, notify=changed)
    def isWeighing(self) -> bool:
        """Whether the picks are still being worked out."""
        return self._is_weighing

    @Slot(str)
    def find(self, text: str) -> None:
        """Show the computers whose names hold these words."""
        if text != self._search:
            self._search = text
            self._show_list()

    @Slot(str)
    def choose(self, name: str) -> None:
        """Another computer of the list."""
        if name != self._name or self._machine is None:
            self._name = name
            self._settings.set("whatif.machine", name)
            self._choose_machine()

    @Slot(int, str)
    def write(self, figure: int, text: str) -> None:
        """One of the figures by hand; they count from now on."""
        values = [self._asked.memory, self._asked.cards, self._asked.bandwidth]
        if self._name == HAND and values[figure] == text:
            return
        values[figure] = text
        self._asked = Asked(*values)
        self._settings.set(f"whatif.{FIGURES[figure]}", text)
        self._name = HAND
        self._settings.set("whatif.machine", HAND)
        self._choose_machine()

    @Slot(str)
    def chooseUse(self, use: str) -> None:
        if use != self._use and use in dict(USES):
            self._use = use
            self._weigh_soon()
            self.changed.emit()

    @Slot()
    def back(self) -> None:
        self.screenWanted.emit("home")

    @Slot()
    def calculate(self) -> None:
        self.screenWanted.emit("calculator")

    @Slot()
    def refresh(self) -> None:
        """This computer has been read, or the screen is come back to."""
        if self._machine is not None:
            self._weigh_soon()

    def close(self) -> None:
        """Nothing is weighed any more: the store closes."""
        self._wait.stop()
        self._turn.stop()
        self._changes.stop()

    def _choose_machine(self) -> None:
        self._problem = None
        try:
            self._machine = by_hand(self._asked) if self._name == HAND else self._known_named(self._name)
        except UserError as error:
            self._machine, self._problem = None, error
        self._mark_chosen()
        self._weigh_soon()
        self.changed.emit()

    def _known_named(self, name: str) -> Machine:
        return find_machine(self._known(), name).machine

    def _show_list(self) -> None:
        words = self._search.casefold().split()
        found = [item for item in self._known() if all(word in f"{item.name} {item.also}".casefold() for word in words)]
        self._machines.show([machine_row(item, item.name == self._name) for item in found])
        self.listChanged.emit()

    def _mark_chosen(self) -> None:
        for row in list(self._machines.rows()):
            self._machines.update({**row, "isChosen": row["name"] == self._name})

    # --- weighing, a few models a turn

    def _weigh_soon(self) -> None:
        self._turn.stop()
        self._changes.stop()
        self._is_weighing = self._machine is not None
        if self._machine is None:
            self._picks.show([])
            self._nothing = ""
        else:
            self._wait.start()

    def _begin(self) -> None:
        if self._machine is not None:
            self._weighing = self._weigh(self._machine, self._use)
            self._turn.start()

    def _weigh_on(self) -> None:
        try:
            next(self._weighing)
        except StopIteration:
            self._turn.stop()

    def _weigh(self, machine: Machine, use: str) -> Iterator[None]:
        catalogue, measured = self._catalogue(), dict(self._measured())
        picks = yield from recommend_in_turns(catalogue, machine, use, measured=measured)
        yield
        here = self._here()
        self._shown = picks
        self._picks.show([other_pick_row(pick, here) for pick in picks])
        self._nothing = "" if picks else nothing_fits_words(catalogue, machine, use).replace("this computer", "it")
        self._is_weighing = False
        self._changes.look(catalogue, machine, use, picks, measured=measured)
        self.changed.emit()

    def _show_changes(self, sentences: tuple[str, ...]) -> None:
        for pick, sentence in zip(self._shown, sentences, strict=True):
            self._picks.update({"key": pick.entry.key, "change": sentence})


def by_hand(asked: Asked) -> Machine:
    """The computer with these figures. Raises UserError for what no computer has."""
    ram = memory_bytes(asked.memory, "memory")
    vram = memory_bytes(asked.cards, "graphics memory") if asked.cards.strip() not in ("", "0") else 0
    rate = bytes_per_s(asked.bandwidth, "bandwidth") if asked.bandwidth.strip() else None
    return machine_by_hand(ram, vram, rate)


def machine_row(item: KnownMachine, is_chosen: bool) -> dict[str, Any]:
    """One computer of the list."""
    return {"name": item.name, "about": KIND_WORDS[item.kind], "isChosen": is_chosen}


def other_pick_row(pick: Pick, here: Machine) -> dict[str, Any]:
    """A pick on the other computer, and how the same file would do on this one."""
    answer = fit(facts_of(pick.entry, pick.file_type), FitSettings(), here)
    return {**pick_row(pick), "here": here_words(answer)}


def here_words(answer: Fit) -> str:
    """How the model does on this computer, in a short sentence."""
    if answer.verdict is Verdict.TOO_BIG:
        return "On this computer: too big"
    return f"On this computer: {verdict_text(answer).lower()}, {words_per_second_text(answer.speed)}"
