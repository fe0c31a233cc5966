"""Makes the window's child processes, and ends them all when the window closes."""

from __future__ import annotations

import weakref
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from snug.ui.child_process import ChildProcess
from snug.ui.restart_limit import RestartLimit
from snug.worker.death import MemoryFacts
from snug.worker.environment import KEYRING_VARIABLES


class Children(QObject):
    """One place that starts children: `kind` ("machine", "hub", "chat", "download") shares a limit of restarts."""

    def __init__(self, logs: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._logs = logs
        self._limits: dict[str, RestartLimit] = {}
        self._made: weakref.WeakSet[ChildProcess] = weakref.WeakSet()

    def make(self, kind: str, *, memory: MemoryFacts | None = None, parent: QObject | None = None) -> ChildProcess:
        """A new child; it starts with its first request and belongs to `parent` (this object by default)."""
        limit = self._limits.setdefault(kind, RestartLimit())
        variables = KEYRING_VARIABLES if kind == "keyring" else ()
        child = ChildProcess(
            self._logs, restarts=limit, memory=memory, keeper=self, variables=variables, parent=parent or self
        )
        child.gone.connect(self._let_go)
        self._made.add(child)
        return child

    def make_sized(self, kind: str, memory: MemoryFacts | None) -> ChildProcess:
        """A new child whose death is explained with these figures of memory."""
        return self.make(kind, memory=memory)

    def _let_go(self) -> None:
        """A child that was stopped and whose process is gone needs no parent any more: Python may collect it."""
        QTimer.singleShot(0, self, partial(_orphan, self.sender(), self))

    def kill_all(self) -> None:
        """End every child at once; each is safe to kill at any instant."""
        for child in list(self._made):
            child.kill()


def _orphan(child: QObject, keeper: QObject) -> None:
    if child.parent() is keeper:
        child.setParent(None)
