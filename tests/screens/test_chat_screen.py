"""The chat in the real window: type, send, read, stop, change, delete, and hostile text on the screen."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QPointF, Qt
from PySide6.QtGui import QGuiApplication

from snug.store import NewModel

ANSWER_MS = 120_000
SORTING = """<think>Two files may have the same name by chance, so nothing may be deleted.</think>
Keep the newest of each name, and move the rest aside instead of deleting them. That way nothing is lost if a \
name was used twice by chance.

### In three steps
1. Make a folder called **older copies** beside your pictures.
2. Sort by the date they were taken, not the file's date.
3. Move every picture but the last of each name there:

```python
# keeps the newest file of each name
for path in sorted(folder.glob("*.jpg"), key=taken):
    newest[path.stem.lower()] = path
```
"""
EVERYTHING = """# A title

Some `code`, **strong** and *slanted* words, and [a link](https://a.example/page).

> A quotation
> - with an item

| Model | Size | For |
|---|--:|---|
| Pip | 8 MB | a first try |
| Qwen | 3.1 GB | writing, and long conversations with many words in one cell |

---

- one
  - nested **two**
- [x] done
"""


class ChatHands:
    """Hands on the chat screen."""

    def __init__(self, hands, bot):
        self.hands = hands
        self.bot = bot
        self.store = hands.rooms.store
        self.chat = hands.rooms.chat

    def ask(self, text: str) -> None:
        self.hands.click("entry")
        self.hands.write(text)
        self.hands.key(Qt.Key.Key_Return)

    def wait(self) -> None:
        self.bot.waitUntil(lambda: not self.chat.composer.isAnswering, timeout=ANSWER_MS)
        self.hands.settle()

    def wait_for_text(self) -> None:
        composer = self.chat.composer
        self.bot.waitUntil(lambda: composer._reply is None or composer._reply.has_text, timeout=ANSWER_MS)

    def messages(self):
        return self.store.chats.messages(self.chat.conversation.chatId, limit=1000)

    def find(self, name: str) -> QObject:
        """An object of the chat screen that is no item, such as a dialog of the system."""
        self.bot.waitUntil(lambda: self.hands.view.findChild(QObject, name) is not None)
        return self.hands.view.findChild(QObject, name)

    def texts(self) -> list[str]:
        return [message.text for message in self.messages()]

    def add_reply(self, question: str, answer: str) -> None:
        """A finished exchange in a new chat, shown."""
        model = self.store.models.all()[0]
        chat_id = self.store.chats.create(model.id)
        self.store.chats.add_user_message(chat_id, question)
        reply = self.store.chats.begin_reply(chat_id, model.name)
        self.store.chats.save_reply(reply.id, answer, state="done", tokens=160, tokens_per_s=18.7, first_token_s=1.1)
        self.chat.list.open(chat_id)
        self.hands.settle()


@pytest.fixture
def talk(hands, qtbot) -> Iterator[ChatHands]:
    hands.go("chat")
    return ChatHands(hands, qtbot)


def test_typing_and_enter_gets_an_answer_that_is_seen_and_kept(talk, hands):
    talk.ask("What is the capital of France?")
    assert hands.item("entry").property("text") == ""
    talk.wait()
    assert "Paris" in talk.texts()[-1]
    assert any("Paris" in name for name in hands.spoken())
    assert hands.text("chatTitle") == "What is the capital of France?"
    assert "words a second" in hands.text("speed")
    hands.click("speed")
    assert "tokens" in hands.text("speed")
    hands.save_pictures("chat-answer")


def test_shift_enter_is_a_new_line_and_the_button_sends(talk, hands):
    hands.click("entry")
    hands.write("One")
    hands.key(Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    hands.write("two")
    assert talk.messages() == []
    hands.click("send")
    assert talk.texts()[0] == "One\ntwo"
    talk.wait()


def test_an_example_of_the_empty_chat_is_answered(talk, hands):
    hands.save_pictures("chat-empty")
    hands.click("example0")
    talk.wait()
    assert talk.texts()[0] == "What is Snug?"
    assert "language models" in talk.texts()[1]


def test_what_pip_says_of_snug_is_true_of_the_window(talk, hands):
    talk.add_reply("Hi", "Hello")
    assert "New chat" in hands.spoken()
    assert hands.is_shown("railDiscover")
    hands.click("chatMenu")
    hands.item("deleteChat")
    assert hands.text("deleteChat") == "Delete"


def make_wordy(talk: ChatHands, folder: Path) -> None:
    pip = talk.store.models.all()[0]
    path = folder / "wordy.gguf"
    shutil.copy(pip.path, path)
    model = talk.store.models.add(NewModel(name="Wordy", path=str(path), facts=pip.facts))
    talk.store.settings.set("chat.temperature", 2.0)
    talk.store.settings.set("chat.top_p", 1.0)
    talk.chat.newChatWith(model.id)


def test_escape_stops_an_answer_and_it_can_be_had_again(talk, hands, tmp_path):
    make_wordy(talk, tmp_path)
    talk.ask("Go on")
    talk.wait_for_text()
    hands.key(Qt.Key.Key_Escape)
    talk.wait()
    assert talk.messages()[-1].state in ("stopped", "done")
    hands.click("answerAgain")
    talk.wait_for_text()
    if talk.chat.composer.isAnswering:
        hands.click("stop")
    talk.wait()
    assert talk.messages()[-1].alternatives == 2
    hands.click("versionBefore")
    assert talk.messages()[-1].alternative == 0


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL on Windows")
def test_a_killed_engine_leaves_the_window_alive_with_one_button_that_mends(talk, hands, tmp_path):
    make_wordy(talk, tmp_path)
    asked = []
    while not asked or talk.messages()[-1].state == "done":
        asked.append(f"Go on {len(asked)}")
        talk.ask(asked[-1])
        talk.wait_for_text()
        if talk.chat.composer.isAnswering:
            os.kill(talk.chat._engine._child.pid, signal.SIGKILL)
        talk.wait()
    assert talk.messages()[-1].state == "interrupted"
    assert [message.text for message in talk.messages() if message.role == "user"] == asked
    hands.save_pictures("chat-interrupted")
    hands.click("problemAction")
    talk.wait_for_text()
    talk.chat.composer.stop()
    talk.wait()
    assert talk.texts()[-1]


def test_a_message_is_changed_in_place_and_sent_again(talk, hands):
    talk.ask("What is the capital of Spain?")
    talk.wait()
    hands.click("editMessage")
    assert hands.item("editor").property("text") == "What is the capital of Spain?"
    hands.key(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    hands.write("What is the capital of Italy?")
    hands.click("sendEdit")
    talk.wait()
    assert "Rome" in talk.texts()[-1]
    assert talk.messages()[0].alternatives == 2


def test_a_chat_is_renamed_in_a_dialog(talk, hands):
    talk.add_reply("Hi", "Hello")
    hands.click("chatMenu")
    hands.click("renameChat")
    hands.item("newTitle")
    hands.key(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    hands.write("Another name")
    hands.key(Qt.Key.Key_Return)
    assert hands.text("chatTitle") == "Another name"


def test_a_deleted_chat_comes_back_with_one_press(talk, hands):
    talk.add_reply("Keep me", "Hello")
    chat_id = talk.chat.conversation.chatId
    hands.click("chatMenu")
    hands.click("deleteChat")
    assert talk.chat.conversation.chatId == 0
    hands.click("undoDelete")
    assert talk.chat.conversation.chatId == chat_id
    assert hands.text("chatTitle") == "Keep me"


def test_the_bin_shows_what_was_deleted_and_gives_it_back(talk, hands):
    talk.add_reply("Keep me", "Hello")
    chat_id = talk.chat.conversation.chatId
    talk.chat.list.remove(chat_id)
    hands.click("bin")
    hands.settle()
    assert hands.text(f"chat{chat_id}") == "Keep me"
    hands.click("restoreChat")
    assert not talk.chat.list.isBinOpen
    assert talk.chat.conversation.chatId == chat_id


def test_deleting_for_good_asks_first(talk, hands):
    talk.add_reply("Forget me", "Hello")
    chat_id = talk.chat.conversation.chatId
    talk.chat.list.remove(chat_id)
    hands.click("bin")
    hands.settle()
    hands.click("endChat")
    hands.item("endingDanger")
    assert talk.store.chats.get(chat_id) is not None
    hands.save_pictures("chat-delete-for-good")
    hands.click("endingDanger")
    assert talk.store.chats.get(chat_id) is None
    assert talk.chat.list.rows.rows() == []


def test_control_n_begins_and_control_f_searches(talk, hands):
    talk.add_reply("Bread", "Flour and water")
    talk.add_reply("Trains", "On rails")
    hands.key(Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    assert talk.chat.conversation.chatId == 0
    assert hands.item("entry").hasActiveFocus()
    hands.key(Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert hands.item("searchChats").hasActiveFocus()
    hands.write("flour")
    talk.bot.waitUntil(lambda: [row["title"] for row in talk.chat.list.rows.rows()] == ["Bread"])


def test_the_model_is_chosen_from_a_menu(talk, hands, tmp_path):
    pip = talk.store.models.all()[0].id
    make_wordy(talk, tmp_path)
    talk.chat.refresh()
    assert talk.chat.composer.modelName == "Wordy"
    hands.click("modelChip")
    hands.click(f"model{pip}")
    assert "Pip" in talk.chat.composer.modelName


def test_a_model_gives_its_memory_back(talk, hands):
    talk.ask("Hello")
    talk.wait()
    assert talk.chat.composer.isLoaded
    hands.click("modelChip")
    hands.save_pictures("chat-model-menu")
    hands.click("giveMemoryBack")
    assert not talk.chat.composer.isLoaded


def test_a_link_asks_with_its_whole_address_before_it_opens(talk, hands, monkeypatch):
    opened = []
    monkeypatch.setattr("snug.ui.chat.QDesktopServices.openUrl", lambda url: opened.append(url.toString()))
    talk.add_reply("Link?", "See [my bank](https://evil.example/login?bank=mine) now.")
    prose = next(item for item in every(hands.view.contentItem(), "ReadingText") if "my bank" in item.property("plain"))
    prose.forceActiveFocus()
    hands.key(Qt.Key.Key_Return)
    hands.item("linkQuestionConfirm")
    assert any("https://evil.example/login?bank=mine" in name for name in hands.spoken())
    assert opened == []
    hands.click("linkQuestionConfirm")
    assert opened == ["https://evil.example/login?bank=mine"]


def every(item, kind: str):
    if item.metaObject().className().startswith(kind):
        yield item
    for child in item.childItems():
        yield from every(child, kind)


def test_code_and_answers_are_copied_with_a_press(talk, hands):
    talk.add_reply("Sort", SORTING)
    hands.click("copyCode")
    assert QGuiApplication.clipboard().text().startswith("# keeps the newest")
    hands.click("copyMessage")
    assert "### In three steps" in QGuiApplication.clipboard().text()


def test_everything_has_a_name_and_a_size_that_can_be_hit(talk, hands):
    talk.add_reply("I have two copies of many pictures. How do I keep only the newest of each name?", SORTING)
    hands.save_pictures("chat-answered")
    assert hands.nameless() == []
    assert hands.small_targets() == []


def test_every_kind_of_block_is_drawn(talk, hands):
    talk.add_reply("Show me everything", EVERYTHING)
    kinds = {row.kind for row in talk.chat.conversation.rows.rows}
    assert kinds >= {"user", "heading", "prose", "item", "table", "rule", "actions"}
    hands.save_pictures("chat-blocks")
    assert hands.nameless() == []


def test_a_long_chat_opens_at_its_end_and_stays_there_unless_scrolled(talk, hands, write_long_chat):
    chat_id = write_long_chat(talk.store, 5_000)
    talk.chat.list.open(chat_id)
    hands.settle()
    view = hands.item("messages")
    assert view.property("contentY") == pytest.approx(view.property("contentHeight") - view.height(), abs=2)
    assert not hands.is_shown("newest")
    before = view.property("contentHeight") - view.property("contentY")
    view.forceActiveFocus()
    hands.key(Qt.Key.Key_Home)
    talk.bot.waitUntil(lambda: len(talk.chat.conversation.messages) > 30)
    hands.settle()
    assert view.property("contentY") > 0
    assert view.property("contentHeight") - view.property("contentY") > before
    hands.click("newest")
    hands.settle()
    assert view.property("contentY") == pytest.approx(view.property("contentHeight") - view.height(), abs=2)


def test_the_list_folds_away_and_comes_back(talk, hands):
    hands.click("foldList")
    assert not hands.is_shown("searchChats")
    assert "New chat" in hands.spoken()
    hands.save_pictures("chat-folded")
    hands.click("showList")
    hands.item("searchChats")


HOSTILE = (
    "![a](/dev/zero)",
    "![a](file:///dev/zero)",
    "![a](http://127.0.0.1:{port}/x.png)",
    "<img src='/dev/zero'>",
    "<img src='http://127.0.0.1:{port}/x.png'>",
    "<iframe src='http://127.0.0.1:{port}/'></iframe>",
    "<style>@import url(http://127.0.0.1:{port}/a.css)</style>",
    "<p style=\"background-image:url('/etc/passwd')\">x</p>",
    "[x](javascript:alert(1)) [y](file:///etc/passwd)",
    "`<img src='/dev/zero'>`",
    "```html\n<img src='/dev/zero'>\n```",
    "| <img src=/dev/zero> | ![b](/dev/zero) |\n|---|---|\n| <img src='/etc/passwd'> | x |",
    "# <img src=/dev/zero>",
    "> <object data='/etc/passwd'>",
    "- ![c](/etc/passwd)",
    "<think><img src='/dev/zero'></think>![d](/dev/zero)",
    "&lt;img src='/dev/zero'&gt;",
    "\u202e<img src='/dev/zero'>\u0000\ufffc",
    "**<img src='/dev/zero'>** *<img src='http://127.0.0.1:{port}/y.png'>*",
    "[<img src='/dev/zero'>](https://a.example)",
)


@pytest.fixture
def watched(monkeypatch) -> Iterator[tuple[int, Callable[[], list[str]]]]:
    """A local server's port, and what was opened or connected to: by Python, by QML's loaders, or on the wire."""
    import socket
    import sys

    server = socket.create_server(("127.0.0.1", 0))
    server.setblocking(False)
    seen: list[str] = []
    is_on = [True]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if is_on[0] and (event == "socket.connect" or (event == "open" and is_foreign(str(arguments[0])))):
            seen.append(f"{event} {arguments}")

    sys.addaudithook(hook)

    def found() -> list[str]:
        try:
            server.accept()
            seen.append("a connection arrived")
        except BlockingIOError:
            pass
        seen.extend(f"descriptor {path}" for path in open_files() if is_foreign(path))
        return seen

    yield server.getsockname()[1], found
    is_on[0] = False
    server.close()


def is_foreign(path: str) -> bool:
    return path.startswith(("/dev/zero", "/etc/passwd"))


def open_files() -> list[str]:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        return []
    paths = []
    for entry in folder.iterdir():
        try:
            paths.append(os.readlink(entry))
        except FileNotFoundError:
            continue
    return paths


def test_two_hundred_hostile_texts_open_no_file_and_no_connection(talk, hands, watched):
    port, found = watched
    samples = [sample.replace("{port}", str(port)) for sample in HOSTILE]
    texts = [
        f"{samples[number % len(samples)]}\n\n{samples[(7 * number + number // 20) % len(samples)]}"
        for number in range(200)
    ]
    model = talk.store.models.all()[0]
    chat_id = talk.store.chats.create(model.id)
    for start in range(0, len(texts), 10):
        talk.store.chats.add_user_message(chat_id, texts[start])
        reply = talk.store.chats.begin_reply(chat_id, model.name)
        talk.store.chats.save_reply(reply.id, "\n\n".join(texts[start : start + 10]), state="done")
    talk.chat.list.open(chat_id)
    hands.settle()
    while talk.chat.conversation.hasOlder:
        talk.chat.conversation.loadOlder()
        hands.settle()
    view = hands.item("messages")
    for position in range(0, int(view.property("contentHeight")), 600):
        view.setProperty("contentY", position)
        hands.settle()
    assert found() == []
    rich = [item.property("rich") for item in every(view, "ReadingText")]
    assert len(rich) > 400
    assert not any(
        tag in text for text in rich for tag in ("<img", "<style", "<iframe", "<object", 'javascript:alert(1)"')
    )
    assert not [item for item in every(view, "QQuickImage") if is_foreign_source(item)]


def is_foreign_source(item: QObject) -> bool:
    source = item.property("source").toString()
    return bool(source) and not source.startswith("image://icon/")


def test_a_press_on_the_words_of_a_link_only_asks(talk, hands, monkeypatch):
    monkeypatch.setattr("snug.ui.chat.QDesktopServices.openUrl", lambda _: pytest.fail("it was opened"))
    talk.add_reply("Link?", "[press here for a very long link text](https://a.example/x)")
    prose = next(item for item in every(hands.view.contentItem(), "ReadingText") if "press" in item.property("plain"))
    from PySide6.QtTest import QTest

    point = prose.mapToScene(QPointF(60, prose.height() / 2)).toPoint()
    QTest.mouseClick(hands.view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, point)
    hands.item("linkQuestionCancel")
    hands.click("linkQuestionCancel")
    talk.bot.waitUntil(lambda: not hands.is_shown("linkQuestionCancel"))


def test_saving_as_text_asks_for_a_place(talk, hands):
    talk.add_reply("Hi", "Hello")
    hands.click("chatMenu")
    hands.click("saveChat")
    dialog = talk.find("saveDialog")
    talk.bot.waitUntil(lambda: dialog.property("visible"))
    dialog.setProperty("visible", False)
    hands.settle()


def test_a_streamed_answer_is_read_while_it_is_written(talk, hands, tmp_path):
    make_wordy(talk, tmp_path)
    talk.ask("Go on")
    talk.wait_for_text()
    if talk.chat.composer.isAnswering:
        assert hands.is_shown("stop")
        assert not hands.is_shown("send")
        shown = [row for row in talk.chat.conversation.rows.rows if row.messageId == talk.messages()[-1].id]
        assert any(row.text for row in shown)
        assert shown[-1].isWriting
    talk.chat.composer.stop()
    talk.wait()
    assert hands.is_shown("send")


def turn_wheel(hands, item, steps: int) -> None:
    """Turn the mouse wheel over an item; up is above zero."""
    from PySide6.QtCore import QPoint
    from PySide6.QtGui import QWheelEvent

    place = QPointF(hands.centre(item))
    for _ in range(abs(steps)):
        turn = QPoint(0, 120 if steps > 0 else -120)
        event = QWheelEvent(
            place, place, QPoint(), turn, Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QGuiApplication.sendEvent(hands.view, event)
        hands.settle()


def test_the_view_keeps_to_the_end_of_a_growing_answer_unless_the_person_scrolled_up(talk, hands):
    from snug.ui.chat_row_building import LIGHT, ReplyRows

    talk.add_reply("Count", "one\n\n" * 60)
    view = hands.item("messages")
    conversation = talk.chat.conversation
    reply = ReplyRows(talk.messages()[-1], LIGHT)
    conversation.write_into(reply, talk.messages()[-1].id)

    def grow() -> None:
        reply.feed("more\n\n" * 30)
        conversation.show_reply()
        hands.settle()

    def distance() -> float:
        return view.property("contentHeight") - view.height() - view.property("contentY")

    for _ in range(4):
        grow()
        assert distance() == pytest.approx(0, abs=2)
    turn_wheel(hands, view, 5)
    before = view.property("contentY")
    assert distance() > 80
    grow()
    assert view.property("contentY") == pytest.approx(before, abs=1)
    assert hands.is_shown("newest")
    hands.click("newest")
    grow()
    assert distance() == pytest.approx(0, abs=2)
