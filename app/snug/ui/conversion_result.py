"""What came of a conversion: measured beside predicted, its checks, and how it compares with the original."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.core.catalogue import CatalogueEntry
from snug.core.errors import UserError
from snug.core.fit import Fit, FitSettings
from snug.core.machine import Machine
from snug.core.memory_fit import fit as fit_of
from snug.core.models_here import known_as
from snug.core.quantisation import file_type_named
from snug.core.words import pages_text
from snug.store import Store
from snug.store.rows import MADE_HERE, NewModel
from snug.ui import make_it_fit_words as words
from snug.ui.child_requests import ChildRequests
from snug.ui.conversion_offer import Offer
from snug.ui.memory_plans import MemoryPlans, ModelSource
from snug.worker import protocol
from snug.worker.conversion_messages import (
    CompareModels,
    ConversionChoice,
    ConversionDone,
    ConversionSource,
    ModelsCompared,
)

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1

QUALITY = "quality"
"""The name of the check that a later comparison replaces."""
MOST_SAMPLE = 400
"""So many characters of the test chat's answer are shown."""
_REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w.-]+")


@QmlElement
@QmlUncreatable("The application makes it")
class ConversionResult(QObject):
    """The file that was made last; it is in the library from then on. `measured`: (type, words changed of 1,000)."""

    changed = Signal()
    measured = Signal(str, float)
    chatRequested = Signal(int)

    def __init__(
        self,
        store: Store,
        machine: Callable[[], Machine],
        comparing: ChildRequests,
        catalogue: Callable[[], tuple[CatalogueEntry, ...]],
        parent: QObject | None = None,
        *,
        plans: MemoryPlans | None = None,
    ) -> None:
        super().__init__(parent)
        self._plans = plans
        self._offer: Offer | None = None
        if plans is not None:
            plans.arrived.connect(self._judge_again)
        self._store = store
        self._machine = machine
        self._comparing = comparing
        self._catalogue = catalogue
        self._title = ""
        self._done: ConversionDone | None = None
        self._choice: ConversionChoice | None = None
        self._rows: list[dict[str, str]] = []
        self._model_id = 0
        self._origin = ""
        self._source = ConversionSource()
        self._text = ""
        self._cost = ""
        self._comparison = ""
        self._figures = ""
        self._number = 0
        self._share = 0.0
        self._doing = ""

    def show(self, offer: Offer, origin: str, source: ConversionSource, text: str, done: ConversionDone) -> None:
        """Put the finished file into the library and show what came of it.

        `origin` is the source's name in the library; comparisons read the person's own `text` where that is not "".
        """
        self._title, self._done, self._choice = offer.preview.title, done, offer.chosen
        self._offer, self._origin, self._source, self._text = offer, origin, source, text
        self._cost = words.comparing_words(offer.preview)
        self._comparison, self._figures, self._number, self._share, self._doing = "", "", 0, 0.0, ""
        self._model_id = self._into_library(done)
        self._keep(done.divergence, done.words_changed)
        self._rows = words.result_rows(done, offer.chosen, offer.fit, self._now(done))
        self.changed.emit()

    def _now(self, done: ConversionDone) -> Fit:
        """The answer for the finished file, as the library gives it."""
        speed = done.tokens_per_s or None
        if self._plans is None:
            return fit_of(done.facts, FitSettings(), self._machine(), speed)
        source = ModelSource(done.path)
        return self._plans.fit(done.facts, FitSettings(), self._machine(), speed, source=source)

    def _judge_again(self) -> None:
        """The engine has planned the file's memory."""
        if self._done is None or self._offer is None:
            return
        better = words.result_rows(self._done, self._offer.chosen, self._offer.fit, self._now(self._done))
        by_name = {row["name"]: row for row in better if row["name"] in words.JUDGED}
        rows = [by_name.get(row["name"], row) for row in self._rows]
        if rows != self._rows:
            self._rows = rows
            self.changed.emit()

    def _into_library(self, done: ConversionDone) -> int:
        new = NewModel(
            name=self._title,
            path=done.path,
            facts=done.facts,
            source=MADE_HERE,
            repo=self._origin,
            licence=done.facts.licence,
            sha256=done.sha256,
            is_ours=True,
        )
        model_id = self._store.models.add(new).id
        if done.tokens_per_s:
            self._store.models.record_speed(model_id, done.tokens_per_s)
        return model_id

    @Property(str, notify=changed)
    def title(self) -> str:
        return f"{self._title} is ready" if self._done else ""

    @Property(str, notify=changed)
    def summary(self) -> str:
        checked = words.checks_words(self._done.checks) if self._done else ""
        return f"{checked} It is in your Library.".strip() if self._done else ""

    @Property(list, notify=changed)
    def cells(self) -> list[dict[str, str]]:
        """The table row by row: name, what was predicted ("before"), what was measured ("after")."""
        return [{"kind": kind, "text": row[kind]} for row in self._rows for kind in ("name", "before", "after")]

    @Property(list, notify=changed)
    def checks(self) -> list[dict[str, Any]]:
        """Each check with its sentence; `state` is "good", "quiet" (nothing to look at) or "tight"."""
        newer = f"Compared with the original: {self._comparison}" if self._figures and self._comparison else ""
        return [
            {
                "state": "tight" if not check.ok else "good" if check.is_done else "quiet",
                "text": newer if newer and check.ok and check.name == QUALITY else check.words,
            }
            for check in (self._done.checks if self._done else ())
        ]

    @Property(bool, notify=changed)
    def hasTrouble(self) -> bool:
        return self._done is not None and any(not check.ok for check in self._done.checks)

    @Property(str, notify=changed)
    def checkDetails(self) -> str:
        """What the comparison and the checks found in raw figures, for those who ask."""
        found = [check for check in (self._done.checks if self._done else ()) if check.details]
        compared = [self._figures] if self._comparison and self._figures else []
        return "\n\n".join([*compared, *(f"{check.name}: {check.details}" for check in found)])

    @Property(list, notify=changed)
    def notes(self) -> list[str]:
        """What else a person must know of it."""
        return list(self._done.notes) if self._done else []

    @Property(list, notify=changed)
    def details(self) -> list[str]:
        """What was found that only experts ask for."""
        return list(self._done.details) if self._done else []

    @Property(str, notify=changed)
    def question(self) -> str:
        """What it was asked in the test chat; "" where it was not."""
        return f"Asked “{self._done.question}”, it says:" if self._done and self._done.sample else ""

    @Property(str, notify=changed)
    def sample(self) -> str:
        """What it answered in the test chat."""
        text = self._done.sample if self._done else ""
        return text if len(text) <= MOST_SAMPLE else f"{text[:MOST_SAMPLE].rstrip()}…"

    @Property(str, notify=changed)
    def compareCost(self) -> str:
        """What comparing costs; "" where nothing worth a word, or where it was done."""
        return "" if self._comparison else self._cost

    @Property(str, notify=changed)
    def comparison(self) -> str:
        return self._comparison

    @Property(float, notify=changed)
    def comparingShare(self) -> float:
        """How far the comparison is, 0 to 1."""
        return self._share

    @Property(str, notify=changed)
    def comparingText(self) -> str:
        """What the comparison does now."""
        return f"{self._doing or 'Starting'}…" if self._number else ""

    @Property(bool, notify=changed)
    def isComparing(self) -> bool:
        return self._number != 0

    @Slot()
    def chat(self) -> None:
        if self._model_id:
            self.chatRequested.emit(self._model_id)

    @Slot()
    def compare(self) -> None:
        """Compare the file with the original on a text, in a child."""
        if self._done is None or self._number:
            return
        self._comparison, self._share, self._doing = "", 0.0, ""
        request = CompareModels(path=self._done.path, source=self._source, text=self._text)
        self._number = self._comparing.ask(request, self._on_compared, self._on_failed, self._on_progress)
        self.changed.emit()

    @Slot()
    def stopComparing(self) -> None:
        """Give it up; nothing is left of it."""
        if self._number:
            self._end()

    def _end(self) -> None:
        self._number = 0
        self._comparing.stop()  # the child has shut itself in for this one comparison
        self.changed.emit()

    def _on_progress(self, event: protocol.Event) -> None:
        if isinstance(event, protocol.Progress) and event.total:
            self._share, self._doing = event.done / event.total, event.doing
            self.changed.emit()

    def _on_compared(self, event: protocol.Event) -> None:
        if isinstance(event, ModelsCompared) and self._done is not None and self._choice is not None:
            changed = 1000 - event.words_same
            same = words.loss_words(changed)
            self._comparison = f"{same[:1].upper()}{same[1:]}, in a text of {pages_text(event.tokens)}."
            self._figures = (
                f"Perplexity {event.perplexity:.2f}, of the original {event.reference_perplexity:.2f}; "
                f"KL divergence {event.divergence:.4f} nats a token."
            )
            row = words.loss_row(self._choice, changed)
            self._rows = [*(other for other in self._rows if other["name"] != row["name"]), row]
            self.measured.emit(self._done.type_name, changed)
            self._keep(event.divergence, changed)
        self._end()

    def _keep(self, nats: float, words_changed: float) -> None:
        """What was measured counts in the library and in recommendations from now on; -1 where it was not."""
        done = self._done
        if done is None or nats < 0:
            return
        self._store.file_quality.record(done.sha256, words.words_same(words_changed))
        if file_type_named(done.type_name) is None:
            return
        repo = self._origin if _REPOSITORY.fullmatch(self._origin) else ""
        self._store.divergences.record(known_as(self._catalogue(), repo, done.path), done.type_name, nats)

    def _on_failed(self, error: UserError) -> None:
        self._comparison, self._figures = f"{error.title} {error.advice}".strip(), ""
        self._end()
