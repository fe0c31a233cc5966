"""What was asked of the test Hub, and which bytes of which file it sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Entry:
    """One request. `first` and `end` are the bytes of the file that were really sent (end exclusive)."""

    where: str
    method: str
    path: str
    status: int
    range: str = ""
    file: str = ""
    first: int = 0
    end: int = 0
    authorised: bool = False
    user_agent: str = ""


class RequestLog:
    """All requests so far, in the order in which they were finished; also written to `file` as JSON lines."""

    def __init__(self, file: Path | None = None) -> None:
        self._entries: list[Entry] = []
        self._lock = threading.Condition()
        self._file = file

    def add(self, entry: Entry) -> None:
        with self._lock:
            self._entries.append(entry)
            if self._file:
                with self._file.open("a", encoding="utf-8") as out:
                    out.write(json.dumps(asdict(entry)) + "\n")
            self._lock.notify_all()

    def entries(self, where: str = "", method: str = "") -> list[Entry]:
        with self._lock:
            return self._matching(where, method)

    def _matching(self, where: str, method: str) -> list[Entry]:
        return [e for e in self._entries if where in ("", e.where) and method in ("", e.method)]

    def wait_for(self, count: int, where: str = "", timeout_s: float = 20.0) -> None:
        """Wait until so many requests have ended: an entry is written when its answer is over."""
        with self._lock:
            if not self._lock.wait_for(lambda: len(self._matching(where, "")) >= count, timeout_s):
                raise TimeoutError(f"{len(self._matching(where, ''))} of {count} requests have ended")

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def sent_ranges(self, file: str) -> list[tuple[int, int]]:
        """The spans of `file` (OWNER/NAME/PATH) that were sent, in order, overlaps included."""
        return [(e.first, e.end) for e in self.entries() if e.file == file and e.end > e.first]

    def bytes_sent_twice(self, file: str) -> int:
        """How many bytes of `file` went out more often than once."""
        spans = self.sent_ranges(file)
        return sum(end - first for first, end in spans) - covered(spans)


def covered(spans: Iterable[tuple[int, int]]) -> int:
    """How many distinct positions lie in the spans."""
    total, reached = 0, -1
    for first, end in sorted(spans):
        total += max(0, end - max(first, reached))
        reached = max(reached, end)
    return total
