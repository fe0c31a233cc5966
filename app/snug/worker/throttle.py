"""Holds back events so that a parent is never flooded."""

from __future__ import annotations

import time
from collections.abc import Callable


class Throttle:
    """`is_due()` is True at most `per_second` times a second; the first time always."""

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = 1.0 / per_second
        self._clock = clock
        self._last = -1e9

    def is_due(self) -> bool:
        now = self._clock()
        if now - self._last < self._interval:
            return False
        self._last = now
        return True
