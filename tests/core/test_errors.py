"""The one exception whose words a person reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from snug.core.errors import UserError


@contextmanager
def something_open() -> Iterator[None]:
    yield


def test_a_user_error_passes_through_a_context_manager_unchanged() -> None:
    with pytest.raises(UserError, match="The disk is full"), something_open():
        raise UserError("The disk is full.", "Free 3.2 GB.", kind="disk-full")


def test_the_words_are_title_and_advice() -> None:
    assert str(UserError("The disk is full.", "Free 3.2 GB.")) == "The disk is full. Free 3.2 GB."
