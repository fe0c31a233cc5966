"""The chat's view-models with the real store and a child that records: every message is kept, whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from snug.core.errors import UserError
from snug.core.machine import Cpu, Machine, Memory
from snug.paths import Paths
from snug.store import MessageRow, NewModel, Store, open_store
from snug.ui.chat import ChatModel
from snug.ui.chat_conversation import MAX_ROWS, ROWS_AT_ONCE, WINDOW_MESSAGES
from snug.ui.chat_loading import MAX_MESSAGES
from snug.worker import protocol
from snug.worker.death import ChildDeath, MemoryFacts

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MACHINE = Machine(
    os="linux", cpu=Cpu(cores=8, threads=16), memory=Memory(total=32 * 10**9, available=21 * 10**9, bandwidth=5e10)
)
KILLED = ChildDeath("Another program, or the system, stopped the work.", "Try again.", "killed", "signal 9")
NO_MEMORY = ChildDeath("The computer ran out of memory.", "Close other programs.", "no-memory", "signal 9")


class RecordingChild(QObject):
    """Stands where the engine's process would, and keeps what it was asked."""

    event = Signal(int, object)
    died = Signal(object)

    def __init__(self, memory: MemoryFacts | None) -> None:
        super().__init__()
        self.memory = memory
        self.asked: list[protocol.Request] = []
        self.cancelled: list[int] = []
        self.is_stopped = False

    def send(self, body: protocol.Request) -> int:
        self.asked.append(body)
        return len(self.asked)

    def cancel(self, number: int) -> None:
        self.cancelled.append(number)

    def stop(self) -> None:
        self.is_stopped = True

    def note_success(self) -> None:
        pass

    def say(self, body: protocol.Event) -> None:
        """Answer the last request."""
        self.event.emit(len(self.asked), body)

    def load(self) -> protocol.LoadModel:
        """Answer that the model is loaded, with the context that was asked for."""
        request = self.asked[-1]
        assert isinstance(request, protocol.LoadModel)
        self.say(
            protocol.ModelLoaded(
                context=request.context, context_max=32_768, seconds=1.0, weights_bytes=1,
                conversation_bytes=1, compute_bytes=1, template="chatml",
            )
        )  # fmt: skip
        return request

    def answer(self, text: str, reason: str = "end") -> None:
        self.say(protocol.Text(text=text))
        self.say(
            protocol.GenerationDone(
                reason=reason, tokens=20, tokens_per_s=18.7, first_token_s=1.1, prompt_tokens=30,
                prompt_tokens_per_s=100.0, context_used=50, context=32_768,
            )
        )  # fmt: skip


class Desk:
    """The chat screen's view-model with everything a test wants to look at."""

    def __init__(self, store: Store, moment: list[datetime]) -> None:
        self.store = store
        self.moment = moment
        self.children: list[RecordingChild] = []
        self.machine: Machine | None = MACHINE
        self.chat = ChatModel(store, self._make, lambda: self.machine, lambda: moment[0])
        self.said: list[str] = []
        self.chat.toast.connect(self.said.append)

    def _make(self, memory: MemoryFacts | None) -> RecordingChild:
        self.children.append(RecordingChild(memory))
        return self.children[-1]

    @property
    def child(self) -> RecordingChild:
        return self.children[-1]

    def ask(self, text: str = "Hello?") -> RecordingChild:
        """Send a message and let the model be loaded where that is needed."""
        before = len(self.children)
        assert self.chat.composer.send(text)
        if len(self.children) > before:
            self.child.load()
        return self.child

    def messages(self) -> list[MessageRow]:
        return self.store.chats.messages(self.chat.conversation.chatId, limit=1000)

    def kinds(self) -> list[str]:
        return [row.kind for row in self.chat.conversation.rows.rows]

    def titles(self) -> list[str]:
        return [row["title"] for row in self.chat.list.rows.rows()]


@pytest.fixture
def desk(tmp_path: Path, qapp: QGuiApplication) -> Iterator[Desk]:
    moment = [NOW]
    store, _ = open_store(Paths(tmp_path), now=lambda: moment[0])
    desk = Desk(store, moment)
    yield desk
    desk.chat.close()
    store.close()


# --- a message's way ---------------------------------------------------------------------------------------------


def test_the_message_is_committed_before_anything_is_asked_of_the_child(desk: Desk, tmp_path: Path) -> None:
    desk.chat.composer.send("Keep me")
    assert not any(isinstance(body, protocol.Generate) for body in desk.child.asked)
    reader, _ = open_store(Paths(tmp_path), read_only=True)
    (chat,) = reader.chats.list()
    assert [message.text for message in reader.chats.messages(chat.id)] == ["Keep me", ""]
    reader.close()


def test_a_new_chat_is_kept_from_its_first_message_on_and_takes_its_title(desk: Desk) -> None:
    assert desk.titles() == []
    desk.chat.newChat()
    assert desk.store.chats.list() == []
    desk.ask("What is Snug?")
    assert desk.titles() == ["What is Snug?"]
    assert desk.chat.list.current == desk.chat.conversation.chatId != 0


def test_an_answer_streams_into_rows_and_is_saved_with_its_speed(desk: Desk) -> None:
    child = desk.ask()
    assert desk.kinds() == ["user", "waiting"]
    child.say(protocol.Text(text="One.\n\nTw"))
    assert desk.kinds() == ["user", "prose", "prose"]
    child.answer("o.")
    assert desk.kinds() == ["user", "prose", "prose", "actions"]
    reply = desk.messages()[-1]
    assert (reply.text, reply.state, reply.tokens, reply.tokens_per_s) == ("One.\n\nTwo.", "done", 20, 18.7)
    assert desk.store.models.all()[0].measured_tokens_per_s is not None


def test_the_answer_is_saved_while_it_streams(desk: Desk, qtbot: QtBot) -> None:
    desk.ask().say(protocol.Text(text="So far"))
    qtbot.waitUntil(lambda: desk.messages()[-1].text == "So far", timeout=5_000)
    assert desk.messages()[-1].state == "writing"


def test_a_second_message_uses_the_loaded_model(desk: Desk) -> None:
    desk.ask("One").answer("1")
    desk.ask("Two").answer("2")
    assert len(desk.children) == 1
    request = desk.child.asked[-1]
    assert isinstance(request, protocol.Generate)
    assert [(turn.role, turn.text) for turn in request.messages] == [
        ("user", "One"),
        ("assistant", "1"),
        ("user", "Two"),
    ]


def test_nothing_is_sent_while_an_answer_is_written_or_when_there_are_no_words(desk: Desk) -> None:
    assert not desk.chat.composer.send("  \n ")
    desk.ask()
    assert not desk.chat.composer.canSend
    assert not desk.chat.composer.send("Another")
    assert len(desk.messages()) == 2


def test_the_standing_instruction_and_the_settings_go_along(desk: Desk) -> None:
    desk.store.settings.set("chat.system_prompt", "Be brief.")
    desk.store.settings.set("chat.top_p", 0.5)
    request = desk.ask().asked[-1]
    assert isinstance(request, protocol.Generate)
    assert (request.messages[0].role, request.messages[0].text) == ("system", "Be brief.")
    assert request.sampling.top_p == 0.5


def test_thoughts_are_not_shown_to_the_model_again(desk: Desk) -> None:
    desk.ask("One").answer("<think>secret</think>Yes")
    request = desk.ask("Two").asked[-1]
    assert isinstance(request, protocol.Generate)
    assert [turn.text for turn in request.messages] == ["One", "Yes", "Two"]


# --- stop --------------------------------------------------------------------------------------------------------


def test_stop_keeps_what_came_and_the_model(desk: Desk) -> None:
    child = desk.ask()
    child.say(protocol.Text(text="Half"))
    desk.chat.composer.stop()
    assert child.cancelled == [2]
    assert desk.chat.composer.isStopping
    child.answer(" more", reason="stopped")
    reply = desk.messages()[-1]
    assert (reply.text, reply.state) == ("Half more", "stopped")
    desk.ask("Next")
    assert len(desk.children) == 1


def test_a_child_that_does_not_stop_is_ended_and_the_text_is_kept(desk: Desk, qtbot: QtBot) -> None:
    child = desk.ask()
    child.say(protocol.Text(text="Half"))
    desk.chat.composer.stop()
    qtbot.waitUntil(lambda: not desk.chat.composer.isAnswering, timeout=10_000)
    assert child.is_stopped
    assert desk.messages()[-1].state == "stopped"
    desk.ask("Next")
    assert len(desk.children) == 2


def test_stop_while_the_model_is_loaded_leaves_the_message_unanswered(desk: Desk) -> None:
    desk.chat.composer.send("Hello?")
    desk.chat.composer.stop()
    desk.child.say(protocol.Cancelled())
    assert not desk.chat.composer.isAnswering
    assert [message.state for message in desk.messages()] == ["done", "stopped"]


# --- death and failure -------------------------------------------------------------------------------------------


def test_a_death_in_mid_answer_keeps_the_text_explains_itself_and_offers_a_retry(desk: Desk) -> None:
    desk.ask().say(protocol.Text(text="So far"))
    desk.child.died.emit(KILLED)
    reply = desk.messages()[-1]
    assert (reply.text, reply.state) == ("So far", "interrupted")
    assert desk.kinds() == ["user", "prose", "problem", "actions"]
    problem = desk.chat.conversation.rows.rows[2]
    assert problem.text == "Another program, or the system, stopped the work"
    assert problem.note == "Your message and the answer so far are kept."
    assert problem.details == "signal 9"
    assert problem.action == "Try again"
    desk.chat.composer.answerAgain(reply.id)
    desk.child.load()
    desk.child.answer("Whole")
    new = desk.messages()[-1]
    assert (new.text, new.state, new.alternatives) == ("Whole", "done", 2)


def test_a_death_before_the_first_word_leaves_no_empty_version_behind(desk: Desk) -> None:
    desk.ask().died.emit(KILLED)
    reply = desk.messages()[-1]
    assert (reply.text, reply.state) == ("", "failed")
    desk.chat.composer.answerAgain(reply.id)
    desk.child.load()
    desk.child.answer("Whole")
    assert [(message.text, message.alternatives) for message in desk.messages()] == [("Hello?", 1), ("Whole", 1)]


def test_too_little_memory_offers_half_of_it_and_does_as_it_says(desk: Desk) -> None:
    desk.store.settings.set("chat.context", 1024)
    child = desk.ask()
    child.say(protocol.Text(text="So"))
    assert child.memory is not None
    child.died.emit(NO_MEMORY)
    problem = desk.chat.conversation.rows.rows[2]
    assert problem.action == "Go on with 1 page of memory"
    desk.chat.composer.answerAgain(desk.messages()[-1].id)
    assert desk.child.load().context == 512


def test_a_load_that_fails_says_why_and_ends_the_child(desk: Desk) -> None:
    desk.chat.composer.send("Hello?")
    desk.child.say(protocol.Failed(title="The file is damaged.", advice="Get it again.", kind="bad-file"))
    assert desk.child.is_stopped
    assert desk.kinds() == ["user", "problem"]
    assert desk.chat.conversation.rows.rows[1].text == "The file is damaged"
    assert desk.chat.conversation.rows.rows[1].note == "Your message is kept. Get it again."
    assert desk.messages()[-1].state == "failed"


def test_a_death_at_rest_disturbs_nobody(desk: Desk) -> None:
    desk.ask().answer("Done")
    desk.child.died.emit(KILLED)
    assert "problem" not in desk.kinds()
    desk.ask("Again")
    assert len(desk.children) == 2


def test_an_answer_that_was_cut_by_the_end_of_the_app_is_interrupted_at_the_next_start(desk: Desk) -> None:
    desk.ask().say(protocol.Text(text="Half"))
    chat_id = desk.chat.conversation.chatId
    desk.chat.close()
    again = ChatModel(desk.store, desk._make, lambda: MACHINE, lambda: NOW)
    again.list.open(chat_id)
    assert [row.kind for row in again.conversation.rows.rows] == ["user", "prose", "problem", "actions"]
    assert again.conversation.rows.rows[2].action == "Try again"


def test_a_message_that_cannot_be_saved_is_not_asked(desk: Desk) -> None:
    assert not desk.chat.composer.send("x" * (9 * 1024 * 1024))
    assert desk.children == []
    assert desk.said
    assert "too long" in desk.said[0]


def test_an_answer_that_the_disk_refuses_is_kept_and_saved_later(
    desk: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("snug.ui.chat_reply.RETRY_MS", 20)
    real = desk.store.chats.save_reply

    def refuse(*_: object, **__: object) -> None:
        raise UserError("The disk is full.", "Make room.", kind="disk-full")

    child = desk.ask()
    with monkeypatch.context() as patch:
        patch.setattr(desk.store.chats, "save_reply", refuse)
        child.answer("Whole")
        assert desk.said == ["The disk is full. Make room."]
        assert desk.kinds() == ["user", "notice", "prose", "actions"]
        assert "not saved" in desk.chat.conversation.rows.rows[1].text
    assert desk.store.chats.save_reply == real
    qtbot.waitUntil(lambda: desk.kinds() == ["user", "prose", "actions"], timeout=10_000)
    assert (desk.messages()[-1].text, desk.messages()[-1].state) == ("Whole", "done")


# --- versions, editing -------------------------------------------------------------------------------------------


def test_answering_again_keeps_the_old_answer_one_arrow_away(desk: Desk) -> None:
    desk.ask().answer("First")
    desk.chat.composer.answerAgain(desk.messages()[-1].id)
    desk.child.answer("Second")
    reply = desk.messages()[-1]
    assert (reply.text, reply.alternatives, reply.alternative) == ("Second", 2, 1)
    desk.chat.composer.showAlternative(reply.id, -1)
    assert desk.messages()[-1].text == "First"
    assert desk.chat.conversation.rows.rows[-1].marker == "1 of 2"


def test_an_edited_message_is_sent_again_and_the_old_way_stays(desk: Desk) -> None:
    desk.ask("Capital of Frence?").answer("?")
    question = desk.messages()[0]
    desk.chat.composer.editAndSend(question.id, "Capital of France?")
    desk.child.answer("Paris")
    assert [message.text for message in desk.messages()] == ["Capital of France?", "Paris"]
    assert desk.chat.conversation.rows.rows[0].marker == "2 of 2"
    desk.chat.composer.showAlternative(desk.messages()[0].id, -1)
    assert [message.text for message in desk.messages()] == ["Capital of Frence?", "?"]


# --- the model -----------------------------------------------------------------------------------------------------


def add_model(desk: Desk, folder: Path, name: str) -> int:
    path = folder / f"{name}.gguf"
    path.write_bytes(b"GGUF")
    facts = replace(desk.store.models.all()[0].facts, name=name)
    return desk.store.models.add(NewModel(name=name, path=str(path), facts=facts)).id


def test_before_a_model_is_loaded_the_composer_says_what_will_happen(desk: Desk) -> None:
    assert desk.chat.composer.status.startswith("Starts when you send: a moment, ")
    assert desk.chat.composer.status.endswith(" MB of memory")
    assert desk.chat.composer.pagesLeft == "about 2 pages left"
    desk.ask().answer("x")
    assert desk.chat.composer.status == ""


def test_without_a_known_machine_the_model_still_starts(desk: Desk) -> None:
    desk.machine = None
    desk.chat.refresh()
    assert desk.chat.composer.status == "Starts when you send: a moment"
    assert desk.ask().memory is None


def test_what_the_engine_remarks_about_a_model_is_said(desk: Desk) -> None:
    desk.chat.composer.send("Hello?")
    desk.child.say(
        protocol.ModelLoaded(
            context=512, context_max=512, seconds=1.0, weights_bytes=1, conversation_bytes=1, compute_bytes=1,
            template="plain", notice="This model has no chat format.",
        )
    )  # fmt: skip
    assert desk.said == ["This model has no chat format."]


def test_the_progress_of_loading_is_shown(desk: Desk) -> None:
    desk.chat.composer.send("Hello?")
    desk.child.say(protocol.Progress(done=1, total=4, unit="share"))
    assert desk.chat.composer.shareDone == 0.25
    assert desk.chat.composer.status.startswith("Starting Pip")
    desk.child.load()
    assert desk.chat.composer.shareDone == -1


def test_another_model_is_loaded_in_a_child_of_its_own(desk: Desk, tmp_path: Path) -> None:
    desk.ask().answer("x")
    first = desk.child
    other = add_model(desk, tmp_path, "Other")
    desk.chat.composer.chooseModel(other)
    assert desk.chat.composer.modelName == "Other"
    desk.ask("Again").answer("y")
    assert first.is_stopped
    assert desk.messages()[-1].model_name == "Other"
    assert "Other" in desk.chat.list.rows.rows()[0]["detail"]


def test_a_model_whose_file_went_away_cannot_be_asked(desk: Desk, tmp_path: Path) -> None:
    other = add_model(desk, tmp_path, "Other")
    (tmp_path / "Other.gguf").unlink()
    desk.store.models.refresh_states()
    desk.chat.newChatWith(other)
    assert not desk.chat.composer.canSend
    assert "not where it was" in desk.chat.composer.status


def test_the_chosen_model_is_the_next_chat_s_too(desk: Desk, tmp_path: Path) -> None:
    other = add_model(desk, tmp_path, "Other")
    desk.chat.newChatWith(other)
    desk.chat.newChat()
    assert desk.chat.composer.modelName == "Other"


def test_giving_memory_back_ends_the_child(desk: Desk) -> None:
    desk.ask().answer("x")
    desk.chat.composer.giveMemoryBack()
    assert desk.child.is_stopped
    desk.ask("Again")
    assert len(desk.children) == 2


def test_a_model_that_is_removed_is_let_go_of_first(desk: Desk) -> None:
    desk.ask().answer("x")
    model_id = desk.chat.composer._model.id
    desk.chat.release(model_id + 1)
    assert not desk.child.is_stopped
    desk.chat.release(model_id)
    assert desk.child.is_stopped


def test_the_meter_counts_pages_of_the_model_s_own_memory(desk: Desk) -> None:
    desk.ask().answer("x")
    composer = desk.chat.composer
    context = desk.child.asked[0].context  # type: ignore[attr-defined]
    assert composer.shareUsed == pytest.approx(50 / context)
    assert composer.pagesLeft.endswith(" left")


def test_what_no_longer_fits_is_marked(desk: Desk) -> None:
    child = desk.ask()
    child.say(protocol.GenerationStarted(prompt_tokens=900, reused_tokens=0, left_out=3))
    assert desk.kinds() == ["user", "notice", "waiting"]
    assert desk.chat.conversation.rows.rows[1].text.startswith("The 3 oldest messages")


def test_the_next_start_opens_the_chat_that_was_open(desk: Desk) -> None:
    desk.ask().answer("x")
    chat_id = desk.chat.conversation.chatId
    again = ChatModel(desk.store, desk._make, lambda: MACHINE, lambda: NOW)
    assert again.conversation.chatId == chat_id
    desk.store.chats.to_bin(chat_id)
    assert ChatModel(desk.store, desk._make, lambda: MACHINE, lambda: NOW).conversation.chatId == 0


# --- the list ------------------------------------------------------------------------------------------------------


def test_chats_are_grouped_by_day_newest_first(desk: Desk) -> None:
    for days, words in ((30, "old"), (3, "week"), (0, "now")):
        desk.moment[0] = NOW - timedelta(days=days)
        desk.chat.newChat()
        desk.ask(words).answer("x")
    desk.chat.refresh()
    assert [(row["title"], row["group"]) for row in desk.chat.list.rows.rows()] == [
        ("now", "Today"),
        ("week", "This week"),
        ("old", "Older"),
    ]


def test_search_looks_into_titles_and_answers(desk: Desk) -> None:
    desk.ask("Bread").answer("Flour and water")
    desk.chat.newChat()
    desk.ask("Trains").answer("On rails")
    desk.chat.list.search("flour")
    assert desk.titles() == ["Bread"]
    desk.chat.list.search("nothing like it")
    assert desk.chat.list.emptyText == "No chat holds “nothing like it”."
    desk.chat.list.search("")
    assert desk.titles() == ["Trains", "Bread"]


def test_a_renamed_chat_has_its_name_everywhere(desk: Desk) -> None:
    desk.ask().answer("x")
    desk.chat.list.rename(desk.chat.conversation.chatId, "  Another   name ")
    assert desk.titles() == ["Another name"]
    assert desk.chat.conversation.title == "Another name"
    desk.chat.list.rename(desk.chat.conversation.chatId, "   ")
    assert desk.said == ["A conversation needs a name. Type one."]


def test_a_deleted_chat_is_in_the_bin_and_comes_back(desk: Desk) -> None:
    desk.ask().answer("Kept")
    chat_id = desk.chat.conversation.chatId
    told: list[tuple[int, str]] = []
    desk.chat.list.deleted.connect(lambda number, title: told.append((number, title)))
    desk.chat.list.remove(chat_id)
    assert told == [(chat_id, "Hello?")]
    assert desk.titles() == []
    assert desk.chat.conversation.chatId == 0
    desk.chat.list.showBin(True)
    assert desk.titles() == ["Hello?"]
    desk.chat.list.restore(chat_id)
    assert not desk.chat.list.isBinOpen
    assert desk.titles() == ["Hello?"]
    assert desk.messages()[-1].text == "Kept"


def test_the_bin_says_how_long_the_person_wants_it_kept(desk: Desk) -> None:
    assert desk.chat.list.binTime == "30 days"
    desk.store.settings.set("privacy.bin_days", 1)
    desk.chat.list.showBin(True)
    assert desk.chat.list.emptyText == "The bin is empty. Deleted chats stay here for 1 day."


def test_deleting_for_good_needs_the_bin(desk: Desk) -> None:
    desk.ask().answer("x")
    chat_id = desk.chat.conversation.chatId
    desk.chat.list.remove(chat_id)
    desk.chat.list.showBin(True)
    desk.chat.list.removeForGood(chat_id)
    assert desk.titles() == []
    assert desk.store.chats.get(chat_id) is None


def test_an_answer_goes_on_while_another_chat_is_open(desk: Desk) -> None:
    child = desk.ask("First")
    first = desk.chat.conversation.chatId
    desk.chat.newChat()
    assert desk.chat.composer.status == "Answering in another chat"
    child.say(protocol.Text(text="Half"))
    assert desk.kinds() == []
    desk.chat.list.open(first)
    assert desk.chat.conversation.rows.rows[-1].text == "Half"
    desk.chat.newChat()
    child.answer(" done")
    assert desk.chat.conversation.chatId == 0
    assert desk.store.chats.messages(first)[-1].text == "Half done"


# --- the window of messages ----------------------------------------------------------------------------------------


LongChat = Callable[[Store, int], int]


def test_a_long_chat_opens_with_its_last_window_and_shows_more_when_asked(
    desk: Desk, write_long_chat: LongChat
) -> None:
    chat_id = write_long_chat(desk.store, 100)
    desk.chat.list.open(chat_id)
    conversation = desk.chat.conversation
    assert len(conversation.messages) == WINDOW_MESSAGES
    assert conversation.messages[-1].text == "Answer 49"
    assert conversation.hasOlder
    while conversation.hasOlder:
        conversation.loadOlder()
    assert [message.text for message in conversation.messages][:2] == ["Question 0", "Answer 0"]
    assert len(conversation.messages) == 100


def test_the_window_stays_bounded_and_finds_back_to_the_newest(desk: Desk, write_long_chat: LongChat) -> None:
    chat_id = write_long_chat(desk.store, 700)
    desk.chat.list.open(chat_id)
    conversation = desk.chat.conversation
    while conversation.hasOlder:
        conversation.loadOlder()
        assert len(conversation.rows.rows) <= MAX_ROWS
    assert conversation.messages[0].text == "Question 0"
    assert conversation.hasNewer
    conversation.showNewest()
    assert conversation.messages[-1].text == "Answer 349"
    assert not conversation.hasNewer


def test_a_chat_of_a_hundred_thousand_messages_opens_with_its_last_window(
    desk: Desk, write_long_chat: LongChat
) -> None:
    chat_id = write_long_chat(desk.store, 100_000)
    desk.chat.list.open(chat_id)
    assert [message.text for message in desk.chat.conversation.messages][-1] == "Answer 49999"
    assert len(desk.chat.conversation.messages) == WINDOW_MESSAGES
    request = desk.ask("And now?").asked[-1]
    assert isinstance(request, protocol.Generate)
    assert len(request.messages) <= MAX_MESSAGES + 1


def test_the_end_of_an_answer_leaves_the_earlier_messages_that_are_read(desk: Desk, write_long_chat: LongChat) -> None:
    desk.chat.list.open(write_long_chat(desk.store, 200))
    child = desk.ask()
    desk.chat.conversation.loadOlder()
    first = desk.chat.conversation.messages[0]
    child.answer("Done")
    assert desk.chat.conversation.messages[0] == first
    assert desk.kinds()[-2:] == ["prose", "actions"]


def test_a_chat_with_long_answers_opens_with_few_rows_and_shows_all_when_asked(desk: Desk) -> None:
    for number in range(6):
        desk.ask(f"Question {number}").answer("- item\n" * 50)
    chat_id = desk.chat.conversation.chatId
    desk.chat.newChat()
    desk.chat.list.open(chat_id)
    conversation = desk.chat.conversation
    assert len(conversation.rows.rows) <= ROWS_AT_ONCE
    assert conversation.hasOlder
    while conversation.hasOlder:
        conversation.loadOlder()
    assert [message.id for message in conversation.messages] == [message.id for message in desk.messages()]


def test_a_long_message_is_changed_whole(desk: Desk) -> None:
    desk.ask("x" * 20_000).answer("y")
    assert desk.chat.conversation.textOf(desk.messages()[0].id) == "x" * 20_000


def test_one_enormous_message_stays_bounded(desk: Desk) -> None:
    desk.ask().answer("- item\n\n" * 120_000)
    assert len(desk.chat.conversation.rows.rows) <= MAX_ROWS + 10


# --- copies and links ----------------------------------------------------------------------------------------------


def test_a_message_and_a_whole_chat_can_be_copied_and_saved(desk: Desk, tmp_path: Path) -> None:
    desk.ask("Hi").answer("**Hello**")
    desk.chat.copyMessage(desk.messages()[-1].id)
    assert QGuiApplication.clipboard().text() == "**Hello**"
    desk.chat.copyChat()
    assert "You:\nHi" in QGuiApplication.clipboard().text()
    desk.chat.saveChat(QUrl.fromLocalFile(str(tmp_path / "chat.txt")))
    assert "**Hello**" in (tmp_path / "chat.txt").read_text(encoding="utf-8")
    desk.chat.saveChat(QUrl.fromLocalFile(str(tmp_path / "no" / "chat.txt")))
    assert desk.said[-1].startswith("The chat could not be saved there")


@pytest.mark.parametrize("address", ["file:///etc/passwd", "javascript:1", "/etc/passwd", "ssh://a"])
def test_nothing_but_a_web_address_is_ever_opened(desk: Desk, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snug.ui.chat.QDesktopServices.openUrl", lambda _: pytest.fail("it was opened"))
    desk.chat.openAddress(address)
