"""The list of conversations: grouped by day, searched, renamed, deleted to the bin and brought back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.core.errors import UserError
from snug.store.rows import ChatRow
from snug.ui.chat_words import chat_detail, group_of
from snug.ui.row_list import RowList

if TYPE_CHECKING:
    from snug.store import Store

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1

ROLES = ("chatId", "title", "detail", "group", "isCurrent")


@QmlElement
@QmlUncreatable("The application makes it")
class ChatList(QObject):
    """Shows either the conversations or, while `isBinOpen`, what is in the bin."""

    changed = Signal()
    currentChanged = Signal(int)
    deleted = Signal(int, str)
    troubled = Signal(str)

    def __init__(self, store: Store, now: Callable[[], datetime], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._now = now
        self._rows = RowList(ROLES, self)
        self._words = ""
        self._is_bin_open = False
        self._current = 0

    @Property(QObject, constant=True)
    def rows(self) -> RowList:
        return self._rows

    @Property(int, notify=changed)
    def current(self) -> int:
        """The open chat's number, 0 for a new one."""
        return self._current

    @Property(str, notify=changed)
    def words(self) -> str:
        return self._words

    @Property(bool, notify=changed)
    def isBinOpen(self) -> bool:
        return self._is_bin_open

    @Property(str, notify=changed)
    def binTime(self) -> str:
        """How long a deleted chat can be brought back: "30 days"."""
        days = int(self._store.settings.get("privacy.bin_days"))
        return "1 day" if days == 1 else f"{days} days"

    @Property(str, notify=changed)
    def emptyText(self) -> str:
        """What stands in place of an empty list."""
        if self._rows.rows():
            return ""
        if self._is_bin_open:
            return f"The bin is empty. Deleted chats stay here for {self.binTime}."
        return f"No chat holds “{self._words}”." if self._words else "Your chats will be here."

    @Slot(int)
    def open(self, chat_id: int) -> None:
        """Go to a chat; 0 begins a new one."""
        if self._is_bin_open and chat_id:
            return
        self._is_bin_open = False
        self._current = chat_id
        self.currentChanged.emit(chat_id)
        self.refresh()

    @Slot(str)
    def search(self, words: str) -> None:
        """Show only chats with these words in their title or messages."""
        if words != self._words:
            self._words = words
            self.refresh()

    @Slot(bool)
    def showBin(self, isOpen: bool) -> None:
        if isOpen != self._is_bin_open:
            self._is_bin_open = isOpen
            self.refresh()

    @Slot(int, str)
    def rename(self, chat_id: int, title: str) -> None:
        self._do(lambda: self._store.chats.rename(chat_id, title))
        if chat_id == self._current:
            self.currentChanged.emit(chat_id)

    @Slot(int)
    def remove(self, chat_id: int) -> None:
        """Move a chat to the bin; `deleted` offers the way back."""
        chat = self._store.chats.get(chat_id)
        if chat is None:
            return
        self._do(lambda: self._store.chats.to_bin(chat_id))
        if chat_id == self._current:
            self._current = 0
            self.currentChanged.emit(0)
            self.changed.emit()
        self.deleted.emit(chat_id, chat.title)

    @Slot(int)
    def restore(self, chat_id: int) -> None:
        """Bring a chat back from the bin, and open it."""
        self._do(lambda: self._store.chats.restore(chat_id))
        self._is_bin_open = False
        self.open(chat_id)

    @Slot(int)
    def removeForGood(self, chat_id: int) -> None:
        """Nothing brings it back after this."""
        self._do(lambda: self._store.chats.delete_for_good(chat_id))

    @property
    def chat_id(self) -> int:
        return self._current

    def refresh(self) -> None:
        """Read the list again."""
        rows = self._store.chats.binned() if self._is_bin_open else self._store.chats.list(self._words)
        now = self._now()
        self._rows.show([self._row(row, now) for row in rows])
        self.changed.emit()

    def _row(self, row: ChatRow, now: datetime) -> dict[str, object]:
        return {
            "chatId": row.id,
            "title": row.title,
            "detail": chat_detail(row),
            "group": "In the bin" if self._is_bin_open else group_of(row.updated_at, now),
            "isCurrent": row.id == self._current,
        }

    def _do(self, action: Callable[[], object]) -> None:
        try:
            action()
        except UserError as error:
            self.troubled.emit(str(error))
        self.refresh()
