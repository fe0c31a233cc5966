"""The errors of tokenizers that cannot be used, in one tone."""

from __future__ import annotations

from snug.core.errors import UserError


def bad_tokenizer(what: str, details: str = "") -> UserError:
    """The error for a tokenizer that is damaged, incomplete or contradicts itself."""
    return UserError(
        f"This model's tokenizer cannot be used: {what}.",
        "Get the model's files again from where they came from, or choose another source of it.",
        kind="bad-tokenizer",
        details=details,
        bad_input=True,
    )


def no_tokenizer(wanted: str, found: str) -> UserError:
    """The error for a checkpoint that lacks the files of its tokenizer."""
    return UserError(
        f"This model's tokenizer is missing: there is no {wanted}.",
        "Put the model's tokenizer files into its folder; without them its text cannot be read.",
        kind="no-tokenizer",
        details=f"found {found or 'no tokenizer files'}",
        bad_input=True,
    )
