"""What this computer is: the last reading at once, then a new one from a child that ends afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from snug.core.corrections import checked_correction
from snug.core.errors import UserError
from snug.core.known_files import KnownFiles
from snug.core.machine import Machine
from snug.core.machine_changes import machine_changes
from snug.core.speed_learning import believed
from snug.core.steady_bandwidth import with_best_bandwidth
from snug.store import Store
from snug.ui.child_process import ChildDeath, ChildProcess
from snug.ui.children import Children
from snug.worker import protocol


class MachineReader(QObject):
    """`machine` is what was read, with the person's corrections; None only before the very first reading.

    `held` says what a model that Snug has loaded holds at that time, `files` what is known of the library's models.
    """

    changed = Signal()

    def __init__(
        self, store: Store, children: Children, models_folder: Callable[[], str], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._children = children
        self._models_folder = models_folder
        self._child: ChildProcess | None = None
        self.held: Callable[[], Mapping[str, int]] = dict
        self.files: Callable[[], KnownFiles] = dict
        self._read: Machine | None = store.machine.last()
        self.machine: Machine | None = self._corrected()
        self.is_fresh = False
        self.doing = ""
        self.problem: UserError | None = None

    @property
    def is_reading(self) -> bool:
        return self._child is not None

    def known(self) -> Machine:
        """The machine for estimates: an empty one while nothing is known."""
        return self.machine or Machine()

    def read(self) -> None:
        """Read it again; nothing while a reading is under way."""
        if self._child is not None:
            return
        self.problem = None
        self.doing = ""
        self._child = self._children.make("machine")
        self._child.event.connect(self._on_event)
        self._child.died.connect(self._on_died)
        self._child.send(protocol.ReadMachine(models_folder=self._models_folder()))
        self.changed.emit()

    def changes(self) -> tuple[str, ...]:
        """What changed since the person last noted it, hardware and drivers only, one sentence each."""
        noted = self._store.machine.noted() if self._read is not None else None
        return machine_changes(noted, self._read) if noted is not None and self._read is not None else ()

    def note_changes(self) -> None:
        """The person knows of everything that changed until now."""
        if self._read is not None:
            self._store.machine.note(self._read)
            self.changed.emit()

    def correct(self, key: str, amount: object) -> None:
        """Believe the person's figure, in its own unit. Raises UserError that says what it must be."""
        self._store.machine.set_correction(key, checked_correction(self.known(), key, amount))
        self.machine = self._corrected()
        self.changed.emit()

    def take_back(self, key: str) -> None:
        """Believe what was read again."""
        self._store.machine.set_correction(key, None)
        self.machine = self._corrected()
        self.changed.emit()

    def relearn(self) -> None:
        """A speed test or a chat has taught something: estimate again."""
        self.machine = self._corrected()
        self.changed.emit()

    def _corrected(self) -> Machine | None:
        if self._read is None:
            return None
        measured = [(model.facts, model.measured_tokens_per_s) for model in self._store.models.all()]
        memory = self._store.machine
        machine = believed(self._read, memory.corrections(), measured, memory.speed_test())
        return replace(machine, known_files=self.files(), arriving=self._store.downloads.arriving())

    def _on_event(self, _number: int, event: protocol.Event) -> None:
        if isinstance(event, protocol.Progress):
            self.doing = event.doing
        elif isinstance(event, protocol.MachineRead):
            self._read = replace(with_best_bandwidth(event.machine, self._read), gives_back=self.held())
            self.machine = self._corrected()
            self.is_fresh = True
            self._store.machine.remember(self._read)
            self._end(None)
        elif isinstance(event, protocol.Failed):
            self._end(UserError(event.title, event.advice, kind=event.kind, details=event.details))
        else:
            return
        self.changed.emit()

    def _on_died(self, death: ChildDeath) -> None:
        self._end(UserError("This computer could not be read.", death.advice, kind=death.kind, details=death.details))
        self.changed.emit()

    def _end(self, problem: UserError | None) -> None:
        self.problem = problem
        child, self._child = self._child, None
        if child is not None:
            child.stop()
