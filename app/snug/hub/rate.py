"""How fast bytes arrive, how long the rest will take, and how fast they may arrive."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

_WINDOW_S = 8.0
_SHORTEST_S = 0.5


class RateMeter:
    """The rate over the last seconds, in bytes/s."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._total = 0
        self._marks: deque[tuple[float, int]] = deque([(clock(), 0)])

    def count(self, count: int) -> None:
        """Bytes have arrived."""
        now = self._clock()
        if not self._total:
            self._marks[0] = (now, 0)  # what came before was waiting for the first byte
        self._total += count
        if now - self._marks[-1][0] >= 0.1:
            self._marks.append((now, self._total))
        while len(self._marks) > 2 and now - self._marks[1][0] > _WINDOW_S:
            self._marks.popleft()

    @property
    def rate(self) -> float:
        """Bytes/s, 0 while nothing can be said."""
        moment, total = self._marks[0]
        passed = self._clock() - moment
        return (self._total - total) / passed if passed >= _SHORTEST_S else 0.0

    def seconds_for(self, count: int) -> float:
        """How long `count` bytes will take at this rate, 0 while nothing can be said."""
        return count / self.rate if self.rate > 0 else 0.0


class SpeedLimit:
    """Holds back several readers so that together they stay at `bytes_per_s`; 0 is no limit."""

    def __init__(self, bytes_per_s: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._bytes_per_s = bytes_per_s
        self._clock = clock
        self._free_at = clock()

    def wait_for(self, count: int) -> float:
        """The seconds to wait before more may be read, after `count` bytes were."""
        if self._bytes_per_s <= 0:
            return 0.0
        now = self._clock()
        self._free_at = max(self._free_at, now) + count / self._bytes_per_s
        return self._free_at - now

    async def take(self, count: int) -> None:
        """Wait as long as `count` bytes cost."""
        wait = self.wait_for(count)
        if wait > 0:
            await asyncio.sleep(wait)
