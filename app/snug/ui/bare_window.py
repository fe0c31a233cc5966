"""A bare QML window, nothing of Snug in it: the yardstick of `snug bench start`, which runs it as a script."""

from __future__ import annotations

import sys
import time

from PySide6.QtGui import QGuiApplication
from PySide6.QtQml import QQmlApplicationEngine

WINDOW = b"""
import QtQuick

Window {
    width: 1080
    height: 720
    visible: true

    Text {
        anchors.centerIn: parent
        text: "Hello"
    }
}
"""


class FirstFrame:
    """Reports the first frame, and no other."""

    def __init__(self) -> None:
        self._is_reported = False

    def report(self) -> None:
        if not self._is_reported:
            self._is_reported = True
            print("first-frame", time.monotonic_ns(), flush=True)


def main() -> int:
    """Shows the window until it is closed."""
    app = QGuiApplication(sys.argv[:1])
    engine = QQmlApplicationEngine()
    first_frame = FirstFrame()
    engine.objectCreated.connect(lambda window, url: window.frameSwapped.connect(first_frame.report))
    engine.loadData(WINDOW)
    return app.exec()


if __name__ == "__main__":
    sys.exit(main())
