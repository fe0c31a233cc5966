"""What the test Hub can be told to do wrong, when, and how often."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch

KINDS = (
    "eof",  # close the connection in the middle of the body, at `at` (an offset in the file)
    "rst",  # reset it there
    "stall",  # send no more from there, keep the connection
    "drip",  # a few bytes at a time: `rate` bytes a second
    "corrupt",  # flip bit `bit` of the byte at `at`
    "short",  # promise the whole range, send `at` bytes less
    "long",  # send `at` bytes more than was promised
    "norange",  # ignore the range: 200 and the whole file
    "no-condition",  # If-Range never matches: 200 and the whole file
    "wrong-range",  # say another Content-Range than what was asked
    "status",  # answer with `status`, `headers` and `body`
    "captive",  # a log-in page instead of everything
    "json",  # a JSON document instead of the file
    "pointer",  # the text of an LFS pointer instead of the file
    "redirect-loop",
    "redirect",  # to `url`
    "silent",  # accept, never answer
    "no-commit",  # leave out X-Repo-Commit and the X-Linked headers
)


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong. `where` is "api", "resolve" or "cdn"; `match` a pattern of the path.

    It strikes `times` times after `skip` matching requests were let through; 0 times means for ever.
    """

    kind: str
    where: str = "cdn"
    match: str = "*"
    methods: tuple[str, ...] = ("GET", "HEAD")
    at: int = 0
    bit: int = 0
    rate: int = 0
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    url: str = ""
    times: int = 1
    skip: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no such fault: {self.kind}; there are {', '.join(KINDS)}")


class Faults:
    """The faults that still wait for their request; safe to use from any thread."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()
        self.struck = 0

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def take(self, where: str, method: str, path: str, span: tuple[int, int] | None = None) -> Fault | None:
        """The fault that this request meets. A fault with an offset waits for the range that holds it."""
        with self._lock:
            for index, fault in enumerate(self._waiting):
                if fault.where != where or method not in fault.methods or not fnmatch(path, fault.match):
                    continue
                if span and fault.kind in ("eof", "rst", "stall", "corrupt") and not span[0] <= fault.at < span[1]:
                    continue
                if fault.skip > 0:
                    self._waiting[index] = replace(fault, skip=fault.skip - 1)
                    continue
                self._use(index, fault)
                return fault
        return None

    def _use(self, index: int, fault: Fault) -> None:
        self.struck += 1
        if fault.times == 1:
            del self._waiting[index]
        elif fault.times > 1:
            self._waiting[index] = replace(fault, times=fault.times - 1)
