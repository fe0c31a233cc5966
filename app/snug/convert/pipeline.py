"""Three steps of work beside each other, one thread each, with a bounded number of pieces between them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

First = TypeVar("First")
Second = TypeVar("Second")
Piece = TypeVar("Piece")


class Stopped(Exception):
    """The work was stopped on request."""


class _End:
    """The last thing in a queue."""


_POLL_S = 0.1


class Pipeline(Generic[First, Second]):
    """`read` yields pieces, `work` changes each, `write` takes them, in order. `depth` pieces wait at most.

    `work` runs on the calling thread; what any step raises stops the others and is raised by `run`.
    """

    def __init__(
        self,
        read: Callable[[], Iterator[First]],
        work: Callable[[First], Second],
        write: Callable[[Second], None],
        *,
        depth: int,
        is_cancelled: Callable[[], bool],
    ) -> None:
        self._read, self._work, self._write = read, work, write
        self._is_cancelled = is_cancelled
        self._read_pieces: queue.Queue[First | _End] = queue.Queue(depth)
        self._worked: queue.Queue[Second | _End] = queue.Queue(depth)
        self._stop = threading.Event()
        self._errors: list[BaseException] = []

    def run(self) -> None:
        """Do it all. Raises what the first failing step raised, or Stopped."""
        reader = threading.Thread(target=self._guarded, args=(self._read_all,), name="convert-read", daemon=True)
        writer = threading.Thread(target=self._guarded, args=(self._write_all,), name="convert-write", daemon=True)
        reader.start()
        writer.start()
        self._guarded(self._work_all)
        reader.join()
        writer.join()
        if self._errors:
            raise self._errors[0]
        if self._stop.is_set():
            raise Stopped

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except BaseException as error:  # noqa: BLE001 - carried to the caller, who raises it
            self._errors.append(error)
            self._stop.set()

    def _read_all(self) -> None:
        for piece in self._read():
            if not self._put(self._read_pieces, piece):
                return
        self._put(self._read_pieces, _End())

    def _work_all(self) -> None:
        while True:
            piece = self._get(self._read_pieces)
            if isinstance(piece, _End):
                self._put(self._worked, piece)
                return
            if not self._put(self._worked, self._work(piece)):
                return
            del piece  # while the next one is waited for, this one takes no memory

    def _write_all(self) -> None:
        while True:
            piece = self._get(self._worked)
            if isinstance(piece, _End):
                return
            self._write(piece)
            del piece  # as above

    def _put(self, target: queue.Queue[Piece | _End], piece: Piece | _End) -> bool:
        while not self._is_stopping():
            try:
                target.put(piece, timeout=_POLL_S)
            except queue.Full:
                continue
            return True
        return False

    def _get(self, source: queue.Queue[Piece | _End]) -> Piece | _End:
        while not self._is_stopping():
            try:
                return source.get(timeout=_POLL_S)
            except queue.Empty:
                continue
        return _End()

    def _is_stopping(self) -> bool:
        if self._is_cancelled():
            self._stop.set()
        return self._stop.is_set()
