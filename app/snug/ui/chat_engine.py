"""The child that holds the model: loads it, answers, and is replaced when it dies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QTimer, Signal

from snug.core.fit import Parts
from snug.core.words import duration_text, pages_text
from snug.store.rows import LibraryModel
from snug.ui.chat_row_building import Problem
from snug.ui.chat_words import LOADING_BYTES_PER_S, smaller_memory_words
from snug.ui.child_process import ChildDeath, ChildProcess
from snug.worker import protocol
from snug.worker.death import MemoryFacts

MakeChild = Callable[[MemoryFacts | None], ChildProcess]

STOP_MS = 2_000
SMALLEST_CONTEXT = 512
MEMORY_KINDS = ("no-memory", "gpu-memory", "context-too-large")


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be answered: by which model, how it is loaded, and the conversation so far.

    `memory` is what the load is expected to need and what was free, for the words about a death.
    """

    model: LibraryModel
    load: protocol.LoadModel
    messages: list[protocol.ChatMessage]
    sampling: protocol.Sampling
    memory: MemoryFacts | None = None


class ChatEngine(QObject):
    """One child at a time, one question at a time. Ending the child gives its memory back for certain.

    `state` is "unloaded", "loading", "ready", "reading", "writing" or "stopping". Nothing here is lost with the
    child: text goes out as it comes, and `failed` says why there will be no more of it. `loaded` says what a load took.
    """

    stateChanged = Signal()
    loaded = Signal(object)
    started = Signal(int)
    textArrived = Signal(str)
    finished = Signal(object)
    failed = Signal(object)
    noticed = Signal(str)

    def __init__(self, make_child: MakeChild, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make_child = make_child
        self._child: ChildProcess | None = None
        self._question: Question | None = None
        self._job = 0
        self._loaded: protocol.LoadModel | None = None
        self._allocated: protocol.ModelLoaded | None = None
        self._state = "unloaded"
        self.doing = ""
        self.share_done = 0.0
        self.context_used = 0
        self._stop_timer = QTimer(self, interval=STOP_MS, singleShot=True)
        self._stop_timer.timeout.connect(self._end_stubborn_child)

    @property
    def state(self) -> str:
        return self._state

    @property
    def is_busy(self) -> bool:
        """Whether a question waits for its answer."""
        return self._question is not None

    @property
    def loaded_path(self) -> str:
        return self._loaded.path if self._loaded is not None and self._allocated is not None else ""

    @property
    def loaded_request(self) -> protocol.LoadModel | None:
        """How the model that is there was loaded."""
        return self._loaded if self._allocated is not None else None

    @property
    def held(self) -> list[Parts]:
        """What the loaded model holds on each device; nothing while none is loaded."""
        return self._allocated.devices if self._allocated is not None else []

    @property
    def context(self) -> int:
        """The loaded model's context in tokens, 0 while none is loaded."""
        return self._allocated.context if self._allocated is not None else 0

    def ask(self, question: Question) -> None:
        """Load the model where that is needed, then answer. Only one question at a time."""
        assert self._question is None
        self._question = question
        if self._child is not None and self._loaded == question.load and self._allocated is not None:
            self._generate()
            return
        self._drop_child()
        self._child = self._make_child(question.memory)
        self._child.setParent(self)
        self._child.event.connect(self._on_event)
        self._child.died.connect(self._on_died)
        self._loaded = question.load
        self.share_done = 0.0
        seconds = question.model.size_bytes / LOADING_BYTES_PER_S
        self.doing = f"Starting {question.model.name}" + (f", {duration_text(seconds)}" if seconds > 3 else "")
        self._job = self._child.send(question.load)
        self._set_state("loading")

    def stop(self) -> None:
        """Ask the child to stop; where it does not within two seconds, end it. What came so far stays."""
        if self._question is None or self._child is None or self._state == "stopping":
            return
        self._child.cancel(self._job)
        self._set_state("stopping")
        self._stop_timer.start()

    def unload(self) -> None:
        """End the child: its memory is free for certain."""
        if self._question is None:
            self._drop_child()
            self._set_state("unloaded")

    def shut_down(self) -> None:
        """End the child, whatever it does: the window closes."""
        self._question = None
        self._drop_child()

    def _generate(self) -> None:
        assert self._child is not None
        assert self._question is not None
        request = protocol.Generate(messages=self._question.messages, sampling=self._question.sampling)
        self.doing = "Reading the conversation"
        self.share_done = 0.0
        self._job = self._child.send(request)
        self._set_state("reading")

    def _set_state(self, state: str) -> None:
        self._state = state
        self.stateChanged.emit()

    def _drop_child(self) -> None:
        self._stop_timer.stop()
        child, self._child = self._child, None
        self._loaded = self._allocated = None
        self.context_used = 0
        if child is not None:
            child.event.disconnect(self._on_event)
            child.died.disconnect(self._on_died)
            child.stop()

    def _on_event(self, number: int, body: protocol.Event) -> None:
        if self._question is None or number != self._job:
            return
        if isinstance(body, protocol.Text):
            if self._state == "reading":
                self._set_state("writing")
            self.textArrived.emit(body.text)
        elif isinstance(body, protocol.Progress):
            self.share_done = body.done / body.total if body.total else 0.0
            self.stateChanged.emit()
        elif isinstance(body, protocol.GenerationStarted):
            self.context_used = body.prompt_tokens
            self.doing = f"Reading {pages_text(body.prompt_tokens)}"
            self.started.emit(body.left_out)
            self.stateChanged.emit()
        elif isinstance(body, protocol.ModelLoaded):
            self._on_loaded(body)
        elif isinstance(body, protocol.GenerationDone):
            self.context_used = body.context_used
            if self._child is not None:
                self._child.note_success()
            self._finish(body)
        elif isinstance(body, protocol.Cancelled):
            self._finish(None)
        elif isinstance(body, protocol.Failed):
            self._fail(_problem(body.title, body.advice, body.kind, body.details, self._asked_context()))

    def _on_loaded(self, body: protocol.ModelLoaded) -> None:
        self._allocated = body
        self.loaded.emit(body)
        if body.notice:
            self.noticed.emit(body.notice)
        if self._state == "stopping":
            self._finish(None)
        else:
            self._generate()

    def _finish(self, done: protocol.GenerationDone | None) -> None:
        self._question = None
        self._stop_timer.stop()
        self._set_state("ready" if self._allocated is not None else "unloaded")
        self.finished.emit(done)

    def _fail(self, problem: Problem) -> None:
        self._question = None
        self._stop_timer.stop()
        if self._allocated is None:
            self._drop_child()
        self._set_state("ready" if self._allocated is not None else "unloaded")
        self.failed.emit(problem)

    def _on_died(self, death: ChildDeath) -> None:
        context = self._asked_context()
        was_stopping = self._state == "stopping"
        self._stop_timer.stop()
        self._child = None
        self._loaded = self._allocated = None
        self.context_used = 0
        if self._question is None:
            self._set_state("unloaded")
        elif was_stopping:
            self._finish(None)
        else:
            self._fail(_problem(death.cause, death.advice, death.kind, death.details, context))

    def _end_stubborn_child(self) -> None:
        self._drop_child()
        self._finish(None)

    def _asked_context(self) -> int:
        return self._loaded.context if self._loaded is not None else 0


def _problem(title: str, advice: str, kind: str, details: str, context: int) -> Problem:
    """The card for a failure; where memory was short, its button offers half the memory of the conversation."""
    problem = Problem(title.removesuffix("."), "" if advice == "Try again." else advice, details, kind)
    if kind in MEMORY_KINDS and context >= 2 * SMALLEST_CONTEXT:
        return replace(problem, action="smaller", button=smaller_memory_words(context // 2))
    if kind == "too-long":  # trying again cannot help; the pencil beside the message does
        return replace(problem, action="", button="")
    return problem
