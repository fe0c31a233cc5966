"""Secrets of the person: in the system's keyring, or for this session only where there is none."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from snug.core.errors import UserError
from snug.store import Settings
from snug.ui.child_requests import ChildRequests
from snug.worker import protocol

logger = logging.getLogger("snug.ui.secrets")

KEPT = "kept in this computer's keyring"
SESSION_ONLY = "kept only until Snug closes: this computer has no keyring"
PATIENCE_MS = 5000


class SecretKeeper(QObject):
    """Holds secrets while the window is open; a child asks the keyring, which may wait for the person to unlock it.

    The settings know whether a secret was kept, so the keyring is asked only then. `changed` carries the key of a
    secret whose place is now known.
    """

    changed = Signal(str)

    def __init__(self, settings: Settings, keyring: ChildRequests, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self._keyring = keyring
        self._values: dict[str, str] = {}

    def get(self, key: str) -> str:
        """The secret, or "" where there is none or it is not known yet."""
        return self._values.get(key, "")

    def load(self, key: str, then: Callable[[], None]) -> None:
        """Fetch a kept secret, then go on; also without it, when the keyring takes longer than `PATIENCE_MS`."""
        if not self._is_kept(key):
            then()
            return
        waiting = QTimer(self, singleShot=True, interval=PATIENCE_MS)
        waiting.timeout.connect(then)
        waiting.start()

        def go_on() -> None:
            if waiting.isActive():
                waiting.stop()
                then()

        def read(answer: protocol.Event) -> None:
            if isinstance(answer, protocol.KeyringAnswer) and key not in self._values:
                self._values[key] = answer.secret
                self.changed.emit(key)
            go_on()

        def failed(error: UserError) -> None:
            logger.info("the keyring could not be read: %s", error.kind)
            go_on()

        self._keyring.ask(protocol.AskKeyring(action="read", name=key), read, failed)

    def keep(self, key: str, value: str) -> None:
        """Keep a secret; an empty one is forgotten. Raises UserError where it cannot be a secret at all."""
        secret = value.strip()
        if any(not 32 < ord(character) < 127 for character in secret) or len(secret) > 500:
            raise UserError("This is not an access token.", "Copy it again, without spaces.", bad_input=True)
        self.forget(key)
        if not secret:
            return
        self._values[key] = secret
        request = protocol.AskKeyring(action="keep", name=key, secret=secret)
        self._keyring.ask(request, partial(self._on_kept, key, secret), partial(self._on_not_kept, key))

    def forget(self, key: str) -> None:
        """Remove it everywhere."""
        self._values[key] = ""
        if self._is_kept(key):
            self._settings.reset(f"{key}_kept")
            request = protocol.AskKeyring(action="forget", name=key)
            self._keyring.ask(request, lambda _: None, partial(self._on_not_kept, key))

    def state(self, key: str) -> str:
        """Where the secret is kept, in words; "" where there is none."""
        if self._is_kept(key):
            return KEPT
        return SESSION_ONLY if self._values.get(key) else ""

    def _on_kept(self, key: str, secret: str, answer: protocol.Event) -> None:
        if isinstance(answer, protocol.KeyringAnswer) and answer.is_kept and self._values.get(key) == secret:
            self._settings.set(f"{key}_kept", True)
            self.changed.emit(key)

    def _on_not_kept(self, key: str, error: UserError) -> None:
        logger.info("the keyring did not take it: %s", error.kind)
        self.changed.emit(key)

    def _is_kept(self, key: str) -> bool:
        return bool(self._settings.get(f"{key}_kept"))
