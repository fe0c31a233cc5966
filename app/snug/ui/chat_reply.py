"""A reply while it is written: its rows for the screen, and its text saved at least once a second."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from snug.core.errors import UserError
from snug.store.rows import LibraryModel, MessageRow
from snug.ui.chat_row_building import Palette, ReplyRows
from snug.worker import protocol

if TYPE_CHECKING:
    from snug.store import Store

SAVE_MS = 500
"""Twice as often as is promised: a kill at any time loses at most the last second."""
RETRY_MS = 5_000


class OpenReply(QObject):
    """Saves what was written every half second. Where the disk refuses it, the text is kept here and tried again.

    `troubled` says why it could not be saved, once; `saved` comes when a reply that was refused at its end is safe.
    """

    troubled = Signal(str)
    saved = Signal()

    def __init__(
        self, store: Store, message: MessageRow, model: LibraryModel, palette: Palette, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.message = message
        self.model = model
        self.rows = ReplyRows(message, palette)
        self._store = store
        self._saved_length = 0
        self._is_troubled = False
        self._timer = QTimer(self, interval=SAVE_MS)
        self._timer.timeout.connect(self._save_if_grown)
        self._timer.start()

    @property
    def has_text(self) -> bool:
        return bool(self.rows.text.strip())

    def close(self, state: str, done: protocol.GenerationDone | None = None) -> bool:
        """Save the whole of it in its last state. Where that fails, it is tried again until it works."""
        self._timer.stop()
        self.message = replace(
            self.message,
            text=self.rows.text,
            state=state,
            tokens=done.tokens if done else 0,
            tokens_per_s=done.tokens_per_s if done and done.tokens > 1 else None,
            first_token_s=done.first_token_s if done and done.tokens else None,
        )
        if self._save():
            return True
        self._timer.timeout.disconnect(self._save_if_grown)
        self._timer.timeout.connect(self._save_again)
        self._timer.start(RETRY_MS)
        return False

    def _save_if_grown(self) -> None:
        if len(self.rows.text) != self._saved_length:
            self.message = replace(self.message, text=self.rows.text, state="writing")
            self._save()

    def _save_again(self) -> None:
        if self._save():
            self._timer.stop()
            self.saved.emit()

    def _save(self) -> bool:
        message = self.message
        try:
            self._store.chats.save_reply(
                message.id,
                message.text,
                state=message.state,
                tokens=message.tokens,
                tokens_per_s=message.tokens_per_s,
                first_token_s=message.first_token_s,
            )
        except UserError as error:
            if not self._is_troubled:
                self.troubled.emit(str(error))
            self._is_troubled = True
            return error.kind == "no-such-message"
        self._saved_length = len(message.text)
        return True
