"""The "Make it fit" screen: a model's page, folder or file becomes a file that this computer can run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Property, QObject, QTimer, QUrl, Signal, Slot
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.core.catalogue import CatalogueEntry
from snug.core.errors import UserError
from snug.core.machine import Machine
from snug.core.words import size_text
from snug.store import Store
from snug.ui import make_it_fit_words as words
from snug.ui.child_requests import ChildRequests
from snug.ui.conversion_offer import Offer
from snug.ui.conversion_problem import ConversionProblem
from snug.ui.conversion_result import ConversionResult
from snug.ui.conversion_run import ConversionRun
from snug.ui.conversion_size import ConversionSize
from snug.ui.conversion_source import repo_of, source_of, source_text
from snug.ui.hub_access import hub_access
from snug.ui.memory_plans import MemoryPlans
from snug.ui.own_texts import MINE, OwnTexts
from snug.ui.unfinished_conversion import Unfinished, forget_unfinished, keep_unfinished, read_unfinished
from snug.worker import protocol
from snug.worker.conversion_messages import (
    ConversionDone,
    ConversionPreviewed,
    ConversionSource,
    Convert,
    PreviewConversion,
)

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1

WAIT_FOR_TYPING_MS = 600
NOTHING_KEPT = ("disk-full", "source-changed", "needs-importance", "budget-too-small")
"""Kinds of failures after which there is nothing to go on with."""


@QmlElement
@QmlUncreatable("The application makes it")
class MakeItFitModel(QObject):
    """From a link or a folder to a finished file. `phase`: "empty", "looking", "ready", "working", "done"."""

    changed = Signal()
    sourceChanged = Signal()
    progressChanged = Signal()
    chatRequested = Signal(int)
    said = Signal(str)
    searchRequested = Signal(str)
    settingsRequested = Signal()

    def __init__(
        self,
        store: Store,
        machine: Callable[[], Machine],
        children: tuple[ChildRequests, ChildRequests, ChildRequests],
        folder: Callable[[], str],
        cache: Path,
        token: Callable[[], str],
        catalogue: Callable[[], tuple[CatalogueEntry, ...]],
        parent: QObject | None = None,
        *,
        plans: MemoryPlans | None = None,
    ) -> None:
        """`children` look at sources, make files, and compare them with their originals."""
        super().__init__(parent)
        self._store = store
        self._machine = machine
        self._looker, making, comparing = children
        self._folder = folder
        self._texts = OwnTexts(store, cache)
        self._token = token
        self._catalogue = catalogue
        self._size = ConversionSize(store.settings, machine, self)
        self._size.changed.connect(self.changed)
        self._result = ConversionResult(store, machine, comparing, catalogue, self, plans=plans)
        self._result.measured.connect(self._size.add_measured)
        self._result.chatRequested.connect(self.chatRequested)
        self._run = ConversionRun(making, self)
        self._run.changed.connect(self.progressChanged)
        self._run.done.connect(self._on_done)
        self._run.failed.connect(self._on_not_made)
        self._run.stopped.connect(self._on_stopped)
        for ended in (self._run.done, self._run.failed, self._run.stopped):
            ended.connect(self._texts.forget)
        unfinished = read_unfinished(store.settings)
        self._text = unfinished.source if unfinished else ""
        self._asked = 0
        self._problem = ConversionProblem(self._hub_address, self._repo, self)
        self._problem.mended.connect(self._try_again)
        self._problem.settingsRequested.connect(self.settingsRequested)
        self._problem.searchRequested.connect(self.searchRequested)
        self._is_done = False
        self._typing = QTimer(self, interval=WAIT_FOR_TYPING_MS, singleShot=True)
        self._typing.timeout.connect(self.look)

    # --- the source

    @Property(str, notify=sourceChanged)
    def sourceText(self) -> str:
        return self._text

    @Property(str, notify=sourceChanged)
    def phase(self) -> str:
        if self._run.is_running:
            return "working"
        if self._is_done:
            return "done"
        if self._asked:
            return "looking"
        return "ready" if self._offer is not None else "empty"

    @Property(list, notify=sourceChanged)
    def ownModels(self) -> list[dict[str, Any]]:
        """The library's models that can be made smaller: `id` and `text`."""
        models = [model for model in self._store.models.all() if model.state == "ready"]
        return [{"id": model.id, "text": f"{model.name} ({size_text(model.size_bytes)})"} for model in models]

    @Slot()
    def fill(self) -> None:
        """The screen is shown for the first time: look at what was left unfinished."""
        is_idle = self._offer is None and not (self._asked or self._run.is_running or self._is_done)
        if self._text and is_idle and not self._problem.is_there:
            self.look()

    @Slot(str)
    def write(self, text: str) -> None:
        """What stands in the line; it is looked at when the person stops writing."""
        if text != self._text:
            self._text = text
            self._typing.start()
            self._tell()

    @Slot(str)
    def pick(self, location: str) -> None:
        """A folder or file of this computer, as a path or a file: address."""
        self._text = QUrl(location).toLocalFile() or location
        self.look()

    @Slot(int)
    def pickModel(self, model_id: int) -> None:
        """A model of the library."""
        model = self._store.models.get(model_id)
        if model is not None:
            self.pick(model.path)

    @Slot()
    def look(self) -> None:
        """Ask what the source is and what it can be made into."""
        self._typing.stop()
        self._forget_question()
        self._result.stopComparing()
        self._problem.show(None)
        self._is_done = False
        self._size.show(None)
        if not self._text.strip():
            self._tell()
            return
        try:
            source = self._source()
        except UserError as error:
            self._on_failed(error)
            return
        request = PreviewConversion(source=source, folder=self._folder())
        self._asked = self._looker.ask(request, self._on_previewed, self._on_failed)
        self._tell()

    def open(self, text: str) -> None:
        """Show this source; another screen asked for it. Nothing while a file is being made."""
        if not self._run.is_running:
            self._text = text
            self.look()

    def refresh(self) -> None:
        """Work the answers out again: the machine was read, or something was unloaded."""
        self._size.refresh()

    @Property(str, notify=changed)
    def sentence(self) -> str:
        if self._asked:
            return "Looking at what it is…"
        if self._offer is None:
            return ""
        extra = self._size.learning_s if self._size.by else 0.0
        return words.source_sentence(self._offer.preview, self._offer.chosen, extra)

    @Property(list, notify=sourceChanged)
    def warnings(self) -> list[str]:
        return list(self._offer.preview.warnings) if self._offer else []

    @Property(list, notify=sourceChanged)
    def notes(self) -> list[str]:
        """What else a person must know of it."""
        return list(self._offer.preview.notes) if self._offer else []

    @Property(list, notify=sourceChanged)
    def details(self) -> list[str]:
        """What was found about it that only experts ask for."""
        return list(self._offer.preview.details) if self._offer else []

    @Property(str, notify=sourceChanged)
    def finishedText(self) -> str:
        """That the model can be had without making anything; "" where nothing is known of such files."""
        if not self._finished_name():
            return ""
        return "Finished files of this model can be had, too: less to fetch, and nothing to make."

    @Slot()
    def showFinished(self) -> None:
        """Show the model with its finished files in Discover."""
        self.searchRequested.emit(self._finished_name())

    @Property(ConversionProblem, constant=True)
    def problem(self) -> ConversionProblem:
        return self._problem

    @Property(ConversionSize, constant=True)
    def size(self) -> ConversionSize:
        """How small, and what the rounding is weighed by."""
        return self._size

    # --- making it

    @Property(str, notify=changed)
    def makeText(self) -> str:
        """What the button says: to begin, or to go on with what was interrupted."""
        if not self.isUnfinished or self._offer is None:
            return "Make it"
        done = round(100 * self._offer.preview.resumable_done)
        return f"Go on ({done} % is done)" if done else "Go on"

    @Property(bool, notify=changed)
    def isUnfinished(self) -> bool:
        """Whether the chosen file was begun already."""
        return self._offer is not None and self._offer.is_unfinished

    @Slot()
    def make(self) -> None:
        offer = self._offer
        if offer is None or self._run.is_running:
            return
        self._problem.show(None)
        weighing, own_text = self._size.by, self._size.own_text
        try:
            source, calibration = self._source(), self._texts.to_learn_from(weighing, own_text)
        except UserError as error:
            self._on_failed(error)
            return
        chosen = offer.chosen
        size = chosen.size_bytes if chosen.type_name == words.MADE_TO_MEASURE else 0
        out = self._out(offer)
        offer.unfinished = chosen.type_name
        keep_unfinished(self._store.settings, Unfinished(self._text, chosen.type_name, size, str(out)))
        self._run.start(
            Convert(
                source=source,
                out=str(out),
                type_name="" if size else chosen.type_name,
                budget_bytes=size,
                calibration=calibration,
                methods=self._size.methods,
                text="" if calibration else self._texts.to_measure_on(own_text),
            )
        )
        self._tell()

    @Slot()
    def discard(self) -> None:
        """Throw away what is done of the chosen file."""
        offer = self._offer
        if offer is None or not offer.is_unfinished or self._run.is_running:
            return
        out = self._out(offer)
        forget_unfinished(self._store.settings)
        self._run.discard(str(out), self.look)

    @Slot()
    def stopMaking(self) -> None:
        self._run.stop()

    @Property(str, notify=progressChanged)
    def workingTitle(self) -> str:
        if self._offer is None or self._run.request is None:
            return ""
        return f"Making {self._offer.preview.title} at {size_text(self._offer.chosen.size_bytes)}"

    @Property(float, notify=progressChanged)
    def fraction(self) -> float:
        progress = self._run.progress
        return progress.done_bytes / progress.total_bytes if progress and progress.total_bytes else 0.0

    @Property(str, notify=progressChanged)
    def progressText(self) -> str:
        return "Stopping; what is done so far is kept…" if self._run.is_stopping else words.progress_words(
            self._run.progress
        )  # fmt: skip

    @Property(bool, notify=progressChanged)
    def isStopping(self) -> bool:
        return self._run.is_stopping

    # --- the result

    @Property(ConversionResult, constant=True)
    def result(self) -> ConversionResult:
        return self._result

    @Slot()
    def another(self) -> None:
        """Back to the start, for another model or another size."""
        self.look()

    # --- answers

    def _tell(self) -> None:
        self.sourceChanged.emit()
        self.changed.emit()

    @property
    def _offer(self) -> Offer | None:
        return self._size.offer

    def _hub_address(self) -> str:
        return hub_access(self._store.settings).endpoint

    def _repo(self) -> str:
        return repo_of(self._text, self._hub_address())

    def _source(self) -> ConversionSource:
        return source_of(self._text, hub_access(self._store.settings, self._token()))

    def _finished_name(self) -> str:
        """What to search for to find finished files of the source: its page, or the catalogue's name of it."""
        repo = self._repo() if self._offer else ""
        if self._offer is None or not repo:
            return ""
        if self._offer.preview.has_finished_files:
            return repo
        known = (entry for entry in self._catalogue() if entry.gguf_repos and entry.repo.lower() == repo.lower())
        return next((entry.name for entry in known), "")

    def _unfinished(self) -> Unfinished | None:
        """What was begun of this very source."""
        found = read_unfinished(self._store.settings)
        return found if found is not None and found.source == self._text else None

    def _out(self, offer: Offer) -> Path:
        """The file to make: the one that was begun, else the first free name."""
        begun = self._unfinished()
        if begun is not None and begun.type_name == offer.chosen.type_name:
            return Path(begun.out)
        number = 1
        while True:
            name = words.file_name(offer.preview.title, offer.chosen.type_name, number)
            path = Path(self._folder()) / name
            if not path.exists():
                return path
            number += 1

    def _forget_question(self) -> None:
        if self._asked:
            self._looker.forget(self._asked)
            self._asked = 0

    def _on_previewed(self, event: protocol.Event) -> None:
        self._asked = 0
        if isinstance(event, ConversionPreviewed) and event.kind == "lora":
            self._problem.show(words.only_an_adapter())
        elif isinstance(event, ConversionPreviewed) and event.choices:
            begun = self._unfinished()
            offer = Offer(
                event,
                self._machine(),
                is_weighed=bool(self._size.by),
                unfinished=begun.type_name if begun else event.resumable,
                unfinished_bytes=begun.size_bytes if begun else 0,
            )
            self._size.show(offer)
        self._tell()

    def _on_failed(self, error: UserError) -> None:
        self._asked = 0
        self._problem.show(error)
        self._tell()

    def _on_not_made(self, error: UserError) -> None:
        if self._offer is not None and (error.bad_input or error.kind in NOTHING_KEPT):
            forget_unfinished(self._store.settings)
            self._offer.unfinished = ""
        else:
            advice = f"{error.advice} What is done so far is kept and used.".strip()
            error = UserError(error.title, advice, error.kind, error.details)
        self._on_failed(error)

    def _try_again(self) -> None:
        if self._offer is not None:
            self.make()
        else:
            self.look()

    def _on_stopped(self) -> None:
        self.said.emit("Stopped. What is done so far is kept; “Go on” continues it.")
        self.look()

    def _on_done(self, done: ConversionDone) -> None:
        offer = self._offer
        assert offer is not None
        text = self._size.own_text if self._size.by in ("", MINE) else ""
        try:
            forget_unfinished(self._store.settings)
            self._result.show(offer, source_text(self._text, self._hub_address()), self._source(), text, done)
        except UserError as error:  # the file is there; only the library could not take it in
            self._on_failed(error)
            return
        self._is_done = True
        if done.words_changed >= 0:
            self._size.add_measured(done.type_name, done.words_changed)
        self._tell()
