"""One conversion in a child of its own: asked for, followed, stopped, and gone on with after a stop or a restart."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from snug.core.errors import UserError
from snug.ui.child_requests import ChildRequests
from snug.worker import protocol
from snug.worker.conversion_messages import ConversionDone, ConversionProgress, Convert, DiscardConversion


class ConversionRun(QObject):
    """`changed` with every step; `done` with the finished file. The child ends with the work: its memory is free."""

    changed = Signal()
    done = Signal(object)
    failed = Signal(object)
    stopped = Signal()

    def __init__(self, child: ChildRequests, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._child = child
        self._number = 0
        self.request: Convert | None = None
        self.progress: ConversionProgress | None = None
        self.is_stopping = False

    @property
    def is_running(self) -> bool:
        return self._number != 0

    def start(self, request: Convert) -> None:
        """Begin, or go on with what the same request left unfinished; nothing while one is running."""
        if self.is_running:
            return
        self.request, self.progress, self.is_stopping = request, None, False
        self._number = self._child.ask(request, self._on_done, self._on_failed, self._on_progress)
        self.changed.emit()

    def stop(self) -> None:
        """Stop soon; what is finished so far stays and is gone on with."""
        if self.is_running and not self.is_stopping:
            self.is_stopping = True
            self._child.cancel(self._number)
            self.changed.emit()

    def discard(self, out: str, then: Callable[[], None]) -> None:
        """Remove what an unfinished conversion to `out` left."""
        self._child.ask(DiscardConversion(out=out), lambda _: then(), lambda _: then())

    def _on_progress(self, event: protocol.Event) -> None:
        if not isinstance(event, ConversionProgress):
            return
        before = self.progress
        is_fetching = before is not None and before.stage == "fetching" and before.done_bytes < before.total_bytes
        if is_fetching and event.stage == "converting":
            return  # between two shards the file is made: what takes long is the fetching
        self.progress = event
        self.changed.emit()

    def _on_done(self, event: protocol.Event) -> None:
        self._end()
        if isinstance(event, ConversionDone):
            self.done.emit(event)
        else:
            self.stopped.emit()

    def _on_failed(self, error: UserError) -> None:
        self._end()
        self.failed.emit(error)

    def _end(self) -> None:
        self._number = 0
        self.progress = None
        self.is_stopping = False
        if not self._child.is_busy:
            self._child.stop()
        self.changed.emit()
