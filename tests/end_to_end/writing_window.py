"""A whole app that never stops chatting with Pip, and says on stdout what it has promised to keep; to be killed."""

from __future__ import annotations

import os
import sys

from PySide6.QtCore import QTimer

from snug.main import Rooms, make_application
from snug.paths import user_paths


class Chatterer:
    """Sends one message after the other; prints "sent NUMBER" once the app has shown it as sent."""

    def __init__(self, rooms: Rooms, first: int) -> None:
        self._rooms = rooms
        self._number = first
        self._timer = QTimer(rooms, interval=10)
        self._timer.timeout.connect(self._go_on)
        self._timer.start()

    def _go_on(self) -> None:
        chat = getattr(self._rooms, "chat", None)
        if chat is None:
            return
        chat.refresh()
        composer = chat._composer
        if not composer.property("isAnswering") and composer.send(f"message {self._number}: tell me a long story"):
            print("sent", self._number, flush=True)
            self._number += 1
            if self._number % 7 == 0:
                chat.newChat()


def main() -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("QT_QUICK_BACKEND", "software")
    app = make_application()
    rooms = Rooms(user_paths(), app)
    rooms.window.first_frame.connect(rooms.open_soon)
    rooms.window.show()
    chatterer = Chatterer(rooms, int(sys.argv[1]))
    app.exec()
    del chatterer


if __name__ == "__main__":
    main()
