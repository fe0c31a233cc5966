"""Why a model is recommended or not: what public tests say, what would change the answer here, how to make room."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import Property, QObject, QTimer, Signal
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.core.candidates import Candidate, candidate_of
from snug.core.catalogue import CatalogueEntry
from snug.core.evidence import Figure
from snug.core.fit import Fit, FitSettings, Verdict
from snug.core.machine import Machine
from snug.core.make_room import make_room, room_words
from snug.core.model_facts import ModelFacts
from snug.core.quality import Measured, expected_level, has_evidence, level_of
from snug.core.what_changes import change_words, lacking_change, variants

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1

ABOUT_EQUAL = 1.15
"""Doing as well as a model that is larger or smaller by less than this is what is usual."""
USE_WORDS = {"chat": "chat", "writing": "writing", "code": "code", "documents": "documents", "tools": "tool use",
             "vision": "pictures"}  # fmt: skip


@QmlElement
@QmlUncreatable("The application makes it")
class ModelReasons(QObject):
    """What stands behind the answer for one model. The search for what would change it takes one step at a time."""

    changed = Signal()
    changeFound = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._entry: CatalogueEntry | None = None
        self._machine: Machine | None = None
        self._use = "chat"
        self._measured: Measured = {}
        self._room = ""
        self._change = ""
        self._now: Candidate | None = None
        self._is_contradicted = False
        self._left: Iterator[tuple[str, Machine]] = iter(())
        self._step = QTimer(self, interval=0)
        self._step.timeout.connect(self._look_at_one)

    @Property(str, notify=changed)
    def standing(self) -> str:
        """What its rank rests on, in one sentence."""
        return standing_words(self._entry, self._use) if self._entry else ""

    @Property(list, notify=changed)
    def evidence(self) -> list[dict[str, Any]]:
        """The public figures as rows: name, what is tested, score, uses, source with date."""
        return [figure_row(figure) for figure in self._entry.figures] if self._entry else []

    @Property(str, notify=changed)
    def roomText(self) -> str:
        return self._room

    @Property(str, notify=changeFound)
    def changeText(self) -> str:
        """What would make it better here, found by asking again for other machines; "" until that is known."""
        return "" if self._is_contradicted else self._change

    def show(
        self, entry: CatalogueEntry, machine: Machine, use: str = "chat", measured: Measured | None = None
    ) -> None:
        """Another model, machine or use; `measured` are divergences measured here."""
        known = dict(measured or {})
        if entry is self._entry and machine is self._machine and use == self._use and known == self._measured:
            return
        self._use, self._measured = use, known
        self._entry, self._machine, self._change, self._room = entry, machine, "", ""
        self._now, self._left = None, iter(())
        if machine.memory.total and entry.parameters:
            self._now = candidate_of(entry, machine, use, known)
            self._left = iter(variants(machine))
            self._step.start()
        self.changed.emit()
        self.changeFound.emit()

    def show_fit(
        self, facts: ModelFacts | None, settings: FitSettings, answer: Fit | None, has_disk: bool = True
    ) -> None:
        """The answer that is shown now: where it does not fit well, what would make room.

        A chosen file may fit where the estimates found none that does: what would make one fit is then not said.
        """
        fits = answer is not None and answer.verdict is not Verdict.TOO_BIG and has_disk
        contradicted = self._now is None and fits
        if contradicted != self._is_contradicted:
            self._is_contradicted = contradicted
            self.changeFound.emit()
        words = ""
        if facts is not None and answer is not None and self._machine and answer.verdict is not Verdict.FITS_WELL:
            words = room_words(make_room(facts, settings, self._machine, answer))
        if words != self._room:
            self._room = words
            self.changed.emit()

    def _look_at_one(self) -> None:
        variant = next(self._left, None)
        if self._entry is None or self._machine is None:
            self._finish("")
            return
        if variant is None:
            known = lacking_change(self._entry, self._machine, self._use, self._measured)
            self._finish("" if self._now else known)
            return
        sentence = change_words(self._entry, self._now, *variant, self._use, self._measured)
        if sentence:
            self._finish(sentence)

    def _finish(self, sentence: str) -> None:
        self._step.stop()
        self._left = iter(())
        if sentence != self._change:
            self._change = sentence
            self.changeFound.emit()


def standing_words(entry: CatalogueEntry, use: str = "chat") -> str:
    """What the model's rank for a use rests on."""
    if not has_evidence(entry, use):
        known = "No public figure that can be compared is known to Snug" if entry.figures else "No public figures known"
        return f"{known}: it is ranked by its size and age." if entry.released else f"{known}."
    tests = "public tests" if use == "chat" else f"public tests of {USE_WORDS[use]}"
    times = 2 ** (level_of(entry, use) - expected_level(entry))
    if 1 / ABOUT_EQUAL <= times <= ABOUT_EQUAL:
        return f"In {tests} it does as well as is usual for a model of its size and age."
    if times > 1:
        return f"In {tests} it does better than is usual for its age: as well as a model {times:.1f} times as large."
    return f"In {tests} it does less well than is usual for its age: like a model {_share(times)} as large."


def _share(times: float) -> str:
    """A share in words: "two thirds", "half"."""
    shares = {0.8: "four fifths", 0.67: "two thirds", 0.5: "half", 0.33: "a third", 0.25: "a quarter"}
    return shares[min(shares, key=lambda share: abs(share - times))]


def figure_row(figure: Figure) -> dict[str, Any]:
    """One public figure in words."""
    uses = ", ".join(USE_WORDS[use] for use in figure.measure.uses)
    mode = f", {figure.mode}" if figure.mode else ""
    ranks = "" if figure.measure.weight else "; shown only, it ranks nothing"
    return {
        "name": f"{figure.measure.name}{mode}",
        "score": figure.text,
        "about": f"{figure.measure.about} ({uses}{ranks})",
        "source": f"{figure.source.name}, {figure.source.date}",
    }
