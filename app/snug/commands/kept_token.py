"""The access token that the person gave to the window, read from the system's keyring."""

from __future__ import annotations

from snug.store import Settings

SERVICE, KEY = "Snug", "network.token"


def kept_token(settings: Settings) -> str:
    """The token, "" where none was kept or the keyring does not give it out."""
    if not settings.get(f"{KEY}_kept"):
        return ""
    import keyring
    import keyring.errors

    try:
        return keyring.get_password(SERVICE, KEY) or ""
    except keyring.errors.KeyringError:
        return ""
