"""How far something is, on one line of a terminal that is written over, or line by line into a file."""

from __future__ import annotations

from typing import TextIO

from snug.commands.command import plain
from snug.core.words import duration_text, rate_text, size_text
from snug.worker.protocol import DownloadProgress

_WIDTH = 100
_STEPS = 10


def download_words(event: DownloadProgress) -> str:
    """One line about a download: its share, rate and time left, or why it waits."""
    if event.note:
        return event.note
    if event.state == "verifying":
        return "Checking that every byte is right…"
    if event.state == "starting" or not event.total_bytes:
        return "Starting…"
    share = f"{100 * event.done_bytes // event.total_bytes} %"
    words = f"{share} of {size_text(event.total_bytes)}"
    if event.rate > 0:
        words += f", {rate_text(event.rate)}, {duration_text(event.seconds_left)} left"
    return words


class ProgressLine:
    """Shows downloads as they go; `close` leaves the last line standing."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._is_terminal = out.isatty()
        self._shown = ""
        self._step = -1

    def show(self, event: DownloadProgress) -> None:
        words = plain(download_words(event))[:_WIDTH]
        if self._is_terminal:
            self._out.write("\r" + words.ljust(_WIDTH))
        elif self._is_news(event, words):
            self._out.write(words + "\n")
        self._out.flush()

    def _is_news(self, event: DownloadProgress, words: str) -> bool:
        """In a file, a line for each tenth and for each reason to wait."""
        if event.state == "downloading" and not event.note:
            step = _STEPS * event.done_bytes // max(1, event.total_bytes)
            self._step, is_new = max(step, self._step), step > self._step
            return is_new
        self._shown, is_new = words, words != self._shown
        return is_new

    def close(self) -> None:
        if self._is_terminal:
            self._out.write("\n")
            self._out.flush()
