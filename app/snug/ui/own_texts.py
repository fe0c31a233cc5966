"""The texts of the person's own that a conversion may read, as files for its child."""

from __future__ import annotations

from pathlib import Path

from snug.core.errors import UserError
from snug.store import Store
from snug.store.own_texts import CHATS, OWN_TEXT, write_conversations

MINE = "mine"
TEXTS = ("", "neutral", CHATS, MINE)
"""What the rounding is weighed by: nothing, Snug's own text, the person's conversations, a text of theirs."""


class OwnTexts:
    """Conversations are written into `cache` for as long as a child reads them, for this person only."""

    def __init__(self, store: Store, cache: Path) -> None:
        self._store = store
        self._cache = cache

    def to_learn_from(self, by: str, own_text: str) -> str:
        """What a conversion is handed for one of `TEXTS`. Raises UserError."""
        if by == CHATS:
            return str(write_conversations(self._store, self._cache))
        return own_text if by == MINE else by

    def to_measure_on(self, own_text: str) -> str:
        """A text to measure a result on: the person's, else their conversations; "" where there is neither."""
        if own_text:
            return own_text
        try:
            return str(write_conversations(self._store, self._cache))
        except UserError:
            return ""

    def forget(self) -> None:
        """Nobody reads the conversations any more."""
        (self._cache / OWN_TEXT).unlink(missing_ok=True)
