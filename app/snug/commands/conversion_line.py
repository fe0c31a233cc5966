"""How far a conversion is, on one line of a terminal that is written over, or line by line into a file."""

from __future__ import annotations

from typing import TextIO

from snug.commands.command import plain
from snug.core.words import duration_text, rate_text, size_text
from snug.worker.conversion_messages import ConversionProgress
from snug.worker.protocol import Event, Progress

_WIDTH = 100
_STAGES = {"fetching": "Fetching", "calibrating": "Calibrating", "converting": "Converting", "verifying": "Checking "
           "that the disk has every byte", "checking": "Trying the result"}  # fmt: skip


def conversion_words(event: ConversionProgress) -> str:
    """One line: the stage, its share, rate and time left."""
    words = _STAGES.get(event.stage, event.stage)
    if event.stage in ("calibrating", "checking") and event.total_bytes > 0:
        return f"{event.doing or words}: {100 * event.done_bytes // event.total_bytes} %"
    if event.total_bytes <= 0:
        return f"{words}… {event.doing}".strip()
    words += f": {100 * event.done_bytes // event.total_bytes} % of {size_text(event.total_bytes)}"
    if event.rate > 0 and event.seconds_left > 0:
        words += f", {rate_text(event.rate)}, {duration_text(event.seconds_left)} left"
    return words


class ConversionLine:
    """Shows a conversion as it goes; `close` leaves the last line standing."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._is_terminal = out.isatty()
        self._step: tuple[str, int] = ("", -1)
        self._has_shown = False

    def show(self, event: Event) -> None:
        if isinstance(event, Progress):
            words, step = event.doing, (event.doing, 0)
        elif isinstance(event, ConversionProgress):
            words = conversion_words(event)
            step = (event.stage, 10 * event.done_bytes // max(1, event.total_bytes))
        else:
            return
        words = plain(words)[:_WIDTH]
        self._has_shown = True
        if self._is_terminal:
            self._out.write("\r" + words.ljust(_WIDTH))
        elif step != self._step:
            self._out.write(words + "\n")
        self._step = step
        self._out.flush()

    def close(self) -> None:
        if self._is_terminal and self._has_shown:
            self._out.write("\n")
            self._out.flush()
