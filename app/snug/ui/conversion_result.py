"""What came of a conversion: measured beside predicted, its checks, and how it compares with the original."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.core.catalogue import load_catalogue
from snug.core.errors import UserError
from snug.core.fit import Fit, FitSettings
from snug.core.machine import Machine
from snug.core.memory_fit import fit as fit_of
from snug.core.models_here import known_as
from snug.core.quantisation import file_type_named
from snug.core.words import pages_text
from snug.paths import resources_folder
from snug.store import Store
from snug.store.rows import MADE_HERE, NewModel
from snug.ui import make_it_fit_words as words
from snug.ui.child_requests import OnDone, OnFailed
from snug.worker import protocol
from snug.worker.conversion_messages import ConversionChoice, ConversionDone, ModelsCompared

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1

_REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w.-]+")
AskComparison = Callable[[str, OnDone, OnFailed, OnDone], None]


@QmlElement
@QmlUncreatable("The application makes it")
class ConversionResult(QObject):
    """The file that was made last; it is in the library from then on. `measured`: (type, words changed of 1,000)."""

    changed = Signal()
    measured = Signal(str, float)
    chatRequested = Signal(int)

    def __init__(
        self, store: Store, machine: Callable[[], Machine], ask: AskComparison, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._machine = machine
        self._ask = ask
        self._title = ""
        self._done: ConversionDone | None = None
        self._rows: list[dict[str, str]] = []
        self._model_id = 0
        self._origin = ""
        self._comparison = ""
        self._figures = ""
        self._is_comparing = False
        self._comparing_share = 0.0

    def show(self, title: str, origin: str, done: ConversionDone, choice: ConversionChoice, predicted: Fit) -> None:
        """Put the finished file into the library and show what came of it."""
        new = NewModel(
            name=title,
            path=done.path,
            facts=done.facts,
            source=MADE_HERE,
            repo=origin,
            sha256=done.sha256,
            is_ours=True,
        )
        self._model_id = self._store.models.add(new).id
        self._title, self._done = title, done
        self._origin = origin
        self._keep_divergence(done.divergence)
        self._comparison, self._is_comparing = "", False
        now = fit_of(done.facts, FitSettings(), self._machine(), done.tokens_per_s or None)
        self._rows = words.result_rows(done, choice, predicted, now)
        self.changed.emit()

    @Property(str, notify=changed)
    def title(self) -> str:
        return f"{self._title} is ready" if self._done else ""

    @Property(str, notify=changed)
    def summary(self) -> str:
        if self._done is None:
            return ""
        count = len(self._done.checks)
        failed = sum(not check.ok for check in self._done.checks)
        if failed:
            return f"It is in your Library. {failed} of {count} checks found something: see below."
        return f"All {count} checks are right. It is in your Library." if count else "It is in your Library."

    @Property(list, notify=changed)
    def cells(self) -> list[dict[str, str]]:
        """The table row by row: name, what was predicted ("before"), what was measured ("after")."""
        return [{"kind": kind, "text": row[kind]} for row in self._rows for kind in ("name", "before", "after")]

    @Property(list, notify=changed)
    def checks(self) -> list[dict[str, Any]]:
        return [{"ok": check.ok, "text": check.words} for check in (self._done.checks if self._done else ())]

    @Property(bool, notify=changed)
    def hasTrouble(self) -> bool:
        return self._done is not None and any(not check.ok for check in self._done.checks)

    @Property(list, notify=changed)
    def notes(self) -> list[str]:
        return list(self._done.notes) if self._done else []

    @Property(str, notify=changed)
    def sample(self) -> str:
        """What it answered in the test chat."""
        return self._done.sample if self._done else ""

    @Property(str, notify=changed)
    def comparison(self) -> str:
        return self._comparison

    @Property(str, notify=changed)
    def comparisonFigures(self) -> str:
        """The same in raw figures, for those who ask."""
        return self._figures if self._comparison else ""

    @Property(float, notify=changed)
    def comparingShare(self) -> float:
        """How far the comparison is, 0 to 1."""
        return self._comparing_share

    @Property(bool, notify=changed)
    def isComparing(self) -> bool:
        return self._is_comparing

    @Slot()
    def chat(self) -> None:
        if self._model_id:
            self.chatRequested.emit(self._model_id)

    @Slot()
    def compare(self) -> None:
        """Compare the file with the original on a text, in a child."""
        if self._done is None or self._is_comparing:
            return
        self._is_comparing, self._comparison, self._comparing_share = True, "", 0.0
        self.changed.emit()
        self._ask(self._done.path, self._on_compared, self._on_failed, self._on_progress)

    def _on_progress(self, event: protocol.Event) -> None:
        if isinstance(event, protocol.Progress) and event.total:
            self._comparing_share = event.done / event.total
            self.changed.emit()

    def _on_compared(self, event: protocol.Event) -> None:
        self._is_comparing = False
        if isinstance(event, ModelsCompared) and self._done is not None:
            same = words.loss_words(1000 - event.words_same)
            self._comparison = f"{same[:1].upper()}{same[1:]}, in a text of {pages_text(event.tokens)}."
            self._figures = (
                f"Perplexity {event.perplexity:.2f}, of the original {event.reference_perplexity:.2f}; "
                f"KL divergence {event.divergence:.4f} nats a token."
            )
            self.measured.emit(self._done.type_name, 1000 - event.words_same)
            self._keep_divergence(event.divergence)
        self.changed.emit()

    def _keep_divergence(self, nats: float) -> None:
        """What was measured counts in recommendations from now on; -1 where it was not."""
        done = self._done
        if done is None or nats < 0 or file_type_named(done.type_name) is None:
            return
        catalogue = load_catalogue(resources_folder() / "catalogue" / "models.json")
        repo = self._origin if _REPOSITORY.fullmatch(self._origin) else ""
        self._store.divergences.record(known_as(catalogue, repo, done.path), done.type_name, nats)

    def _on_failed(self, error: UserError) -> None:
        self._is_comparing = False
        self._comparison = f"{error.title} {error.advice}".strip()
        self.changed.emit()
