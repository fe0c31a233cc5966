"""The speed test at the first start: about 20 seconds in a child, a calm line on Home, and it can be skipped."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Property, QObject, QTimer, Signal, Slot
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.core.speed_test import SpeedTest, computer_of
from snug.store import Store
from snug.ui.child_process import ChildDeath, ChildProcess
from snug.ui.children import Children
from snug.ui.machine_reader import MachineReader
from snug.worker import protocol
from snug.worker.speed_messages import SpeedMeasured
from snug.worker.speed_testing import keep_test, request_for

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1

WAIT_MS = 4000
"""The window is drawn and the computer read before the test takes the processor."""
TICK_MS = 500
OFF = "SNUG_NO_SPEED_TEST"
"""Set to 1, no test begins by itself: for tests, and for machines whose processor is not to be taken."""


@QmlElement
@QmlUncreatable("The application makes it")
class SpeedTestModel(QObject):
    """Runs once for each computer, and again at the next start where other programs were too busy to believe it."""

    changed = Signal()

    def __init__(
        self,
        reader: MachineReader,
        store: Store,
        children: Children,
        cache: Path,
        pip: Path,
        is_busy: Callable[[], bool],
        parent: QObject | None = None,
    ) -> None:
        """`is_busy` says whether a model is at work, which the test would disturb and which would disturb it."""
        super().__init__(parent)
        self._reader, self._store, self._children = reader, store, children
        self._cache, self._pip, self._is_busy = cache, pip, is_busy
        self._child: ChildProcess | None = None
        self._done, self._total = 0.0, 0.0
        self._is_over = False
        self._wait = QTimer(self, singleShot=True, interval=WAIT_MS)
        self._wait.timeout.connect(self.start)
        self._ticks = QTimer(self, interval=TICK_MS)
        self._ticks.timeout.connect(self._tick)
        reader.changed.connect(self._on_reader)

    @Property(bool, notify=changed)
    def isRunning(self) -> bool:
        return self._child is not None

    @Property(str, notify=changed)
    def text(self) -> str:
        """What is going on, and how long it still takes."""
        left = max(0.0, self._total - self._done)
        if self._total <= 0:
            return "Getting to know this computer…"
        if left < 1:
            return "Getting to know this computer… almost done"
        return f"Getting to know this computer… {math.ceil(left)} seconds left"

    @Slot()
    def skip(self) -> None:
        """Not now; it is offered again at the next start."""
        self._is_over = True
        self._wait.stop()
        self._end()

    def close(self) -> None:
        """The window closes."""
        self._wait.stop()
        self._ticks.stop()

    @Slot()
    def start(self) -> None:
        """Run it now; nothing while it runs, or while a model is at work."""
        machine = self._reader.machine
        if self._child is not None or machine is None:
            return
        if self._is_busy():
            self._wait.start()
            return
        self._cache.mkdir(parents=True, exist_ok=True)
        self._done = self._total = 0.0
        self._child = self._children.make("speed-test")
        self._child.event.connect(self._on_event)
        self._child.died.connect(self._on_died)
        self._child.send(request_for(machine, self._cache, self._pip))
        self._ticks.start()
        self.changed.emit()

    def _on_reader(self) -> None:
        """The computer has been read: test it, unless that was done."""
        machine = self._reader.machine
        if os.environ.get(OFF) == "1":
            return
        if self._is_over or not self._reader.is_fresh or machine is None or self._child is not None:
            return
        if self._wait.isActive():
            return
        if needs_test(self._store.machine.speed_test(), computer_of(machine)):
            self._wait.start()
        else:
            self._is_over = True

    def _tick(self) -> None:
        """Between the child's words time goes on; a model that is put to work has the processor to itself."""
        if self._is_busy():
            self._end()
            self._wait.start()
            return
        self._done += TICK_MS / 1000
        self.changed.emit()

    def _on_event(self, _number: int, event: protocol.Event) -> None:
        if isinstance(event, protocol.Progress):
            self._done, self._total = event.done, event.total
            self.changed.emit()
        elif isinstance(event, SpeedMeasured):
            machine = self._reader.machine
            if machine is not None:
                keep_test(self._store.machine, event, machine)
            self._is_over = True
            self._end()
            self._reader.relearn()
        elif isinstance(event, protocol.Failed):
            self._is_over = True
            self._end()

    def _on_died(self, _death: ChildDeath) -> None:
        """The estimates stay as they are; the child's log says why it died."""
        self._is_over = True
        self._end()

    def _end(self) -> None:
        self._ticks.stop()
        child, self._child = self._child, None
        if child is not None:
            child.stop()
        self.changed.emit()


def needs_test(last: SpeedTest | None, computer: str) -> bool:
    """Whether there is no test of that computer that can be believed."""
    return last is None or last.computer != computer or not last.is_quiet
