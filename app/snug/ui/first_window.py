"""One window per home folder: the first one listens, a second start asks it to come to the front."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

ASK_LIMIT_S = 15.0
TRY_EVERY_MS = 100
MESSAGE = b"show"


def address_of(home: Path) -> str:
    """The name under which the window of this home listens."""
    return f"snug-{hashlib.sha256(str(home.absolute()).encode()).hexdigest()[:20]}"


class FirstWindowServer(QObject):
    """Listens for second starts; only this user may connect. To be made by the holder of the instance lock."""

    asked = Signal()

    def __init__(self, home: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._answer)
        address = address_of(home)
        QLocalServer.removeServer(address)  # what a killed window left behind; the lock says that none lives
        self._server.listen(address)

    def close(self) -> None:
        self._server.close()

    def _answer(self) -> None:
        connection = self._server.nextPendingConnection()
        connection.disconnected.connect(connection.deleteLater)
        connection.write(MESSAGE)
        connection.flush()
        connection.disconnectFromServer()
        self.asked.emit()


def ask_first_window(home: Path) -> bool:
    """Ask the window of this home to come to the front; whether it answered within `ASK_LIMIT_S`."""
    deadline = time.monotonic() + ASK_LIMIT_S
    while time.monotonic() < deadline:
        socket = QLocalSocket()
        socket.connectToServer(address_of(home))
        if socket.waitForConnected(TRY_EVERY_MS):
            return socket.bytesAvailable() > 0 or socket.waitForReadyRead(round(ASK_LIMIT_S * 1000))
        time.sleep(TRY_EVERY_MS / 1000)  # the first window may be about to listen
    return False
