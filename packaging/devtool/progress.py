"""Progress of the set-up in the terminal: one live line where it is a terminal, now and then a line where not."""

from __future__ import annotations

import re
import shutil
import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

QUIET_INTERVAL_S = 15.0
LIVE_INTERVAL_S = 0.5

_NINJA = re.compile(r"^\s*\[(\d+)/(\d+)\] (.*)")
_PIP = re.compile(
    r"^\s*(Collecting|Downloading|Using cached|Building wheel for|Installing collected packages)[: ]+(\S+)"
)
_END_OF_NAME = re.compile(r"[<>=!~;(\[]")
_PIP_WORDS = {
    "Collecting": "looking up",
    "Downloading": "downloading",
    "Using cached": "taking from the cache",
    "Building wheel for": "building",
}


def parse_ninja(line: str) -> tuple[int, int, str] | None:
    """(done, total, file) of a line of ninja's such as "[12/345] Building CXX object a/b.cpp.o"."""
    found = _NINJA.match(line)
    if found is None:
        return None
    done, total = int(found[1]), int(found[2])
    if total < 1 or done > total:
        return None
    words = found[3].split()
    name = re.sub(r"\.(o|obj)$", "", words[-1].rsplit("/", 1)[-1]) if words else ""
    return done, total, name


def parse_pip(line: str) -> str:
    """What pip is doing, in words, or "" for a line that says nothing to a person."""
    found = _PIP.match(line)
    if found is None:
        return ""
    if found[1] == "Installing collected packages":
        return "unpacking"
    is_file = found[1] in ("Downloading", "Using cached")
    name = found[2].rsplit("/", 1)[-1].split("-")[0] if is_file else _END_OF_NAME.split(found[2])[0]
    return f"{_PIP_WORDS[found[1]]} {name}"


def clock(seconds: float) -> str:
    """ "1:05" for 65 seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def time_left(share: float, elapsed_s: float) -> str:
    """ ", about 3 min left" once enough is done to say so."""
    if share < 0.05 or elapsed_s < 5:
        return ""
    left = elapsed_s / share - elapsed_s
    return f", about {max(1, round(left / 60))} min left" if left > 45 else ", less than a minute left"


class Step:
    """One step of the set-up, as a context: says what it is doing, how long it takes, and how much of it is done.

    The line goes on counting while nothing new is known, so that nobody wonders whether it stands still.
    """

    def __init__(
        self, title: str, out: TextIO | None = None, now: Callable[[], float] = time.monotonic, live: bool | None = None
    ) -> None:
        self._title = title
        self._out = out if out is not None else sys.stderr
        self._now = now
        self._live = self._out.isatty() if live is None else live
        self._began = now()
        self._shown_at = self._began
        self._doing = ""
        self._share: float | None = None
        self._width = 0
        self._over = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)
        self._writing = threading.Lock()

    def __enter__(self) -> Step:
        self._write(self._line())
        self._ticker.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._over.set()
        self._ticker.join()
        took = clock(self._now() - self._began)
        self._write(f"{self._title} done in {took}" if kind is None else f"{self._title} stopped after {took}")
        if self._live:
            self._out.write("\n")
            self._out.flush()

    def show(self, doing: str, share: float | None = None) -> None:
        """Notes what is being done now. A file or a pipe gets a line only every `QUIET_INTERVAL_S`."""
        self._doing, self._share = doing, share
        self.refresh()

    def refresh(self) -> None:
        """Writes the line anew when it is time to."""
        now = self._now()
        if now - self._shown_at >= (LIVE_INTERVAL_S if self._live else QUIET_INTERVAL_S):
            self._shown_at = now
            self._write(self._line())

    def _tick(self) -> None:
        while not self._over.wait(LIVE_INTERVAL_S):
            self.refresh()

    def _line(self) -> str:
        elapsed = self._now() - self._began
        share = "" if self._share is None else f", {self._share:.0%}{time_left(self._share, elapsed)}"
        return f"{self._title} {clock(elapsed)}{share}" + (f" ({self._doing})" if self._doing else "")

    def _write(self, text: str) -> None:
        with self._writing:
            if self._live:
                text = text[: shutil.get_terminal_size().columns - 1]
                self._out.write("\r" + text.ljust(self._width))
                self._width = len(text)
            else:
                self._out.write(text + "\n")
            self._out.flush()
