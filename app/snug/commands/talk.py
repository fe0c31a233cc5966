"""A conversation in the terminal: streamed answers, Ctrl-C stops one, messages kept as they come."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING

from snug.commands.command import Context, plain
from snug.commands.find_model import ChosenModel
from snug.core.errors import UserError
from snug.worker import protocol
from snug.worker.client import WorkerClient

if TYPE_CHECKING:
    from snug.store import MessageRow, Store

SAVE_EVERY_S = 1.0
WORDS_PER_TOKEN = 0.75
TOKENS_TO_MEASURE = 32


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer and how it came about."""

    text: str
    done: protocol.GenerationDone
    left_out: int


class ChatRecord:
    """A conversation in the store: the question is committed before the answer, the answer once a second."""

    def __init__(self, store: Store, model: ChosenModel) -> None:
        self._store = store
        self._chats = store.chats
        self._model = model
        self._chat = self._chats.create(model.id)
        self._reply: MessageRow | None = None
        self._saved_at = 0.0

    def begin(self, question: str) -> None:
        self._chats.add_user_message(self._chat, question)
        self._reply = self._chats.begin_reply(self._chat, self._model.name)
        self._saved_at = time.monotonic()

    def follow(self, text: str) -> None:
        """The answer so far; saved when the last time is a second ago."""
        if self._reply is not None and time.monotonic() - self._saved_at >= SAVE_EVERY_S:
            self._chats.save_reply(self._reply.id, text)
            self._saved_at = time.monotonic()

    def end(self, text: str, done: protocol.GenerationDone | None) -> None:
        """The whole answer; without `done` it was cut off by a failure."""
        if self._reply is None:
            return
        if done is None:
            self._chats.save_reply(self._reply.id, text, state="interrupted" if text else "failed")
        else:
            self._chats.save_reply(
                self._reply.id,
                text,
                state="stopped" if done.reason == "stopped" else "done",
                tokens=done.tokens,
                tokens_per_s=done.tokens_per_s or None,
                first_token_s=done.first_token_s,
            )
            self._note_speed(done)
        self._reply = None

    def _note_speed(self, done: protocol.GenerationDone) -> None:
        """What was measured here replaces the estimate."""
        if self._model.id is not None:
            self._store.models.touch(self._model.id)
            if done.tokens >= TOKENS_TO_MEASURE:
                self._store.models.record_speed(self._model.id, done.tokens_per_s)


@dataclass
class Talk:
    """One conversation with the model that `child` has loaded."""

    context: Context
    child: WorkerClient
    sampling: protocol.Sampling
    system: str = ""
    record: ChatRecord | None = None
    messages: list[protocol.ChatMessage] = field(default_factory=list)

    def ask(self, question: str) -> Reply:
        """Ask and stream the answer to the terminal. Raises UserError; what had come until then is kept."""
        parts: list[str] = []
        left_out = 0

        def on_event(event: protocol.Event) -> None:
            nonlocal left_out
            if isinstance(event, protocol.GenerationStarted):
                left_out = event.left_out
            elif isinstance(event, protocol.Text):
                parts.append(event.text)
                self.context.say(event.text, end="")
                if self.record is not None:
                    self.record.follow("".join(parts))

        asked = [*self.messages, protocol.ChatMessage(role="user", text=question)]
        if self.record is not None:
            self.record.begin(question)
        done: protocol.GenerationDone | None = None
        try:
            with interrupts_stop(self.child):
                final = self.child.request(self._request(asked), on_event)
            if not isinstance(final, protocol.GenerationDone):
                raise UserError("The answer was cancelled.", kind="cancelled")
            done = final
        finally:
            if self.record is not None:
                self.record.end("".join(parts), done)
            self.context.say()
        self.messages = [*asked, protocol.ChatMessage(role="assistant", text="".join(parts))]
        return Reply("".join(parts), done, left_out)

    def _request(self, asked: list[protocol.ChatMessage]) -> protocol.Generate:
        system = [protocol.ChatMessage(role="system", text=self.system)] if self.system else []
        return protocol.Generate(messages=[*system, *asked], sampling=self.sampling)

    def run(self, read_line: LineReader) -> None:
        """Ask until the person ends it: an empty end of input, "/quit", or Ctrl-C at the question mark."""
        while (question := read_line()) is not None:
            if question.strip() in ("/quit", "/exit"):
                return
            if not question.strip():
                continue
            try:
                reply = self.ask(question)
            except UserError as error:
                if error.kind not in ("too-long", "template-refused"):
                    raise
                self.context.say(str(error))
                continue
            self._say_figures(reply)

    def _say_figures(self, reply: Reply) -> None:
        if reply.left_out:
            self.context.say(f"({reply.left_out} oldest messages did not fit and were left out.)")
        notes = {"stopped": ", stopped", "context_full": ", the conversation memory is full"}
        pace = reply.done.tokens_per_s * WORDS_PER_TOKEN
        pace_text = f"about {pace:,.0f} words a second" if pace >= 1 else f"{reply.done.tokens} tokens"
        self.context.say(f"({pace_text}{notes.get(reply.done.reason, '')})")


class LineReader:
    """Reads the person's lines; None at the end of input or at Ctrl-C."""

    def __init__(self, context: Context, prompt: str = "\nYou: ") -> None:
        self._context = context
        self._prompt = prompt

    def __call__(self) -> str | None:
        try:
            self._context.say(plain(self._prompt), end="")
            wait_for_line()
            return input()
        except (EOFError, KeyboardInterrupt):
            self._context.say()
            return None


def wait_for_line() -> None:
    """Return when a line can be read in a terminal; a Ctrl-C raises KeyboardInterrupt at whatever instant it comes.

    `input` alone loses one that comes just before it begins to read: the signal is noted, and the read waits on.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if sys.platform == "win32" or not is_main or not sys.stdin.isatty():
        return
    pressed, press = os.pipe()
    try:
        os.set_blocking(press, False)
        before = signal.set_wakeup_fd(press, warn_on_full_buffer=False)
        try:
            select.select([sys.stdin, pressed], [], [])
        finally:
            signal.set_wakeup_fd(before)
    finally:
        os.close(pressed)
        os.close(press)


@contextmanager
def interrupts_stop(child: WorkerClient) -> Iterator[None]:
    """Ctrl-C stops the answer and its result comes as usual; a second Ctrl-C ends the command."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    presses = 0

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal presses
        presses += 1
        if presses > 1:
            raise KeyboardInterrupt
        # In a thread: the interrupted code may be holding the client's lock.
        threading.Thread(target=child.cancel, daemon=True).start()

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
