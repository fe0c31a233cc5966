"""The QML window: engine, icons, the first frame, and where the window stood."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import shiboken6
from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QGuiApplication, QWindow
from PySide6.QtQml import QQmlApplicationEngine
from PySide6.QtQuick import QQuickWindow

from snug.core.errors import UserError
from snug.ui.app_model import AppModel
from snug.ui.first_look import FirstLook
from snug.ui.icons import IconProvider


class Window(QObject):
    """The one window. `first_frame` comes when it has been drawn for the first time."""

    first_frame = Signal()
    closed = Signal()

    def __init__(self, resources: Path, app_model: AppModel, look: FirstLook, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._look = look
        self._was_drawn = False
        self.engine = QQmlApplicationEngine(self)
        self.engine.addImportPath(str(resources / "qml"))
        self.engine.addImageProvider("icon", IconProvider(resources / "icons"))
        self.engine.setInitialProperties({"app": app_model, **_place(look)})
        self.engine.load(QUrl.fromLocalFile(str(resources / "qml" / "Snug" / "Main.qml")))
        if not self.engine.rootObjects():
            raise UserError("The window cannot be drawn.", "Install Snug again.", kind="no-window")
        view = self.engine.rootObjects()[0]
        assert isinstance(view, QQuickWindow)
        self.view = view
        self.view.frameSwapped.connect(self._on_frame)
        self.view.closing.connect(self.closed)

    def show(self) -> None:
        if self._look.maximised:
            self.view.showMaximized()
        else:
            self.view.show()
        self.view.requestActivate()  # without a window manager nobody else gives it the keyboard

    def place(self, look: FirstLook) -> FirstLook:
        """`look` with the place where the window stands now."""
        if self.view.visibility() == QWindow.Visibility.Maximized:
            return replace(look, maximised=True)
        at = self.view.geometry()
        return replace(look, maximised=False, x=at.x(), y=at.y(), width=at.width(), height=at.height())

    def dispose(self) -> None:
        """Take the window apart before the view-models go, so that no binding looks at what is gone."""
        self.view.hide()
        shiboken6.delete(self.engine)

    def _on_frame(self) -> None:
        if not self._was_drawn:
            self._was_drawn = True
            self.view.frameSwapped.disconnect(self._on_frame)
            self.first_frame.emit()


def _place(look: FirstLook) -> dict[str, object]:
    place: dict[str, object] = {"width": look.width, "height": look.height}
    if look.x is not None and look.y is not None and _is_on_a_screen(look.x, look.y, look.width):
        place |= {"x": look.x, "y": look.y}
    return place


def _is_on_a_screen(x: int, y: int, width: int) -> bool:
    """Whether enough of the title bar would be within reach."""
    return any(
        area.left() - width + 120 <= x <= area.right() - 120 and area.top() - 8 <= y <= area.bottom() - 80
        for area in (screen.availableGeometry() for screen in QGuiApplication.screens())
    )
