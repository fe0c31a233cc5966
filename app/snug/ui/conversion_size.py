"""How small the file becomes: the slider's stops, what each would be like here, and what rounding is weighed by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Property, QObject, QUrl, Signal, Slot
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.core.learning_time import learning_seconds
from snug.core.machine import Machine
from snug.core.words import size_text
from snug.store import Settings
from snug.ui import make_it_fit_words as words
from snug.ui.conversion_offer import Offer
from snug.ui.fit_view import FitView
from snug.ui.own_texts import MINE, TEXTS

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1


@QmlElement
@QmlUncreatable("The application makes it")
class ConversionSize(QObject):
    """One choice among an `Offer`'s, with everything that moves along with the slider."""

    changed = Signal()

    def __init__(self, settings: Settings, machine: Callable[[], Machine], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._machine = machine
        self._fit_view = FitView(self)
        self._weighing = str(settings.get("convert.weighing"))
        self._own_text = str(settings.get("convert.text"))
        self._is_thorough = bool(settings.get("convert.thorough"))
        self._offer: Offer | None = None
        self._measured: dict[str, float] = {}

    @property
    def offer(self) -> Offer | None:
        """What is offered now."""
        return self._offer

    @property
    def by(self) -> str:
        """One of `TEXTS`: what the rounding is weighed by."""
        return self._weighing

    @property
    def own_text(self) -> str:
        """The path of the person's own text."""
        return self._own_text

    @property
    def methods(self) -> list[str]:
        """The methods to try with a text."""
        return list(words.THOROUGH if self._is_thorough else words.QUICK) if self._weighing else []

    @property
    def learning_s(self) -> float:
        """Seconds that reading the text and rounding by it take."""
        offer = self._offer
        if offer is None:
            return 0.0
        layers = max(choice.facts.layers for choice in offer.choices)
        methods = words.THOROUGH if self._is_thorough else words.QUICK
        return learning_seconds(offer.preview.parameters, layers, self._machine().cpu.cores, methods)

    @property
    def making_bytes(self) -> int:
        """What the disk must hold while it is made."""
        offer = self._offer
        return words.making_bytes(offer.preview, offer.chosen, bool(self._weighing)) if offer else 0

    def show(self, offer: Offer | None) -> None:
        """Show this offer; None while nothing is known of a source."""
        self._offer = offer
        self._measured.clear()
        self._show()

    def refresh(self) -> None:
        """Work out how each would run on the machine as it is now."""
        if self._offer is not None:
            self._offer.look(self._machine())
        self._show()

    def add_measured(self, type_name: str, words_changed: float) -> None:
        """Show on the curve what was measured."""
        self._measured[type_name] = words_changed
        self.changed.emit()

    @Property(int, notify=changed)
    def stopCount(self) -> int:
        return len(self._offer.choices) if self._offer else 0

    @Property(int, notify=changed)
    def stop(self) -> int:
        return self._offer.index if self._offer else 0

    @Property(list, notify=changed)
    def labels(self) -> list[dict[str, Any]]:
        if self._offer is None:
            return []
        return words.slider_labels(self._offer.choices, self._offer.preview.original_type)

    @Property(str, notify=changed)
    def stopName(self) -> str:
        """The word of the chosen stop: "Balanced"."""
        offer = self._offer
        if offer is None:
            return ""
        return words.stop_label(offer.chosen, offer.index, offer.choices, offer.preview.original_type)

    @Property(str, notify=changed)
    def stopWords(self) -> str:
        """The chosen stop for a screen reader: "Balanced, 3.1 GB, Fits well"."""
        offer = self._offer
        if offer is None:
            return ""
        return f"{self.stopName}, {size_text(offer.chosen.size_bytes)}, {self._fit_view.verdictText}"

    @Property(FitView, constant=True)
    def fit(self) -> FitView:
        return self._fit_view

    @Property(list, notify=changed)
    def figures(self) -> list[dict[str, str]]:
        offer = self._offer
        return words.figures(offer.chosen, offer.fit, self.making_bytes) if offer else []

    @Property("QVariantMap", notify=changed)  # type: ignore[arg-type]  # a type by its name: the stubs lack that
    def curve(self) -> dict[str, Any]:
        """The curve of losses: points, measured, rows and columns, and from where on files are too big here."""
        if self._offer is None:
            return {"points": [], "measured": [], "rows": [], "columns": [], "tooBigFrom": 1.1}
        curve = words.curve_of(self._offer.choices, self._measured)
        return {
            "points": curve.points, "measured": curve.measured, "rows": curve.rows, "columns": curve.columns,
            "tooBigFrom": words.too_big_from(self._offer.choices, self._offer.fits),
        }  # fmt: skip

    @Property(str, notify=changed)
    def chosenType(self) -> str:
        return self._offer.chosen.type_name if self._offer else ""

    @Property(str, notify=changed)
    def curveWords(self) -> str:
        return words.curve_words(bool(self._measured)) if self._offer else ""

    @Property(str, notify=changed)
    def typeWords(self) -> str:
        return words.type_words(self._offer.chosen, bool(self._weighing)) if self._offer else ""

    @Property(str, notify=changed)
    def roomProblem(self) -> str:
        return words.room_problem(self._offer.preview, self.making_bytes) if self._offer else ""

    @Property(str, notify=changed)
    def learningWords(self) -> str:
        """What a text to learn from is good for, and what it costs."""
        return words.learning_words(self.learning_s, bool(self._weighing)) if self._offer else ""

    @Property(str, notify=changed)
    def weighing(self) -> str:
        return self._weighing

    @Property(str, notify=changed)
    def ownText(self) -> str:
        """The name of the person's own text."""
        return Path(self._own_text).name if self._own_text else ""

    @Slot(int)
    def choose(self, stop: int) -> None:
        if self._offer is not None and 0 <= stop < len(self._offer.choices) and stop != self._offer.index:
            self._offer.index = stop
            self._show()

    @Slot(str)
    def weigh(self, by: str) -> None:
        """Weigh the rounding by one of `TEXTS`."""
        if by in TEXTS and not (by == MINE and not self._own_text):
            self._weighing = by
            self._settings.set("convert.weighing", by)
            if self._offer is not None:
                self._offer.weigh(bool(by))
            self._show()

    @Property(bool, notify=changed)
    def isThorough(self) -> bool:
        """Whether every method may be tried, which takes many times longer."""
        return self._is_thorough

    @Slot(bool)
    def beThorough(self, wanted: bool) -> None:
        self._is_thorough = wanted
        self._settings.set("convert.thorough", wanted)
        self.changed.emit()

    @Slot(str)
    def useText(self, location: str) -> None:
        """A text of the person's own, to weigh by."""
        self._own_text = QUrl(location).toLocalFile() or location
        self._settings.set("convert.text", self._own_text)
        self.weigh(MINE)

    def _show(self) -> None:
        if self._offer is not None:
            self._fit_view.show(self._offer.fit, self._machine())
        self.changed.emit()
