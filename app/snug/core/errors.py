"""The one exception whose words a person reads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(eq=False)  # not frozen: contextlib and traceback set __traceback__ on what passes through them
class UserError(Exception):
    """The world failed or the input is bad: what happened, and what the person can do.

    `kind` is a stable short word that code may branch on ("no-network", "disk-full", "bad-file"…);
    `bad_input` is True where the person's input is at fault (exit code 2) and False where the world
    failed (exit code 1); `details` is technical text for the fold-out and the log, without secrets.
    """

    title: str
    advice: str = ""
    kind: str = "error"
    details: str = ""
    bad_input: bool = False

    def __str__(self) -> str:
        return f"{self.title} {self.advice}".strip()
