"""Secrets of the person: in the system's keyring, or for this session only where there is none."""

from __future__ import annotations

import logging

from snug.core.errors import UserError
from snug.store import Settings

logger = logging.getLogger("snug.ui.secrets")

SERVICE = "Snug"
KEPT = "kept in this computer's keyring"
SESSION_ONLY = "kept only until Snug closes: this computer has no keyring"


class SecretKeeper:
    """Reads a secret when it is first asked for; the settings know whether one was kept, without asking the keyring."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session: dict[str, str] = {}
        self._known: dict[str, str] = {}

    def get(self, key: str) -> str:
        """The secret, or ""."""
        if key in self._session:
            return self._session[key]
        if key not in self._known:
            self._known[key] = _read(key) if self._is_kept(key) else ""
        return self._known[key]

    def keep(self, key: str, value: str) -> None:
        """Keep a secret; an empty one is forgotten. Raises UserError where it cannot be a secret at all."""
        secret = value.strip()
        if any(not 32 < ord(character) < 127 for character in secret) or len(secret) > 500:
            raise UserError("This is not an access token.", "Copy it again, without spaces.", bad_input=True)
        self.forget(key)
        if secret and not _write(key, secret):
            self._session[key] = secret
        elif secret:
            self._settings.set(f"{key}_kept", True)
            self._known[key] = secret

    def forget(self, key: str) -> None:
        """Remove it everywhere."""
        self._session.pop(key, None)
        if self._is_kept(key):
            _delete(key)
            self._settings.reset(f"{key}_kept")
        self._known[key] = ""

    def state(self, key: str) -> str:
        """Where the secret is kept, in words; "" where there is none."""
        if self._session.get(key):
            return SESSION_ONLY
        return KEPT if self._is_kept(key) else ""

    def _is_kept(self, key: str) -> bool:
        return bool(self._settings.get(f"{key}_kept"))


def _read(key: str) -> str:
    import keyring
    import keyring.errors

    try:
        return keyring.get_password(SERVICE, key) or ""
    except keyring.errors.KeyringError:
        return ""


def _write(key: str, secret: str) -> bool:
    import keyring
    import keyring.errors

    try:
        keyring.set_password(SERVICE, key, secret)
    except keyring.errors.KeyringError as error:
        logger.info("no keyring: %s", type(error).__name__)
        return False
    return True


def _delete(key: str) -> None:
    import keyring
    import keyring.errors

    try:
        keyring.delete_password(SERVICE, key)
    except keyring.errors.KeyringError as error:
        logger.info("nothing deleted from the keyring: %s", type(error).__name__)
