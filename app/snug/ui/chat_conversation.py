"""The open chat: a bounded window of its messages as rows, and the reply that is being written into it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.store.rows import MessageRow
from snug.ui.chat_row_building import DARK, LIGHT, Palette, Problem, ReplyRows, message_rows
from snug.ui.chat_rows import BlockRows, Row

if TYPE_CHECKING:
    from snug.store import Store

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1

WINDOW_MESSAGES = 30
ROWS_AT_ONCE = 120
"""So many rows are made within a tenth of a second; the rest of a window comes when it is asked for."""
MAX_ROWS = 600


@QmlElement
@QmlUncreatable("The application makes it")
class ChatConversation(QObject):
    """What the middle of the chat screen shows. Older messages come when they are asked for; the window of rows
    stays bounded, so a chat of any length opens at once.
    """

    changed = Signal()
    aboutToPrepend = Signal()
    prepended = Signal()
    newestShown = Signal()

    def __init__(self, store: Store, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._rows = BlockRows(self)
        self._palette: Palette = LIGHT
        self._chat_id = 0
        self._title = ""
        self._messages: list[MessageRow] = []
        self._counts: list[int] = []
        self._has_older = False
        self._has_newer = False
        self._reply: ReplyRows | None = None
        self._reply_id = 0
        self.problems: dict[int, Problem] = {}
        self.notices: dict[int, str] = {}

    # --- for QML -------------------------------------------------------------------------------------------

    @Property(int, notify=changed)
    def chatId(self) -> int:
        return self._chat_id

    @Property(str, notify=changed)
    def title(self) -> str:
        return self._title

    @Property(QObject, constant=True)
    def rows(self) -> BlockRows:
        return self._rows

    @Property(bool, notify=changed)
    def isEmpty(self) -> bool:
        return not self._messages

    @Property(bool, notify=changed)
    def hasOlder(self) -> bool:
        return self._has_older

    @Property(bool, notify=changed)
    def hasNewer(self) -> bool:
        return self._has_newer

    @Slot()
    def loadOlder(self) -> None:
        """Show what came before, and let the newest go where there is too much."""
        if not self._has_older or not self._messages:
            return
        older = self._store.chats.messages(self._chat_id, before=self._messages[0].id, limit=WINDOW_MESSAGES)
        self._has_older = len(older) == WINDOW_MESSAGES
        if older:
            self.aboutToPrepend.emit()
            older, parts = self._newest_of(older, ROWS_AT_ONCE, is_end=False)
            self._messages = [*older, *self._messages]
            self._counts = [*map(len, parts), *self._counts]
            self._rows.prepend([row for part in parts for row in part])
            self._drop_newest()
            self.prepended.emit()
        self.changed.emit()

    @Slot(int, result=str)
    def textOf(self, messageId: int) -> str:
        """The whole text of a message, also where only its beginning is shown."""
        message = self.message(messageId)
        return message.text if message is not None else ""

    @Slot()
    def showNewest(self) -> None:
        """Go back to the end of the chat."""
        if self._has_newer:
            self.reload()
        self.newestShown.emit()

    @Slot(bool)
    def useDarkColours(self, isDark: bool) -> None:
        """Colours stand in the rich text itself, so a change of theme makes the rows again."""
        palette = DARK if isDark else LIGHT
        if palette is not self._palette:
            self._palette = palette
            self._show(self._messages, MAX_ROWS)

    # --- for the other view-models -------------------------------------------------------------------------

    @property
    def chat_id(self) -> int:
        return self._chat_id

    @property
    def plain_title(self) -> str:
        return self._title

    @property
    def messages(self) -> list[MessageRow]:
        return self._messages

    def message(self, message_id: int) -> MessageRow | None:
        return next((message for message in self._messages if message.id == message_id), None)

    def open(self, chat_id: int) -> None:
        """Show the end of a chat; 0 shows none."""
        self._chat_id = chat_id
        self.reload()
        self.newestShown.emit()

    def reload(self) -> None:
        """Read the end of the chat again."""
        chat = self._store.chats.get(self._chat_id) if self._chat_id else None
        self._title = chat.title if chat else ""
        messages = self._store.chats.messages(self._chat_id, limit=WINDOW_MESSAGES) if chat else []
        self._has_older = len(messages) == WINDOW_MESSAGES
        self._has_newer = False
        self._show(messages, ROWS_AT_ONCE)
        self.changed.emit()

    def read_title(self) -> None:
        """The chat may have another name now."""
        chat = self._store.chats.get(self._chat_id)
        self._title = chat.title if chat else ""
        self.changed.emit()

    def write_into(self, reply: ReplyRows | None, message_id: int) -> None:
        """The reply that is being written, wherever the person looks meanwhile; None when it has ended."""
        self._reply, self._reply_id = reply, message_id

    def show_reply(self) -> None:
        """Show what came of the reply since the last time."""
        if self._reply is None or not self._messages or self._messages[-1].id != self._reply_id:
            return
        start = sum(self._counts[:-1])
        rows = self._rows_of(self._messages[-1], is_last=True)
        self._rows.replace(start, rows)
        self._counts[-1] = len(rows)

    def settle_reply(self, message: MessageRow) -> None:
        """The reply is whole: show it as it is now, and leave all else where the person sees it."""
        if not self._messages or self._messages[-1].id != message.id or self._has_newer:
            return
        self._messages[-1] = message
        rows = self._rows_of(message, is_last=True)
        self._rows.replace(sum(self._counts[:-1]), rows)
        self._counts[-1] = len(rows)
        self.changed.emit()

    # --- inside --------------------------------------------------------------------------------------------

    def _show(self, messages: list[MessageRow], most: int) -> None:
        self._messages, parts = self._newest_of(messages, most, is_end=True)
        self._counts = [len(part) for part in parts]
        self._rows.replace(0, [row for part in parts for row in part])

    def _newest_of(
        self, messages: list[MessageRow], most: int, *, is_end: bool
    ) -> tuple[list[MessageRow], list[list[Row]]]:
        """The last of these messages that have at most so many rows together, but one at least; and their rows."""
        parts: list[list[Row]] = []
        count = 0
        for message in reversed(messages):
            part = self._rows_of(message, is_last=is_end and not parts)
            count += len(part)
            if parts and count > most:
                self._has_older = True
                break
            parts.append(part)
        return messages[len(messages) - len(parts) :], parts[::-1]

    def _rows_of(self, message: MessageRow, *, is_last: bool) -> list[Row]:
        before = [Row("notice", message.id, text=self.notices[message.id])] if message.id in self.notices else []
        if self._reply is not None and message.id == self._reply_id:
            return before + self._reply.rows(is_writing=True)
        problem = self.problems.get(message.id)
        if message.state == "writing":
            message = replace(message, state="interrupted")
        return before + message_rows(message, self._palette, is_last=is_last, problem=problem)

    def _drop_newest(self) -> None:
        while len(self._counts) > 1 and sum(self._counts) > MAX_ROWS:
            keep = sum(self._counts[:-1])
            self._rows.replace(keep, [])
            self._counts.pop()
            self._messages = self._messages[:-1]
            self._has_newer = True

    @property
    def palette(self) -> Palette:
        return self._palette
