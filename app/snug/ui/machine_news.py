"""What is new or odd about this computer, for the machine card: changes until they are noted, differing sources."""

from __future__ import annotations

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.core.machine_words import disagreement_words
from snug.ui.machine_reader import MachineReader

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1


@QmlElement
@QmlUncreatable("The application makes it")
class MachineNews(QObject):
    """`changed` follows the reader; the texts hold one sentence a line."""

    changed = Signal()

    def __init__(self, reader: MachineReader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reader = reader
        self._shown = ("", "")
        reader.changed.connect(self._on_reader)
        self._on_reader()

    @Property(str, notify=changed)
    def changesText(self) -> str:
        """What changed since the person last noted it; empty where nothing did."""
        return self._shown[0]

    @Property(str, notify=changed)
    def differencesText(self) -> str:
        """Where the system and the engine say different things, and which Snug believes."""
        return self._shown[1]

    @Slot()
    def note(self) -> None:
        """The person has read what changed."""
        self._reader.note_changes()

    def _on_reader(self) -> None:
        differences = self._reader.known().disagreements
        shown = ("\n".join(self._reader.changes()), "\n".join(map(disagreement_words, differences)))
        if shown != self._shown:
            self._shown = shown
            self.changed.emit()
