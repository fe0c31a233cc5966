"""One verb of the command line, and what it is handed: folders, output, children, the store."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

import msgspec

from snug.core.errors import UserError
from snug.paths import Paths
from snug.worker.client import WorkerClient

if TYPE_CHECKING:
    from snug.store import Store

_KEPT_CONTROLS = {"\n", "\t"}


def plain(text: str) -> str:
    """`text` without control characters, so that a foreign name or answer cannot steer the terminal."""
    return "".join(c if c in _KEPT_CONTROLS or (ord(c) >= 32 and not 127 <= ord(c) < 160) else " " for c in text)


@dataclass
class Context:
    """What every command is handed. `json` is True where one document is wanted instead of words."""

    paths: Paths
    json: bool = False
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    _resources: ExitStack = field(default_factory=ExitStack)

    def say(self, text: str = "", *, end: str = "\n") -> None:
        """Words for the person; nothing where a document is wanted."""
        if not self.json:
            self.out.write(plain(text) + end)
            self.out.flush()

    def note(self, text: str) -> None:
        """Words beside the result, on stderr: progress, notices."""
        self.err.write(plain(text) + "\n")
        self.err.flush()

    def print_document(self, document: Any) -> None:
        """The one JSON document of `--json`; dataclasses and message structs may stand in it."""
        encoded = msgspec.json.format(msgspec.json.encode(document, enc_hook=str), indent=2)
        self.out.write(encoded.decode() + "\n")
        self.out.flush()

    def child(self) -> WorkerClient:
        """A started child process that ends with the command; also usable in a `with` statement."""
        client = self._resources.enter_context(WorkerClient(self.paths.logs))
        client.wait_ready()  # so that its start, slow on a busy computer, is no part of a request's time limit
        return client

    def open_store(self, write: bool = False) -> Store:
        """The library and the chats. Writing needs the instance lock: raises UserError while the window has it."""
        from snug.store import InstanceLock, open_store  # slow to import: only commands that need it pay

        if write:
            lock = InstanceLock(self.paths)
            if not lock.acquire():
                raise UserError(
                    "Snug is already open.",
                    "Do this in its window, or close the window and try again.",
                    kind="already-open",
                )
            self.on_close(lock.release)
        store, notices = open_store(self.paths, now=lambda: datetime.now(UTC), read_only=not write, busy_ms=5000)
        self.on_close(store.close)
        for notice in notices:
            self.note(f"{notice.title} {notice.text}".strip())
        return store

    def on_close(self, action: Callable[[], None]) -> None:
        """Do this when the command has ended, however it ends."""
        self._resources.callback(action)

    def close(self) -> None:
        """End the children and close the store."""
        self._resources.close()


@dataclass(frozen=True, slots=True)
class Command:
    """One verb. `run` returns the exit code; it raises UserError where the world or the input is at fault."""

    name: str
    help: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace, Context], int]
