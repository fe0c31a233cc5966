"""What keeps a model from being looked at or made: in words, with the button that mends it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.core.errors import UserError
from snug.ui.conversion_source import FINISHED_FILE
from snug.ui.downloads import PAGE_KINDS, SETTINGS_KINDS

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1


@QmlElement
@QmlUncreatable("The application makes it")
class ConversionProblem(QObject):
    """The last error. `mended` asks for another try, the other two signals lead elsewhere."""

    changed = Signal()
    mended = Signal()
    settingsRequested = Signal()
    searchRequested = Signal(str)

    def __init__(self, page_root: Callable[[], str], repo: Callable[[], str], parent: QObject | None = None) -> None:
        """`page_root` is the Hub's address, `repo` the repository that the source's line names."""
        super().__init__(parent)
        self._page_root = page_root
        self._repo = repo
        self._error: UserError | None = None

    def show(self, error: UserError | None) -> None:
        """Show this error; None takes the words away."""
        if error is not self._error:
            self._error = error
            self.changed.emit()

    @property
    def is_there(self) -> bool:
        return self._error is not None

    @Property(str, notify=changed)
    def title(self) -> str:
        return self._error.title if self._error else ""

    @Property(str, notify=changed)
    def advice(self) -> str:
        return self._error.advice if self._error else ""

    @Property(str, notify=changed)
    def details(self) -> str:
        return self._error.details if self._error else ""

    @Property(str, notify=changed)
    def action(self) -> str:
        """The words of the button that mends it; "" where only another line would."""
        if self._error is None or self._error.kind == "no-source":
            return ""
        if self._error.kind in SETTINGS_KINDS:
            return "Open Settings"
        return "Show it in Discover" if self._error.kind == FINISHED_FILE else "Try again"

    @Property(str, notify=changed)
    def pageAddress(self) -> str:
        """The model's page, where its makers' terms are accepted; "" where that is not what keeps it."""
        if self._error is None or self._error.kind not in PAGE_KINDS:
            return ""
        return f"{self._page_root().rstrip('/')}/{quote(self._repo())}"

    @Slot()
    def mend(self) -> None:
        """What the button does."""
        if self._error is None:
            return
        if self._error.kind in SETTINGS_KINDS:
            self.settingsRequested.emit()
        elif self._error.kind == FINISHED_FILE:
            self.searchRequested.emit(self._error.details)
        else:
            self.mended.emit()
