"""A reply while it is written: its rows for the screen, and its text saved at least once a second."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from snug.store.rows import LibraryModel, MessageRow
from snug.ui.chat_row_building import Palette, ReplyRows
from snug.worker import protocol

if TYPE_CHECKING:
    from snug.store import Store

SAVE_MS = 500
"""Twice as often as is promised: a kill at any time loses at most the last second."""


class OpenReply(QObject):
    """Saves what was written every half second; `guarded` runs a write and tells the person where it fails."""

    def __init__(
        self,
        store: Store,
        message: MessageRow,
        model: LibraryModel,
        palette: Palette,
        guarded: Callable[[Callable[[], object]], bool],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.message = message
        self.model = model
        self.rows = ReplyRows(message, palette)
        self._store = store
        self._guarded = guarded
        self._saved_length = 0
        self._timer = QTimer(self, interval=SAVE_MS)
        self._timer.timeout.connect(self._save)
        self._timer.start()

    @property
    def has_text(self) -> bool:
        return bool(self.rows.text.strip())

    def close(self, state: str, done: protocol.GenerationDone | None = None) -> bool:
        """Save the whole of it in its last state. Whether that could be done."""
        self._timer.stop()
        return self._guarded(
            lambda: self._store.chats.save_reply(
                self.message.id,
                self.rows.text,
                state=state,
                tokens=done.tokens if done else 0,
                tokens_per_s=done.tokens_per_s if done and done.tokens > 1 else None,
                first_token_s=done.first_token_s if done and done.tokens else None,
            )
        )

    def _save(self) -> None:
        text = self.rows.text
        if len(text) != self._saved_length and self._guarded(
            lambda: self._store.chats.save_reply(self.message.id, text)
        ):
            self._saved_length = len(text)
