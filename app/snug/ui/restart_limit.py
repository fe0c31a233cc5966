"""How soon a child may start again after it died: at once, then after 1, 2 and 4 seconds, then not at all."""

from __future__ import annotations

from collections import deque

DELAYS_S = (1.0, 2.0, 4.0)
DEATHS_ALLOWED = 3
WINDOW_S = 60.0


class RestartLimit:
    """Counts deaths within the last minute; one for each kind of child."""

    def __init__(self) -> None:
        self._deaths: deque[float] = deque(maxlen=DEATHS_ALLOWED)

    def note_death(self, now: float) -> None:
        """A child of this kind died by itself at `now` (seconds of a monotonic clock)."""
        self._deaths.append(now)

    def note_success(self) -> None:
        """A child of this kind did its work: whatever killed the ones before it is no endless loop."""
        self._deaths.clear()

    def delay(self, now: float) -> float | None:
        """Seconds to wait before the next start, 0 for none; None where it died too often to try again now."""
        recent = [death for death in self._deaths if now - death < WINDOW_S]
        if len(recent) >= DEATHS_ALLOWED:
            return None
        if not recent:
            return 0.0
        return max(0.0, recent[-1] + DELAYS_S[len(recent) - 1] - now)

    def seconds_until_allowed(self, now: float) -> float:
        """How long it stays forbidden."""
        return max(0.0, self._deaths[0] + WINDOW_S - now) if self.delay(now) is None else 0.0
