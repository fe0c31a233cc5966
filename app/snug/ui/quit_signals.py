"""SIGTERM, SIGINT and SIGHUP end the event loop, so that everything is saved on the way out."""

from __future__ import annotations

import contextlib
import os
import signal
import sys

from PySide6.QtCore import QObject, QSocketNotifier, QTimer, Signal

CHECK_MS = 200


class QuitSignals(QObject):
    """Emits `asked` in the event loop when the system asks the process to end."""

    asked = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        if sys.platform == "win32":
            # Python looks at signals only while it runs: a slow timer gives it the chance.
            timer = QTimer(self, interval=CHECK_MS)
            timer.timeout.connect(lambda: None)
            timer.start()
        else:
            self._near, far = os.pipe()
            os.set_blocking(self._near, False)
            os.set_blocking(far, False)
            signal.set_wakeup_fd(far, warn_on_full_buffer=False)
            self._notifier = QSocketNotifier(self._near, QSocketNotifier.Type.Read, self)
            self._notifier.activated.connect(self._drain)
        for name in ("SIGTERM", "SIGINT", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None:
                signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: object) -> None:
        self.asked.emit()

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._near, 64)
