"""The errors of checkpoints that cannot be used, in one place and one tone."""

from __future__ import annotations

from snug.core.errors import UserError


def bad_checkpoint(what: str, details: str = "") -> UserError:
    """The error for a checkpoint that is damaged, incomplete or contradicts itself."""
    return UserError(
        f"This model's files cannot be used: {what}.",
        "Get them again from where they came from, or choose another model.",
        kind="bad-checkpoint",
        details=details,
        bad_input=True,
    )


def not_supported(what: str, advice: str, details: str = "") -> UserError:
    """The error for a checkpoint that is whole, but of a kind that Snug does not read."""
    return UserError(f"{what}.", advice, kind="not-supported", details=details, bad_input=True)
