"""What the engine itself plans for the model that is looked at: asked of a child, one question at a time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from snug.core.errors import UserError
from snug.core.fit import FitSettings, PlannedMemory
from snug.store.plans import Plans
from snug.ui.child_requests import ChildRequests
from snug.worker import protocol

LIMIT_MS = 15_000


@dataclass(frozen=True, slots=True)
class KeptHeader:
    """The header of a file of `size_bytes`, kept at `path`."""

    path: str
    sha256: str
    size_bytes: int


_Question = tuple[KeptHeader, FitSettings]


class MemoryPlans(QObject):
    """Plans by header and settings. A slider that moves asks for many; only the latest of those waits."""

    arrived = Signal()

    def __init__(self, cache: Path, headers: Path, requests: ChildRequests, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.headers = headers
        self._cache = cache
        self._kept: Plans | None = None
        self._requests = requests
        self._known: dict[_Question, PlannedMemory | None] = {}
        self._asked: _Question | None = None
        self._next: _Question | None = None
        self._limit = QTimer(self, interval=LIMIT_MS, singleShot=True)
        self._limit.timeout.connect(self._give_up)

    def find(self, header: KeptHeader, settings: FitSettings) -> PlannedMemory | None:
        """The plan, where it is known; else the engine is asked, and `arrived` tells when to look again."""
        question = (header, settings)
        if question not in self._known:
            kept = self._plans().find(header.sha256, settings.context, settings.kv_type, settings.batch)
            if kept is None:
                self._ask(question)
                return None
            self._known[question] = kept
        return self._known[question]

    def _plans(self) -> Plans:
        if self._kept is None:
            self._kept = Plans(self._cache)
        return self._kept

    def _ask(self, question: _Question) -> None:
        if self._asked is not None:
            self._next = question if question != self._asked else None
            return
        self._asked = question
        header, settings = question
        wish = protocol.ContextWish(context=settings.context, kv_type=settings.kv_type, batch=settings.batch)
        request = protocol.DryRun(path=header.path, size_bytes=header.size_bytes, wishes=[wish])
        self._limit.start()
        self._requests.ask(request, self._on_done, self._on_failed)

    def _on_done(self, answer: protocol.Event) -> None:
        plan = None
        if isinstance(answer, protocol.DryRunDone) and self._asked is not None:
            header, settings = self._asked
            found = answer.allocations[0]
            plan = PlannedMemory(
                settings.context, settings.kv_type, settings.batch, found.conversation_bytes, found.compute_bytes
            )
            self._plans().keep(header.sha256, plan)
        self._settle(plan)

    def _on_failed(self, _error: UserError) -> None:
        """The formula's figures stay."""
        self._settle(None)

    def _give_up(self) -> None:
        self._requests.stop()
        self._settle(None)

    def _settle(self, plan: PlannedMemory | None) -> None:
        self._limit.stop()
        asked, self._asked = self._asked, None
        if asked is not None:
            self._known[asked] = plan
        waiting, self._next = self._next, None
        if waiting is not None and waiting not in self._known:
            self._ask(waiting)
        if plan is not None:
            self.arrived.emit()
