"""What becomes of an exception that nobody caught, for example in a slot: a log entry and a toast; the app goes on."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

LOG_LIMIT_BYTES = 2_000_000


class FaultHook:
    """Replaces `sys.excepthook` while the window is open."""

    def __init__(self, logs: Path, tell: Callable[[str], None]) -> None:
        self._log = logs / "faults.log"
        self._tell = tell

    def install(self) -> None:
        sys.excepthook = self.handle

    def handle(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Log the exception and say in a few words that something went wrong."""
        if issubclass(kind, KeyboardInterrupt):
            return
        text = "".join(traceback.format_exception(kind, error, trace))
        place = self._write(f"{datetime.now(UTC).isoformat(timespec='seconds')}\n{text}\n")
        self._tell(f"Something went wrong inside Snug. Nothing was lost; {place}")

    def _write(self, text: str) -> str:
        try:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            if self._log.exists() and self._log.stat().st_size > LOG_LIMIT_BYTES:
                self._log.replace(self._log.with_suffix(".old.log"))
            with self._log.open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError:
            return "the details could not be written."
        return f"the details are in {self._log}."
