"""What is known of models' memory, for every screen: kept figures at once, the engine's own plan when it has answered.

The engine is asked in a child, one question at a time. A slider that moves asks for many; only the latest of those
waits. A list asks for all of its models; each of those waits for its turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from snug.core.errors import UserError
from snug.core.fit import Fit, FitSettings, Offload, Parts, PlannedMemory
from snug.core.known_files import KnownFiles, OwnedModel, known_files
from snug.core.known_memory import KnownMemory, accuracy_words, memory_key
from snug.core.machine import Machine
from snug.core.memory_fit import known_fit
from snug.core.model_facts import ModelFacts
from snug.store.plans import Plans
from snug.store.rows import LibraryModel
from snug.ui.child_requests import ChildRequests
from snug.worker import protocol

LIMIT_MS = 15_000
MOST_WAITING = 64
"""Of a longer list the engine is asked about the first ones; the others keep the formula until they are opened."""


@dataclass(frozen=True, slots=True)
class ModelSource:
    """Where the engine can look at a model: a whole file at `path`, or with `size_bytes` only its header. `more_parts`
    are path and size of the headers of further parts."""

    path: str
    size_bytes: int = 0
    more_parts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Question:
    key: str
    settings: FitSettings
    facts: ModelFacts
    source: ModelSource

    @property
    def name(self) -> tuple[str, FitSettings]:
        return self.key, self.settings


class MemoryPlans(QObject):
    """`arrived` tells that figures changed: whoever shows some asks for them again."""

    arrived = Signal()

    def __init__(
        self, cache: Path, home: Path, headers: Path, requests: ChildRequests, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.headers = headers
        self._folders = cache, home
        self._kept: Plans | None = None
        self._requests = requests
        self._known: dict[tuple[str, FitSettings], PlannedMemory | None] = {}
        self._asked: _Question | None = None
        self._next: _Question | None = None
        self._queue: dict[tuple[str, FitSettings], _Question] = {}
        self._folder: Path | None = None
        self._limit = QTimer(self, interval=LIMIT_MS, singleShot=True)
        self._limit.timeout.connect(self._give_up)

    def fit(
        self,
        facts: ModelFacts,
        settings: FitSettings,
        machine: Machine,
        measured_tokens_per_s: float | None = None,
        *,
        source: ModelSource | None = None,
        is_listed: bool = False,
    ) -> Fit:
        """The answer with all that is known. Where that is the formula alone and there is a `source`, the engine is
        asked, and `arrived` tells when to look again; of a list, one model after the other."""
        known = _Asking(self, source, is_listed)
        return known_fit(facts, settings, machine, known, measured_tokens_per_s)

    def files(self, models: Iterable[LibraryModel]) -> KnownFiles:
        """What is known of the library's models, for lists that name them by their source."""
        owned = (
            OwnedModel(model.repo, model.facts, model.measured_tokens_per_s)
            for model in models
            if model.state == "ready"
        )
        return known_files(owned, _Asking(self, None, False))

    def planned(
        self, facts: ModelFacts, settings: FitSettings, source: ModelSource | None, *, is_listed: bool
    ) -> PlannedMemory | None:
        """The engine's plan, where it is known; else it is asked for."""
        key = memory_key(facts)
        name = (key, settings)
        if not key or name in self._known:
            return self._known.get(name)
        kept = self._plans().planned(facts, settings)
        if kept is not None:
            self._known[name] = kept
        elif source is not None:
            self._ask(_Question(key, settings, facts, source), is_listed)
        return kept

    def measured(self, facts: ModelFacts, settings: FitSettings, offload: Offload) -> PlannedMemory | None:
        """What a load took here, where there was one."""
        return self._plans().measured(facts, settings, offload)

    def record(
        self, name: str, facts: ModelFacts, settings: FitSettings, before: Fit, devices: Sequence[Parts]
    ) -> None:
        """Keep what a load really took; `before` is what was said of it."""
        self._plans().record(name, facts, settings, before, devices)
        self.arrived.emit()

    def accuracy_words(self) -> str:
        """How far off the estimates on this computer have been; "" while too few loads were measured."""
        return accuracy_words(self._plans().loads())

    def _plans(self) -> Plans:
        if self._kept is None:
            self._kept = Plans(*self._folders)
        return self._kept

    def _ask(self, question: _Question, is_listed: bool) -> None:
        if self._asked is None:
            self._send(question)
        elif question.name == self._asked.name:
            self._next = None
        elif is_listed:
            if len(self._queue) < MOST_WAITING:
                self._queue.setdefault(question.name, question)
        else:
            self._next = question

    def _send(self, question: _Question) -> None:
        self._asked = question
        settings, source = question.settings, question.source
        folder = Path(source.path).parent
        if folder != self._folder:
            self._requests.stop()  # a child can read the folder of its first question only
            self._folder = folder
        wish = protocol.ContextWish(context=settings.context, kv_type=settings.kv_type, batch=settings.batch)
        request = protocol.DryRun(
            path=source.path, size_bytes=source.size_bytes, more_parts=list(source.more_parts), wishes=[wish]
        )
        self._limit.start()
        self._requests.ask(request, self._on_done, self._on_failed)

    def _on_done(self, answer: protocol.Event) -> None:
        plan = None
        if isinstance(answer, protocol.DryRunDone) and self._asked is not None:
            settings, found = self._asked.settings, answer.allocations[0]
            plan = PlannedMemory(
                settings.context, settings.kv_type, settings.batch, found.conversation_bytes, found.compute_bytes
            )
            self._plans().keep_planned(self._asked.facts, settings, plan)
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
            self._known[asked.name] = plan
        following = self._take_next()
        if following is not None:
            self._send(following)
        if plan is not None:
            self.arrived.emit()

    def _take_next(self) -> _Question | None:
        """What waits and was not answered meanwhile; the slider before the list."""
        waiting, self._next = self._next, None
        if waiting is not None and waiting.name not in self._known:
            return waiting
        while self._queue:
            listed = self._queue.pop(next(iter(self._queue)))
            if listed.name not in self._known:
                return listed
        return None


class _Asking(KnownMemory):
    """What is known, asking the engine about one model where it must be."""

    def __init__(self, plans: MemoryPlans, source: ModelSource | None, is_listed: bool) -> None:
        self._plans = plans
        self._source = source
        self._is_listed = is_listed

    def planned(self, facts: ModelFacts, settings: FitSettings) -> PlannedMemory | None:
        return self._plans.planned(facts, settings, self._source, is_listed=self._is_listed)

    def measured(self, facts: ModelFacts, settings: FitSettings, offload: Offload) -> PlannedMemory | None:
        return self._plans.measured(facts, settings, offload)
