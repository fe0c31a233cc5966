"""A blocking client of one child process: for the command line and for tests."""

from __future__ import annotations

import queue
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from snug.core.errors import UserError
from snug.worker import frames, protocol
from snug.worker.death import ChildDeath, MemoryFacts, explain_bad_frame, explain_death, explain_hang
from snug.worker.environment import child_command, child_environment, last_words, new_child_log

START_LIMIT_S = 30.0
STOP_GRACE_S = 2.0


class ChildDied(UserError):
    """The child ended before it answered; the words say why."""


class WorkerClient:
    """One child. `request` blocks until the final event; start it on the thread that outlives it.

    Linux ends a child when the *thread* that started it ends, so a client belongs to a long-lived thread.
    """

    def __init__(
        self,
        logs: Path,
        *,
        command: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
        memory: MemoryFacts | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.log = new_child_log(logs)
        self.memory = memory
        with self.log.open("ab") as stderr:
            self._process = subprocess.Popen(
                list(command or child_command()),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=dict(environment if environment is not None else child_environment()),
                bufsize=0,
                pass_fds=tuple(pass_fds),
            )
        self._numbers = 0
        self._events: queue.Queue[frames.EventFrame | frames.BadFrame | None] = queue.Queue()
        self._write_lock = threading.Lock()
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait_ready(self, timeout: float = START_LIMIT_S) -> protocol.Ready:
        """The child's first event; raises ChildDied where it does not come or is of another version."""
        frame = self._next(time.monotonic() + timeout, timeout)
        if not isinstance(frame.body, protocol.Ready) or frame.body.version != protocol.PROTOCOL_VERSION:
            raise self._died(explain_bad_frame(f"protocol version of {frame.body!r}", last_words(self.log)))
        return frame.body

    def request(
        self,
        body: protocol.Request,
        on_event: Callable[[protocol.Event], None] | None = None,
        timeout: float | None = None,
    ) -> protocol.Event:
        """The final event of a request. `on_event` gets the others; `timeout` is in seconds since the last event.

        Raises UserError for `Failed` and ChildDied for a dead, silent or confused child.
        """
        number = self.send(body)
        deadline = _deadline(timeout)
        while True:
            frame = self._next(deadline, timeout or 0.0)
            if frame.id != number:
                continue
            if isinstance(frame.body, protocol.Failed):
                raise as_error(frame.body)
            if isinstance(frame.body, protocol.FINAL_EVENTS):
                return frame.body
            deadline = _deadline(timeout)
            if on_event is not None:
                on_event(frame.body)

    def next_frame(self, timeout: float | None = None) -> frames.EventFrame:
        """The next event of any request, for who has sent several. Raises ChildDied."""
        return self._next(_deadline(timeout), timeout or 0.0)

    def send(self, body: protocol.Request) -> int:
        """Write one request without waiting; its number."""
        self._numbers += 1
        self._write(frames.encode_request(self._numbers, body))
        return self._numbers

    def cancel(self, number: int | None = None) -> None:
        """Ask a job (the latest by default) to stop."""
        job = self._numbers if number is None else number
        self._write(frames.encode_request(0, protocol.Cancel(job=job)))

    def kill(self) -> None:
        """End the child at once; it is safe at any instant."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Ask the child to end, and end it where it does not."""
        if self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except OSError:  # it has gone already
                self._process.stdin = None
        try:
            self._process.wait(STOP_GRACE_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._reader.join(STOP_GRACE_S)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> WorkerClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, t: TracebackType | None) -> None:
        self.close()

    def _write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        view = memoryview(data)
        with self._write_lock:
            try:
                while view:
                    view = view[self._process.stdin.write(view) or 0 :]
            except (OSError, ValueError):
                return  # the end of its output tells why

    def _read(self, stdout: BinaryIO) -> None:
        """The reader thread: frames into the queue, None at the end."""
        reader = frames.event_reader()
        while data := stdout.read(65536):
            try:
                for frame in reader.feed(data):
                    assert isinstance(frame, frames.EventFrame)
                    self._events.put(frame)
            except frames.BadFrame as error:
                self._events.put(error)
                return
        self._events.put(None)

    def _next(self, deadline: float | None, allowed: float) -> frames.EventFrame:
        try:
            frame = self._events.get(timeout=None if deadline is None else max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise self._died(explain_hang(allowed, last_words(self.log))) from None
        if isinstance(frame, frames.BadFrame):
            raise self._died(explain_bad_frame(str(frame), last_words(self.log)))
        if frame is None:
            self._events.put(None)  # whoever asks next hears the same
            code = self._process.wait()
            raise self._died(explain_death(code, None, last_words(self.log), self.memory))
        return frame

    def _died(self, death: ChildDeath) -> ChildDied:
        self.kill()
        return ChildDied(death.cause, death.advice, kind=death.kind, details=death.details)


def as_error(failed: protocol.Failed) -> UserError:
    """The error that a `Failed` event carries."""
    return UserError(failed.title, failed.advice, kind=failed.kind, details=failed.details, bad_input=failed.bad_input)


def _deadline(seconds: float | None) -> float | None:
    return None if seconds is None else time.monotonic() + seconds
