"""The "Make it fit" screen: a model's page, folder or file becomes a file that this computer can run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Property, QObject, QTimer, QUrl, Signal, Slot
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.core.errors import UserError
from snug.core.fit import Fit, FitSettings, Verdict
from snug.core.machine import Machine
from snug.core.made_to_measure import largest_that_fits
from snug.core.memory_fit import fit as fit_of
from snug.core.words import size_text
from snug.store import Store
from snug.store.own_texts import CHATS, OWN_TEXT, write_conversations
from snug.ui import make_it_fit_words as words
from snug.ui.child_requests import ChildRequests, OnDone, OnFailed
from snug.ui.conversion_result import ConversionResult
from snug.ui.conversion_run import ConversionRun
from snug.ui.conversion_source import source_of, source_text
from snug.ui.fit_view import FitView
from snug.ui.hub_access import hub_access
from snug.worker import protocol
from snug.worker.conversion_messages import (
    CompareModels,
    ConversionChoice,
    ConversionDone,
    ConversionPreviewed,
    ConversionSource,
    Convert,
    PreviewConversion,
)

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1

WAIT_FOR_TYPING_MS = 600
TEXTS = ("", "neutral", "chats", "mine")
"""What the rounding is weighed by: nothing, Snug's own text, the person's conversations, a text of theirs."""


@QmlElement
@QmlUncreatable("The application makes it")
class MakeItFitModel(QObject):
    """From a link or a folder to a finished file. `phase`: "empty", "looking", "ready", "working", "done"."""

    changed = Signal()
    choiceChanged = Signal()
    progressChanged = Signal()
    chatRequested = Signal(int)
    said = Signal(str)
    searchRequested = Signal()

    def __init__(
        self,
        store: Store,
        machine: Callable[[], Machine],
        preview_child: ChildRequests,
        convert_child: ChildRequests,
        folder: Callable[[], str],
        cache: Path,
        token: Callable[[], str],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._machine = machine
        self._looker = preview_child
        self._folder = folder
        self._cache = cache
        self._token = token
        self._fit_view = FitView(self)
        self._result = ConversionResult(store, machine, self._ask_comparison, self)
        self._result.measured.connect(self._on_measured)
        self._result.chatRequested.connect(self.chatRequested)
        self._run = ConversionRun(convert_child, self)
        self._run.changed.connect(self.progressChanged)
        self._run.done.connect(self._on_done)
        self._run.failed.connect(self._on_failed)
        self._run.stopped.connect(self._on_stopped)
        for ended in (self._run.done, self._run.failed, self._run.stopped):
            ended.connect(self._forget_texts)
        self._text = str(store.settings.get("convert.source"))
        self._weighing = str(store.settings.get("convert.weighing"))
        self._own_text = str(store.settings.get("convert.text"))
        self._is_thorough = bool(store.settings.get("convert.thorough"))
        self._preview: ConversionPreviewed | None = None
        self._choices: list[ConversionChoice] = []
        self._fits: list[Fit] = []
        self._choice = 0
        self._asked = 0
        self._problem: UserError | None = None
        self._is_done = False
        self._measured: dict[str, float] = {}
        self._typing = QTimer(self, interval=WAIT_FOR_TYPING_MS, singleShot=True)
        self._typing.timeout.connect(self.look)

    # --- the source

    @Property(str, notify=changed)
    def sourceText(self) -> str:
        return self._text

    @Property(str, notify=changed)
    def phase(self) -> str:
        if self._run.is_running:
            return "working"
        if self._is_done:
            return "done"
        if self._asked:
            return "looking"
        return "ready" if self._preview is not None else "empty"

    @Property(list, notify=changed)
    def ownModels(self) -> list[dict[str, Any]]:
        """The library's models that can be made smaller: `id` and `text`."""
        models = [model for model in self._store.models.all() if model.state == "ready"]
        return [{"id": model.id, "text": f"{model.name} ({size_text(model.size_bytes)})"} for model in models]

    @Slot(str)
    def write(self, text: str) -> None:
        """What stands in the line; it is looked at when the person stops writing."""
        if text != self._text:
            self._text = text
            self._typing.start()
            self.changed.emit()

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
        self._preview, self._problem, self._is_done = None, None, False
        self._measured.clear()
        if not self._text.strip():
            self.changed.emit()
            return
        try:
            source = self._source()
        except UserError as error:
            self._on_failed(error)
            return
        request = PreviewConversion(source=source, folder=self._folder())
        self._asked = self._looker.ask(request, self._on_previewed, self._on_failed)
        self.changed.emit()

    def open(self, text: str) -> None:
        """Show this source; another screen asked for it. Nothing while a file is being made."""
        if not self._run.is_running:
            self._text = text
            self.look()

    def refresh(self) -> None:
        """Work the answers out again: the machine was read, or something was unloaded."""
        self._show_choice()

    @Property(str, notify=changed)
    def sentence(self) -> str:
        if self._asked:
            return "Looking at what it is…"
        if self._preview is None:
            return ""
        extra = words.learning_seconds(self._preview, self._fits[-1], self._is_thorough) if self._weighing else 0.0
        return words.source_sentence(self._preview, self._chosen, extra)

    @Property(list, notify=changed)
    def warnings(self) -> list[str]:
        return list(self._preview.warnings) if self._preview else []

    @Property(str, notify=changed)
    def problemTitle(self) -> str:
        return self._problem.title if self._problem else ""

    @Property(str, notify=changed)
    def problemAdvice(self) -> str:
        return self._problem.advice if self._problem else ""

    @Property(str, notify=changed)
    def problemDetails(self) -> str:
        return self._problem.details if self._problem else ""

    @Slot()
    def dismiss(self) -> None:
        self._problem = None
        self.changed.emit()

    # --- how small

    @Property(int, notify=choiceChanged)
    def stopCount(self) -> int:
        return len(self._choices) if self._preview else 0

    @Property(int, notify=choiceChanged)
    def stop(self) -> int:
        return self._choice

    @Property(list, notify=choiceChanged)
    def labels(self) -> list[dict[str, Any]]:
        if self._preview is None:
            return []
        return words.slider_labels(self._choices, self._preview.original_type)

    @Property(str, notify=choiceChanged)
    def stopWords(self) -> str:
        """The chosen stop for a screen reader: "Balanced, 3.1 GB, Fits well"."""
        if self._preview is None:
            return ""
        choices, original = self._choices, self._preview.original_type
        label = words.stop_label(self._chosen, self._choice, choices, original)
        return f"{label}, {size_text(self._chosen.size_bytes)}, {self._fit_view.verdictText}"

    @Property(FitView, constant=True)
    def fit(self) -> FitView:
        return self._fit_view

    @Property(list, notify=choiceChanged)
    def figures(self) -> list[dict[str, str]]:
        return words.figures(self._chosen, self._fits[self._choice]) if self._preview else []

    @Property(list, notify=choiceChanged)
    def curvePoints(self) -> list[dict[str, Any]]:
        return self._curve.points

    @Property(list, notify=choiceChanged)
    def curveMeasured(self) -> list[dict[str, Any]]:
        return self._curve.measured

    @Property(list, notify=choiceChanged)
    def curveRows(self) -> list[dict[str, Any]]:
        return self._curve.rows

    @Property(list, notify=choiceChanged)
    def curveColumns(self) -> list[dict[str, Any]]:
        return self._curve.columns

    @Property(str, notify=choiceChanged)
    def chosenType(self) -> str:
        return self._chosen.type_name if self._preview else ""

    @Property(str, notify=choiceChanged)
    def curveWords(self) -> str:
        return words.curve_words(bool(self._measured)) if self._preview else ""

    @Property(float, notify=choiceChanged)
    def tooBigFrom(self) -> float:
        return words.too_big_from(self._choices, self._fits) if self._preview else 1.1

    @Property(str, notify=choiceChanged)
    def typeWords(self) -> str:
        return words.type_words(self._chosen, bool(self._weighing)) if self._preview else ""

    @Property(str, notify=choiceChanged)
    def roomProblem(self) -> str:
        return words.room_problem(self._preview, self._chosen) if self._preview else ""

    @Property(str, notify=choiceChanged)
    def weighing(self) -> str:
        return self._weighing

    @Property(str, notify=choiceChanged)
    def ownText(self) -> str:
        """The name of the person's own text."""
        return Path(self._own_text).name if self._own_text else ""

    @Slot(int)
    def choose(self, stop: int) -> None:
        if self._preview is not None and 0 <= stop < len(self._choices) and stop != self._choice:
            self._choice = stop
            self._show_choice()

    @Slot(str)
    def weigh(self, by: str) -> None:
        """Weigh the rounding by one of `TEXTS`."""
        if by in TEXTS and not (by == "mine" and not self._own_text):
            self._weighing = by
            self._store.settings.set("convert.weighing", by)
            if self._preview is not None:
                chosen = self._chosen.type_name
                self._offer()
                names = [choice.type_name for choice in self._choices]
                self._choice = names.index(chosen) if chosen in names else self._best_choice()
            self._show_choice()

    @Property(bool, notify=choiceChanged)
    def isThorough(self) -> bool:
        """Whether every method may be tried, which takes many times longer."""
        return self._is_thorough

    @Slot(bool)
    def beThorough(self, wanted: bool) -> None:
        self._is_thorough = wanted
        self._store.settings.set("convert.thorough", wanted)
        self.choiceChanged.emit()
        self.changed.emit()

    @Slot(str)
    def useText(self, location: str) -> None:
        """A text of the person's own, to weigh by."""
        self._own_text = QUrl(location).toLocalFile() or location
        self._store.settings.set("convert.text", self._own_text)
        self.weigh("mine")

    # --- making it

    @Property(str, notify=choiceChanged)
    def makeText(self) -> str:
        """What the button says: to begin, or to go on with what was interrupted."""
        if self._preview is not None and self._preview.resumable == self._chosen.type_name:
            return f"Go on ({round(100 * self._preview.resumable_done)} % is done)"
        return "Make it"

    @Slot()
    def make(self) -> None:
        if self._preview is None or self._run.is_running:
            return
        self._store.settings.set("convert.source", self._text[:4000])
        self._problem = None
        source = self._source()
        try:
            calibration = self._calibration()
        except UserError as error:
            self._on_failed(error)
            return
        is_measured = self._chosen.type_name == words.MADE_TO_MEASURE
        out = Path(self._folder()) / words.file_name(self._preview.title, self._chosen.type_name)
        methods = list(words.THOROUGH if self._is_thorough else words.QUICK) if calibration else []
        self._run.start(
            Convert(
                source=source,
                out=str(out),
                type_name="" if is_measured else self._chosen.type_name,
                budget_bytes=self._chosen.size_bytes if is_measured else 0,
                calibration=calibration,
                methods=methods,
            )
        )
        self.changed.emit()

    @Slot()
    def stopMaking(self) -> None:
        self._run.stop()

    @Property(str, notify=progressChanged)
    def workingTitle(self) -> str:
        if self._preview is None or self._run.request is None:
            return ""
        return f"Making {self._preview.title} at {size_text(self._chosen.size_bytes)}"

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

    @property
    def _curve(self) -> words.Curve:
        return words.curve_of(self._choices, self._measured) if self._preview else words.Curve()

    @property
    def _chosen(self) -> ConversionChoice:
        assert self._preview is not None
        return self._choices[self._choice]

    def _source(self) -> ConversionSource:
        return source_of(self._text, hub_access(self._store.settings, self._token()))

    def _ask_comparison(self, path: str, done: OnDone, failed: OnFailed, progress: OnDone) -> None:
        text = self._own_text if self._weighing == "mine" else ""
        self._looker.ask(CompareModels(path=path, source=self._source(), text=text), done, failed, progress)

    def _calibration(self) -> str:
        if self._weighing == CHATS:
            return str(write_conversations(self._store, self._cache))
        return self._own_text if self._weighing == "mine" else self._weighing

    def _forget_texts(self) -> None:
        (self._cache / OWN_TEXT).unlink(missing_ok=True)

    def _forget_question(self) -> None:
        if self._asked:
            self._looker.forget(self._asked)
            self._asked = 0

    def _on_previewed(self, event: protocol.Event) -> None:
        self._asked = 0
        if isinstance(event, ConversionPreviewed) and event.choices:
            self._preview = event
            self._offer()
            self._choice = self._best_choice()
            self._show_choice()
        self.changed.emit()

    def _offer(self) -> None:
        """The stops of the slider for what the rounding is weighed by."""
        assert self._preview is not None
        self._choices = words.offered(self._preview, bool(self._weighing))
        if self._weighing:
            sizes = [choice.facts for choice in self._choices]
            size = largest_that_fits(sizes, self._machine(), words.MEASURED_PAGES)
            self._choices = words.made_to_measure(self._choices, size)
        self._work_out()

    def _work_out(self) -> None:
        machine = self._machine()
        self._fits = [fit_of(choice.facts, FitSettings(), machine) for choice in self._choices]

    def _best_choice(self) -> int:
        """What was left unfinished; else the finest that fits well up to eight bits; else the smallest."""
        assert self._preview is not None
        names = [choice.type_name for choice in self._choices]
        if self._preview.resumable in names:
            return names.index(self._preview.resumable)
        fitting = [
            index
            for index, fit in enumerate(self._fits)
            if fit.verdict is Verdict.FITS_WELL
            and names[index] not in ("F32", "F16", "BF16", self._preview.original_type)
        ]
        balanced = [index for index in fitting if names[index] == "Q4_K_M"]
        return (balanced or fitting[-1:] or [0])[0]

    def _show_choice(self) -> None:
        if self._preview is not None:
            self._work_out()
            self._fit_view.show(self._fits[self._choice], self._machine())
        self.choiceChanged.emit()
        self.changed.emit()

    def _on_failed(self, error: UserError) -> None:
        self._asked = 0
        self._problem = error
        self.changed.emit()

    def _on_stopped(self) -> None:
        self.said.emit("Stopped. What is done so far is kept; “Go on” continues it.")
        self.look()

    def _on_done(self, done: ConversionDone) -> None:
        assert self._preview is not None
        self._is_done = True
        self._result.show(self._preview.title, source_text(self._text), done, self._chosen, self._fits[self._choice])
        if done.words_changed >= 0:
            self._on_measured(done.type_name, done.words_changed)
        self.changed.emit()

    def _on_measured(self, type_name: str, words_changed: float) -> None:
        self._measured[type_name] = words_changed
        self.choiceChanged.emit()
