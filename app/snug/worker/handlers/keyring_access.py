"""Asks the system's keyring, in a child: it may wait for the person to unlock it."""

from __future__ import annotations

import keyring
import keyring.errors

from snug.core.errors import UserError
from snug.worker import protocol
from snug.worker.loop import Job

SERVICE = "Snug"


def read_secret(name: str) -> str:
    """The secret, "" where there is none or the keyring does not give it out."""
    try:
        return keyring.get_password(SERVICE, name) or ""
    except keyring.errors.KeyringError:
        return ""


def ask(request: protocol.AskKeyring, job: Job) -> protocol.KeyringAnswer:
    """Read, keep or forget one secret. A computer without a keyring answers that nothing is kept."""
    del job
    if request.action == "read":
        secret = read_secret(request.name)
        return protocol.KeyringAnswer(secret=secret, is_kept=bool(secret))
    try:
        if request.action == "keep":
            keyring.set_password(SERVICE, request.name, request.secret)
            return protocol.KeyringAnswer(is_kept=True)
        if request.action == "forget":
            keyring.delete_password(SERVICE, request.name)
            return protocol.KeyringAnswer()
    except keyring.errors.KeyringError:
        return protocol.KeyringAnswer()
    raise UserError("That is nothing to ask a keyring for.", kind="bad-request", bad_input=True)
