"""The child's loop: a thread reads requests, the main thread does one job at a time."""

from __future__ import annotations

import faulthandler
import logging
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

from snug.core.errors import UserError
from snug.worker import frames, protocol
from snug.worker.conversion_messages import ConversionProgress
from snug.worker.handlers import find_handler
from snug.worker.throttle import Throttle

if TYPE_CHECKING:
    from snug.worker.channel import Channel

log = logging.getLogger("snug.worker")

PROTOCOL_FAULT = 76
"""The exit code of a child that was sent something that is no message."""

_DETAILS_LIMIT = 20_000


class Stopped(Exception):
    """The parent asked for the job to stop."""


class Job:
    """One request being answered: the handler's way to say something and to hear that it should stop."""

    def __init__(self, number: int, loop: Loop, clock: Callable[[], float] = time.monotonic) -> None:
        self.number = number
        self._loop = loop
        self._text: list[str] = []
        self._text_pace = Throttle(protocol.TOKEN_EVENTS_PER_S, clock)
        self._progress_pace = Throttle(protocol.PROGRESS_EVENTS_PER_S, clock)
        self._last_state = ""

    def emit(self, event: protocol.Event) -> None:
        """Say `event`. Text is gathered to `TOKEN_EVENTS_PER_S`, surplus progress is dropped, order is kept."""
        if isinstance(event, protocol.Text):
            self._text.append(event.text)
            if self._text_pace.is_due():
                self.flush()
            return
        self.flush()
        if isinstance(event, protocol.Progress):
            if event.doing == self._last_state and not self._progress_pace.is_due():
                return
            self._last_state = event.doing
        elif isinstance(event, protocol.DownloadProgress | ConversionProgress):
            state = event.stage if isinstance(event, ConversionProgress) else f"{event.state} {event.note}"
            if state == self._last_state and not self._progress_pace.is_due():
                return
            self._last_state = state
        self._loop.send(self.number, event)

    def flush(self) -> None:
        """Send the text that was gathered."""
        if self._text:
            text, self._text = "".join(self._text), []
            self._loop.send(self.number, protocol.Text(text=text))

    def is_cancelled(self) -> bool:
        """Whether the parent asked for this job to stop."""
        return self._loop.is_cancelled(self.number)

    def when_cancelled(self, action: Callable[[], None]) -> None:
        """Call `action` from the reader thread as soon as this job is cancelled; at once where it was already."""
        self._loop.when_cancelled(self.number, action)

    def check(self) -> None:
        """Raise Stopped where the parent asked for this job to stop."""
        if self.is_cancelled():
            raise Stopped


class Loop:
    """Answers the requests that come through `channel` until it closes."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._jobs: queue.Queue[frames.RequestFrame] = queue.Queue()
        self._cancelled: set[int] = set()
        self._cancel_actions: dict[int, Callable[[], None]] = {}
        self._cancel_lock = threading.Lock()
        self._write_lock = threading.Lock()

    def run(self) -> int:
        """Answer jobs for ever; the reader thread ends the process."""
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
        faulthandler.enable()  # a crash in native code leaves its Python stack in the log
        self.send(0, protocol.Ready(version=protocol.PROTOCOL_VERSION, pid=os.getpid()))
        threading.Thread(target=self._read, name="requests", daemon=True).start()
        while True:
            frame = self._jobs.get()
            job = Job(frame.id, self)
            final = answer(frame.body, job)
            job.flush()
            try:
                self.send(frame.id, final)
            except UserError as error:  # the answer is larger than a frame
                self.send(frame.id, failure(error))
            with self._cancel_lock:
                self._cancelled.discard(frame.id)
                self._cancel_actions.pop(frame.id, None)

    def send(self, number: int, event: protocol.Event) -> None:
        """Write one frame; where the parent has gone, the process ends."""
        view = memoryview(frames.encode_event(number, event))
        with self._write_lock:
            while view:
                try:
                    view = view[os.write(self._channel.write, view) :]
                except OSError:
                    os._exit(0)

    def is_cancelled(self, number: int) -> bool:
        return number in self._cancelled

    def when_cancelled(self, number: int, action: Callable[[], None]) -> None:
        with self._cancel_lock:
            self._cancel_actions[number] = action
            if number in self._cancelled:
                action()

    def _cancel(self, number: int) -> None:
        with self._cancel_lock:
            self._cancelled.add(number)
            action = self._cancel_actions.get(number)
            if action is not None:
                action()

    def _read(self) -> None:
        """The reader thread: what must be answered at once is, jobs are queued, the end of input ends all."""
        reader = frames.request_reader()
        while True:
            try:
                data = os.read(self._channel.read, 65536)
            except OSError:
                data = b""
            if not data:
                os._exit(0)
            try:
                for frame in reader.feed(data):
                    self._take(frame)  # type: ignore[arg-type]
            except frames.BadFrame as error:
                log.error("the parent sent something that is no message: %s", error)
                os._exit(PROTOCOL_FAULT)

    def _take(self, frame: frames.RequestFrame) -> None:
        match frame.body:
            case protocol.Ping():
                self.send(frame.id, protocol.Pong())
            case protocol.Cancel(job=number):
                self._cancel(number)
            case protocol.Shutdown():
                os._exit(0)
            case _:
                self._jobs.put(frame)


def answer(request: protocol.Request, job: Job) -> protocol.Event:
    """The final event of a request: its result, `Cancelled`, or `Failed` in words."""
    try:
        job.check()
        return find_handler(type(request))(request, job)
    except Stopped:
        return protocol.Cancelled()
    except UserError as error:
        return failure(error)
    except MemoryError:
        return protocol.Failed(
            title="There is not enough memory for this.",
            advice="Close other programs, or choose a smaller model or a shorter conversation memory.",
            kind="no-memory",
            details=traceback.format_exc()[-_DETAILS_LIMIT:],
        )
    except Exception:
        log.exception("%s failed", type(request).__name__)
        return protocol.Failed(
            title="Something went wrong inside Snug.",
            advice="Try it again. If it happens again, the details will help whoever mends it.",
            kind="bug",
            details=traceback.format_exc()[-_DETAILS_LIMIT:],
            bug=True,
        )


def failure(error: UserError) -> protocol.Failed:
    """A UserError as it crosses to the parent."""
    return protocol.Failed(
        title=error.title,
        advice=error.advice,
        kind=error.kind,
        details=error.details[-_DETAILS_LIMIT:],
        bad_input=error.bad_input,
    )
