"""The access token that the person gave to the window, read from the system's keyring."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snug.store import Settings

KEY = "network.token"


def kept_token(settings: Settings) -> str:
    """The token, "" where none was kept or the keyring does not give it out."""
    if not settings.get(f"{KEY}_kept"):
        return ""
    from snug.worker.handlers.keyring_access import read_secret  # slow to load: only who kept a token pays

    return read_secret(KEY)
