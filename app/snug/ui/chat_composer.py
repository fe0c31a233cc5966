"""Writing to the model: who answers, what will happen, send and stop, and every word of the reply kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.core.errors import UserError
from snug.core.fit import FitSettings
from snug.core.machine import Machine
from snug.store.rows import BUILT_IN, LibraryModel, MessageRow
from snug.ui.chat_conversation import ChatConversation
from snug.ui.chat_engine import ChatEngine, Question
from snug.ui.chat_loading import (
    MAX_MESSAGES,
    Plan,
    conversation_for_model,
    estimated_tokens,
    plan_load,
    plan_sampling,
)
from snug.ui.chat_reply import OpenReply
from snug.ui.chat_row_building import Problem
from snug.ui.chat_words import STATE_ADVICE, left_out_words, pages_left_words, plan_words
from snug.ui.memory_plans import MemoryPlans
from snug.ui.row_list import RowList
from snug.worker import protocol

if TYPE_CHECKING:
    from snug.store import Store

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1

Wish = tuple[int, int, int]
MODEL_ROLES = ("modelId", "name", "detail", "isReady", "isChosen")
CUT_WORDS = {
    "context_full": "The answer ends here because the conversation fills the model's memory.",
    "max_tokens": "The answer ends here because it reached the longest answer that is allowed.",
}
"""What is said of an answer that did not end by itself."""
MEASURED_TOKENS = 16
NOT_SAVED = "This answer is not saved yet. Snug keeps trying; copy it if you close the window before."


@QmlElement
@QmlUncreatable("The application makes it")
class ChatComposer(QObject):
    """The foot of the chat screen, and the way of a message: committed, asked, streamed, saved."""

    changed = Signal()
    chatChanged = Signal(int)
    troubled = Signal(str)

    def __init__(
        self,
        store: Store,
        engine: ChatEngine,
        conversation: ChatConversation,
        machine: Callable[[], Machine | None],
        parent: QObject | None = None,
        *,
        plans: MemoryPlans | None = None,
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._plans = plans
        self._engine = engine
        self._conversation = conversation
        self._machine = machine
        self._models = RowList(MODEL_ROLES, self)
        self._library: list[LibraryModel] = []
        self._model: LibraryModel | None = None
        self._plan: Plan | None = None
        self._asked_plan: tuple[LibraryModel, Plan] | None = None
        self._loaded_wish: Wish | None = None
        self._at_most: dict[int, int] = {}
        self._started_paths: set[str] = set()
        self._used: dict[int, int] = {}
        self._reply: OpenReply | None = None
        self._left_out = 0
        engine.stateChanged.connect(self.changed)
        engine.loaded.connect(self._on_loaded)
        engine.started.connect(self._on_started)
        engine.textArrived.connect(self._on_text)
        engine.finished.connect(self._on_finished)
        engine.failed.connect(self._on_failed)
        engine.noticed.connect(self.troubled)
        if plans is not None:
            plans.arrived.connect(self._on_figures)

    # --- what the foot of the screen shows ------------------------------------------------------------------

    @Property(QObject, constant=True)
    def models(self) -> RowList:
        return self._models

    @Property(str, notify=changed)
    def modelName(self) -> str:
        return self._model.name if self._model is not None else ""

    @Property(bool, notify=changed)
    def isAnswering(self) -> bool:
        return self._reply is not None

    @Property(bool, notify=changed)
    def isLoaded(self) -> bool:
        """Whether a model holds memory at the moment."""
        return self._engine.state != "unloaded"

    @Property(bool, notify=changed)
    def isStopping(self) -> bool:
        return self._engine.state == "stopping"

    @Property(bool, notify=changed)
    def canSend(self) -> bool:
        return self._reply is None and self._model is not None and self._model.state == "ready"

    @Property(str, notify=changed)
    def status(self) -> str:
        """What is being done, or what will be when the message is sent."""
        if self._reply is not None:
            if self._reply.message.chat_id != self._conversation.chat_id:
                return "Answering in another chat"
            return {"loading": self._engine.doing, "reading": self._engine.doing, "stopping": "Stopping"}.get(
                self._engine.state, ""
            )
        if self._model is None:
            return "Get a model first: Discover shows what fits this computer"
        if self._model.state != "ready":
            return STATE_ADVICE.get(self._model.state, "")
        if self._engine.loaded_path == self._model.path:
            return ""
        fit = self._plan.fit if self._plan is not None else None
        return plan_words(self._model, fit, self._model.path in self._started_paths)

    @Property(float, notify=changed)
    def shareDone(self) -> float:
        """0 to 1 while a model is started or reads a long conversation, -1 at other times."""
        state, share = self._engine.state, self._engine.share_done
        return share if state == "loading" or (state == "reading" and share > 0) else -1.0

    @Property(str, notify=changed)
    def pagesLeft(self) -> str:
        context, used = self._context(), self._used_tokens()
        return pages_left_words(context - used) if context else ""

    @Property(float, notify=changed)
    def shareUsed(self) -> float:
        """How much of the model's memory the conversation takes, 0 to 1."""
        context = self._context()
        return min(1.0, self._used_tokens() / context) if context else 0.0

    # --- what a person does ---------------------------------------------------------------------------------

    @Slot(str, result=bool)
    def send(self, text: str) -> bool:
        """Commit the message, then ask for the answer. Whether it was taken."""
        if not text.strip() or not self.canSend or self._model is None:
            return False
        return self._guarded(lambda: self._send(text.strip("\n")))

    @Slot()
    def stop(self) -> None:
        self._engine.stop()

    @Slot(int)
    def answerAgain(self, message_id: int) -> None:
        """A new answer in that place; the old one stays as an alternative. Also the button of a problem."""
        message = self._conversation.message(message_id)
        if message is None or not self.canSend or self._model is None:
            return
        problem = self._conversation.problems.get(message_id)
        if problem is not None and problem.action == "smaller" and self._plan is not None:
            self._at_most[self._model.id] = max(1, self._plan.load.context // 2)
            self._make_plan()
        self._guarded(lambda: self._answer_again(message))

    @Slot(int, str)
    def editAndSend(self, message_id: int, text: str) -> None:
        """Send another version of a message; the old one and what followed stay as an alternative."""
        if text.strip() and self.canSend:
            self._guarded(lambda: self._edit(message_id, text.strip("\n")))

    @Slot(int, int)
    def showAlternative(self, message_id: int, step: int) -> None:
        """The version before or after this one, with all that followed it."""
        message = self._conversation.message(message_id)
        if message is not None and self._reply is None:
            wanted = message.alternative + step
            self._guarded(lambda: self._store.chats.choose_alternative(message_id, wanted))
            self._conversation.reload()

    @Slot(int)
    def chooseModel(self, model_id: int) -> None:
        """The model that answers in this chat from now on, and first in the next one."""
        self._choose(self._store.models.get(model_id))
        if self._model is None:
            return
        chat_id = self._conversation.chat_id
        if chat_id:
            self._guarded(lambda: self._store.chats.set_model(chat_id, model_id))
            self.chatChanged.emit(chat_id)
        self._guarded(lambda: self._store.settings.set("window.last_model", model_id))

    @Slot()
    def giveMemoryBack(self) -> None:
        """End the process that holds the model."""
        self._engine.unload()

    def release(self, model_id: int) -> None:
        """Give the memory back if it is this model's."""
        if self._model is not None and self._model.id == model_id:
            self.giveMemoryBack()

    # --- for the screen's own view-model --------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the library, the settings and the open chat's model again."""
        self._library = self._store.models.all()
        chat = self._store.chats.get(self._conversation.chat_id) if self._conversation.chat_id else None
        wanted = chat.model_id if chat is not None else None
        last = int(self._store.settings.get("window.last_model"))
        self._choose(_preferred(self._library, [wanted, last]))

    def close(self) -> None:
        """Keep what came so far, and end the child."""
        if self._reply is not None:
            self._reply.close("interrupted")
            self._reply = None
        self._engine.shut_down()

    # --- inside ----------------------------------------------------------------------------------------------

    def _guarded(self, action: Callable[[], object]) -> bool:
        """Whether it could be done; where it could not, the person is told why."""
        try:
            action()
        except UserError as error:
            self.troubled.emit(str(error))
            return False
        return True

    def _choose(self, model: LibraryModel | None) -> None:
        self._model = model
        self._models.show(
            [
                {
                    "modelId": each.id,
                    "name": each.name,
                    "detail": STATE_ADVICE.get(each.state, each.file_type),
                    "isReady": each.state == "ready",
                    "isChosen": model is not None and each.id == model.id,
                }
                for each in self._library
            ]
        )
        self._make_plan()
        self.changed.emit()

    def _make_plan(self) -> None:
        """As the model would be loaded now; one that is loaded stays as it is while the person's wishes do."""
        model = self._model
        self._plan = None
        if model is None or model.state != "ready":
            return
        at_most = self._at_most.get(model.id, 0)
        self._plan = plan_load(model, self._store.settings, self._machine(), at_most, self._plans)
        request = self._engine.loaded_request
        if request is not None and request.path == model.path and self._wish(model) == self._loaded_wish:
            self._plan = replace(self._plan, load=request)

    def _wish(self, model: LibraryModel) -> Wish:
        """What a load follows from beside the computer's state."""
        settings = self._store.settings
        at_most = self._at_most.get(model.id, 0)
        return int(settings.get("chat.context")), int(settings.get("chat.threads")), at_most

    def _on_loaded(self, loaded: protocol.ModelLoaded) -> None:
        """What it really took replaces what was estimated, on every screen."""
        if self._asked_plan is None:
            return
        model, plan = self._asked_plan
        self._loaded_wish = self._wish(model)
        if self._plans is not None and plan.fit is not None:
            self._plans.record(model.name, model.facts, FitSettings(), plan.fit, loaded.devices)

    def _on_figures(self) -> None:
        """More is known of some model's memory."""
        if self._reply is None:
            self._make_plan()
            self.changed.emit()

    def _context(self) -> int:
        if self._model is not None and self._engine.loaded_path == self._model.path:
            return self._engine.context
        return self._plan.load.context if self._plan is not None else 0

    def _used_tokens(self) -> int:
        exact = self._used.get(self._conversation.chat_id)
        return exact if exact is not None else estimated_tokens(self._conversation.messages)

    def _send(self, text: str) -> None:
        assert self._model is not None
        chat_id = self._conversation.chat_id or self._store.chats.create(self._model.id)
        self._store.chats.add_user_message(chat_id, text)
        self._ask(chat_id, lambda model: self._store.chats.begin_reply(chat_id, model.name), is_again=False)

    def _answer_again(self, old: MessageRow) -> None:
        def begin(model: LibraryModel) -> MessageRow:
            if old.text.strip():
                return self._store.chats.regenerate(old.id, model.name)
            self._store.chats.save_reply(old.id, "", state="writing")
            return old

        self._ask(old.chat_id, begin, is_again=old.state == "done")

    def _edit(self, message_id: int, text: str) -> None:
        edited = self._store.chats.edit_user_message(message_id, text)
        chat_id = edited.chat_id
        self._ask(chat_id, lambda model: self._store.chats.begin_reply(chat_id, model.name), is_again=False)

    def _ask(self, chat_id: int, begin: Callable[[LibraryModel], MessageRow], *, is_again: bool) -> None:
        model = self._model
        assert model is not None
        self._make_plan()
        assert self._plan is not None
        message = begin(model)
        reply = OpenReply(self._store, message, model, self._conversation.palette, self)
        reply.troubled.connect(self.troubled)
        self._reply = reply
        self._conversation.problems.pop(message.id, None)
        self._conversation.write_into(reply.rows, message.id)
        rows = [row for row in self._store.chats.messages(chat_id, limit=MAX_MESSAGES + 1) if row.id != message.id]
        turns, self._left_out = conversation_for_model(rows, str(self._store.settings.get("chat.system_prompt")))
        self._conversation.open(chat_id)
        self.chatChanged.emit(chat_id)
        self._started_paths.add(model.path)
        sampling = plan_sampling(model, self._store.settings, is_again=is_again)
        self._asked_plan = model, self._plan
        self._engine.ask(Question(model, self._plan.load, turns, sampling, self._plan.memory))
        self._guarded(lambda: self._store.models.touch(model.id))
        self.changed.emit()

    def _on_started(self, left_out: int) -> None:
        count = left_out + self._left_out
        if count and self._reply is not None:
            self._conversation.notices[self._reply.message.id] = left_out_words(count)
            self._conversation.show_reply()

    def _on_text(self, text: str) -> None:
        if self._reply is not None:
            self._reply.rows.feed(text)
            self._conversation.show_reply()

    def _on_finished(self, done: protocol.GenerationDone | None) -> None:
        if self._reply is None:
            return
        if done is None:
            self._close_reply("stopped")
            return
        model = self._reply.model
        self._used[self._reply.message.chat_id] = done.context_used
        if done.reason in CUT_WORDS:
            self.troubled.emit(CUT_WORDS[done.reason])
        if done.tokens >= MEASURED_TOKENS:
            self._guarded(lambda: self._store.models.record_speed(model.id, done.tokens_per_s))
        self._close_reply("stopped" if done.reason == "stopped" else "done", done)

    def _on_failed(self, problem: Problem) -> None:
        if self._reply is not None:
            self._conversation.problems[self._reply.message.id] = problem
            self._close_reply("interrupted" if self._reply.has_text else "failed")

    def _close_reply(self, state: str, done: protocol.GenerationDone | None = None) -> None:
        reply, self._reply = self._reply, None
        assert reply is not None
        self._conversation.write_into(None, 0)
        if reply.close(state, done):
            self._settle(reply)
        else:
            self._conversation.notices[reply.message.id] = NOT_SAVED
            self._conversation.settle_reply(reply.message)
            reply.saved.connect(partial(self._settle, reply))
        self.chatChanged.emit(reply.message.chat_id)
        self.changed.emit()

    def _settle(self, reply: OpenReply) -> None:
        """The reply is safe in the store: show it from there."""
        number = reply.message.id
        if self._conversation.notices.get(number) == NOT_SAVED:
            del self._conversation.notices[number]
        message = self._store.chats.message(number)
        if message is not None:
            self._conversation.settle_reply(message)
        reply.deleteLater()


def _preferred(library: list[LibraryModel], wanted: list[int | None]) -> LibraryModel | None:
    """The first of the wanted models that is there, else one that is ready, a fetched one before the built-in."""
    for model_id in wanted:
        for model in library:
            if model.id == model_id:
                return model
    ready = [model for model in library if model.state == "ready"]
    return min(ready, key=lambda model: (model.source == BUILT_IN, model.id), default=None)
