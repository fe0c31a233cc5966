"""The chat screen: the list, the open conversation and the composer, wired together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Property, QObject, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.core.devices import given_back
from snug.core.machine import Machine
from snug.ui.chat_composer import ChatComposer
from snug.ui.chat_conversation import ChatConversation
from snug.ui.chat_engine import ChatEngine, MakeChild
from snug.ui.chat_list import ChatList
from snug.ui.chat_words import chat_as_text
from snug.ui.markdown_inline import is_web_address
from snug.ui.memory_plans import MemoryPlans

if TYPE_CHECKING:
    from snug.store import Store

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1

WHOLE_CHAT = 1_000_000
LAST_CHAT = "window.last_chat"


@QmlElement
@QmlUncreatable("The application makes it")
class ChatModel(QObject):
    """What the chat screen is handed. `toast` carries a short word for the foot of the window."""

    toast = Signal(str)

    def __init__(
        self,
        store: Store,
        make_child: MakeChild,
        machine: Callable[[], Machine | None],
        now: Callable[[], datetime],
        parent: QObject | None = None,
        *,
        plans: MemoryPlans | None = None,
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._machine = machine
        self._list = ChatList(store, now, self)
        self._conversation = ChatConversation(store, self)
        self._engine = ChatEngine(make_child, self)
        self._composer = ChatComposer(store, self._engine, self._conversation, machine, self, plans=plans)
        self._list.currentChanged.connect(self._on_current)
        self._list.troubled.connect(self.toast)
        self._composer.chatChanged.connect(self._on_chat_changed)
        self._composer.troubled.connect(self.toast)
        self.refresh()
        self._open_last()

    @Property(ChatList, constant=True)
    def list(self) -> ChatList:
        return self._list

    @Property(ChatConversation, constant=True)
    def conversation(self) -> ChatConversation:
        return self._conversation

    @Property(ChatComposer, constant=True)
    def composer(self) -> ChatComposer:
        return self._composer

    def release(self, model_id: int) -> None:
        """End the process that holds this model, before its file goes."""
        self._composer.release(model_id)

    @property
    def is_answering(self) -> bool:
        """Whether a reply is being written now."""
        return bool(self._composer.property("isAnswering"))

    def gives_back(self) -> dict[str, int]:
        """What the loaded model holds, and gives back when another one is loaded."""
        request, machine = self._engine.loaded_request, self._machine()
        if request is None or machine is None:
            return {}
        return given_back(self._engine.held, request.offload, machine)

    @Slot()
    def newChat(self) -> None:
        """An empty chat; it is kept from its first message on."""
        self._list.open(0)

    @Slot(int)
    def newChatWith(self, model_id: int) -> None:
        """An empty chat that this model will answer."""
        self._list.open(0)
        self._composer.refresh()
        self._composer.chooseModel(model_id)

    @Slot()
    def refresh(self) -> None:
        """Read the list, the library and the settings again: something outside this screen changed."""
        self._list.refresh()
        self._composer.refresh()

    @Slot(int)
    def copyMessage(self, message_id: int) -> None:
        message = self._conversation.message(message_id)
        if message is not None:
            self.copyText(message.text)

    @Slot(str)
    def copyText(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.toast.emit("Copied")

    @Slot()
    def copyChat(self) -> None:
        """The whole chat, not only what is shown."""
        self.copyText(self._whole_text())

    @Slot(QUrl)
    def saveChat(self, place: QUrl) -> None:
        """The whole chat as a text file."""
        path = Path(place.toLocalFile())
        try:
            path.write_text(self._whole_text(), encoding="utf-8")
        except OSError as error:
            self.toast.emit(f"The chat could not be saved there: {error.strerror}")
        else:
            self.toast.emit(f"Saved as {path.name}")

    @Slot(str)
    def openAddress(self, address: str) -> None:
        """Open a web address that the person has seen whole and agreed to."""
        if is_web_address(address):
            QDesktopServices.openUrl(QUrl(address))

    def close(self) -> None:
        """The window closes: keep what came so far, end the child."""
        self._composer.close()

    def _open_last(self) -> None:
        """Where the person left off, as long as it is not in the bin."""
        last = int(self._store.settings.get(LAST_CHAT))
        if last and any(chat.id == last for chat in self._store.chats.list()):
            self._list.open(last)

    def _whole_text(self) -> str:
        messages = self._store.chats.messages(self._conversation.chat_id, limit=WHOLE_CHAT)
        return chat_as_text(self._conversation.plain_title, messages)

    def _on_current(self, chat_id: int) -> None:
        if chat_id != self._conversation.chat_id or not chat_id:
            self._conversation.open(chat_id)
        else:
            self._conversation.read_title()
        self._composer.refresh()
        self._store.settings.set(LAST_CHAT, chat_id)

    def _on_chat_changed(self, chat_id: int) -> None:
        """A chat was written to; a new one is open from its first message on."""
        if self._list.chat_id == 0 and chat_id == self._conversation.chat_id:
            self._list.open(chat_id)
        else:
            self._list.refresh()
