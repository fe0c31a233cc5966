"""What would change the picks of a screen, looked for a few models a turn, so that the window stays awake."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from PySide6.QtCore import QObject, QTimer, Signal

from snug.core.catalogue import CatalogueEntry
from snug.core.machine import Machine
from snug.core.quality import Measured
from snug.core.recommend import Pick
from snug.core.what_changes import changes_in_turns

WAIT_MS = 400
"""The screen is drawn first."""


class PickChanges(QObject):
    """`found` carries one sentence for each pick, "" where nothing usual would change it."""

    found = Signal(tuple)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._left: Iterator[tuple[str, ...]] = iter(())
        self._sentences: tuple[str, ...] = ()
        self._wait = QTimer(self, singleShot=True, interval=WAIT_MS)
        self._turn = QTimer(self, interval=0)
        self._wait.timeout.connect(self._turn.start)
        self._turn.timeout.connect(self._go_on)

    def look(
        self,
        catalogue: Sequence[CatalogueEntry],
        machine: Machine,
        use: str,
        picks: Sequence[Pick],
        *,
        here: Collection[tuple[str, str]] = (),
        measured: Measured | None = None,
    ) -> None:
        """Look for these picks; what was looked for before is forgotten."""
        self.stop()
        if picks:
            self._left = changes_in_turns(catalogue, machine, use, picks, here=here, measured=measured)
            self._sentences = ("",) * len(picks)
            self._wait.start()

    def stop(self) -> None:
        """Nothing is looked for any more."""
        self._wait.stop()
        self._turn.stop()
        self._left = iter(())

    def _go_on(self) -> None:
        sentences = next(self._left, None)
        if sentences is None:
            self._turn.stop()
            self.found.emit(self._sentences)
        else:
            self._sentences = sentences
