"""The one object that QML is handed: which screen is shown, the look, notices, and each screen's view-model."""

from __future__ import annotations

from PySide6.QtCore import Property, QObject, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.core.errors import UserError
from snug.ui.first_look import FirstLook

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1

SCREENS = ("home", "discover", "library", "chat", "fit", "downloads", "settings")
"""The places of the rail, in its order."""
FURTHER_SCREENS = ("whatif", "calculator")
"""Screens that others lead to."""


@QmlElement
@QmlUncreatable("The application makes it")
class AppModel(QObject):
    """Knows the screens by name only; `install` hands it a screen's view-model when that exists."""

    screenChanged = Signal()
    lookChanged = Signal()
    modelsChanged = Signal()
    noticeChanged = Signal()
    troubleChanged = Signal()
    progressChanged = Signal()
    toast = Signal(str)
    raised = Signal()

    def __init__(self, look: FirstLook, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._screen = "home"
        self._models: dict[str, QObject] = {}
        self._notices: list[tuple[str, str]] = []
        self._trouble = UserError("")
        self._progress = -1.0
        hints = QGuiApplication.styleHints()
        hints.colorSchemeChanged.connect(self._on_system_colours)

    # --- where the window is

    @Property(str, notify=screenChanged)
    def screen(self) -> str:
        return self._screen

    @Slot(str)
    def show(self, screen: str) -> None:
        """Go to a screen."""
        if screen in (*SCREENS, *FURTHER_SCREENS) and screen != self._screen:
            self._screen = screen
            self.screenChanged.emit()

    # --- the look

    @Property(bool, notify=lookChanged)
    def dark(self) -> bool:
        if self._look.theme == "system":
            return QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return self._look.theme == "dark"

    @Property(float, notify=lookChanged)
    def textScale(self) -> float:
        return self._look.text_size / 100

    @Property(bool, notify=lookChanged)
    def reducedMotion(self) -> bool:
        return self._look.reduced_motion

    def set_look(self, look: FirstLook) -> None:
        if look != self._look:
            self._look = look
            self.lookChanged.emit()

    def _on_system_colours(self) -> None:
        self.lookChanged.emit()

    # --- the screens' view-models; null until the store is open

    @Property(QObject, notify=modelsChanged)
    def home(self) -> QObject | None:
        return self._models.get("home")

    @Property(QObject, notify=modelsChanged)
    def discover(self) -> QObject | None:
        return self._models.get("discover")

    @Property(QObject, notify=modelsChanged)
    def library(self) -> QObject | None:
        return self._models.get("library")

    @Property(QObject, notify=modelsChanged)
    def chat(self) -> QObject | None:
        return self._models.get("chat")

    @Property(QObject, notify=modelsChanged)
    def fit(self) -> QObject | None:
        return self._models.get("fit")

    @Property(QObject, notify=modelsChanged)
    def downloads(self) -> QObject | None:
        return self._models.get("downloads")

    @Property(QObject, notify=modelsChanged)
    def settings(self) -> QObject | None:
        return self._models.get("settings")

    @Property(QObject, notify=modelsChanged)
    def whatif(self) -> QObject | None:
        return self._models.get("whatif")

    @Property(QObject, notify=modelsChanged)
    def calculator(self) -> QObject | None:
        return self._models.get("calculator")

    def install(self, models: dict[str, QObject]) -> None:
        """Hand over the view-models, by screen."""
        self._models.update(models)
        self.modelsChanged.emit()

    # --- progress of all downloads, for the rail: 0 to 1, below 0 for none

    @Property(float, notify=progressChanged)
    def downloadProgress(self) -> float:
        return self._progress

    def set_download_progress(self, progress: float) -> None:
        if progress != self._progress:
            self._progress = progress
            self.progressChanged.emit()

    # --- notices and troubles

    @Property(str, notify=noticeChanged)
    def noticeTitle(self) -> str:
        return self._notices[0][0] if self._notices else ""

    @Property(str, notify=noticeChanged)
    def noticeText(self) -> str:
        return self._notices[0][1] if self._notices else ""

    @Slot()
    def dismissNotice(self) -> None:
        if self._notices:
            self._notices.pop(0)
            self.noticeChanged.emit()

    def add_notice(self, title: str, text: str) -> None:
        """A calm banner, until it is read."""
        self._notices.append((title, text))
        self.noticeChanged.emit()

    @Property(str, notify=troubleChanged)
    def troubleTitle(self) -> str:
        return self._trouble.title

    @Property(str, notify=troubleChanged)
    def troubleText(self) -> str:
        return self._trouble.advice

    @Property(str, notify=troubleChanged)
    def troubleDetails(self) -> str:
        return self._trouble.details

    def set_trouble(self, trouble: UserError) -> None:
        """What keeps Snug from working at all; shown instead of the screens."""
        self._trouble = trouble
        self.troubleChanged.emit()

    @Slot(str)
    def copy(self, text: str) -> None:
        """Put a text on the clipboard."""
        QGuiApplication.clipboard().setText(text)
