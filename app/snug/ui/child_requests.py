"""Asks a child process for things, one callback an answer, and starts the child only while it is needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer

from snug.core.errors import UserError
from snug.ui.child_process import ChildDeath, ChildProcess
from snug.worker import protocol

IDLE_MS = 60_000

OnDone = Callable[[protocol.Event], None]
OnFailed = Callable[[UserError], None]


@dataclass(frozen=True)
class _Waiting:
    done: OnDone
    failed: OnFailed
    progress: OnDone | None


class ChildRequests(QObject):
    """Sends requests to one child of its own; each is answered by exactly one of its two callbacks.

    The child starts with the first request and ends after a minute without work, so that a window at rest
    carries no idle process. Where it dies, every request that waited fails with the cause in words.
    """

    def __init__(self, make_child: Callable[[], ChildProcess], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make_child = make_child
        self._child: ChildProcess | None = None
        self._waiting: dict[int, _Waiting] = {}
        self._idle = QTimer(self, interval=IDLE_MS, singleShot=True)
        self._idle.timeout.connect(self.stop)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is still to come."""
        return bool(self._waiting)

    def ask(self, body: protocol.Request, done: OnDone, failed: OnFailed, progress: OnDone | None = None) -> int:
        """Sends `body`; gives the request's number, which `cancel` takes."""
        self._idle.stop()
        if self._child is None:
            self._child = self._make_child()
            self._child.event.connect(self._on_event)
            self._child.died.connect(self._on_died)
        number = self._child.send(body)
        self._waiting[number] = _Waiting(done, failed, progress)
        return number

    def cancel(self, number: int) -> None:
        """Asks the child to stop that request; it still answers, usually with "cancelled"."""
        if self._child is not None and number in self._waiting:
            self._child.cancel(number)

    def forget(self, number: int) -> None:
        """Drops that request's callbacks and stops its work: its asker has lost interest."""
        self.cancel(number)
        waiting = self._waiting.get(number)
        if waiting is not None:
            self._waiting[number] = _Waiting(_ignore, _ignore_error, None)

    def stop(self) -> None:
        """Ends the child; whatever still waited is dropped without a word."""
        self._waiting.clear()
        child, self._child = self._child, None
        if child is not None:
            child.event.disconnect(self._on_event)
            child.died.disconnect(self._on_died)
            child.stop()

    def _on_event(self, number: int, body: protocol.Event) -> None:
        waiting = self._waiting.get(number)
        if waiting is None:
            return
        if not isinstance(body, protocol.FINAL_EVENTS):
            if waiting.progress is not None:
                waiting.progress(body)
            return
        del self._waiting[number]
        if not self._waiting:
            self._idle.start()
        if isinstance(body, protocol.Failed):
            waiting.failed(error_of(body))
        else:
            waiting.done(body)

    def _on_died(self, death: ChildDeath) -> None:
        self._child = None
        waiting, self._waiting = list(self._waiting.values()), {}
        for each in waiting:
            each.failed(death.as_error())


def error_of(body: protocol.Failed) -> UserError:
    """The error that a child's failure stands for."""
    return UserError(body.title, body.advice, kind=body.kind, details=body.details, bad_input=body.bad_input)


def _ignore(body: protocol.Event) -> None:
    del body


def _ignore_error(error: UserError) -> None:
    del error
