"""Which bytes of a file are there: spans that do not touch, in order."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator


class Spans:
    """A set of positions kept as (first, end) pairs, end exclusive."""

    def __init__(self, pairs: Iterable[tuple[int, int]] = ()) -> None:
        self._firsts: list[int] = []
        self._ends: list[int] = []
        for first, end in pairs:
            self.add(first, end)

    def add(self, first: int, end: int) -> None:
        """Add a span; what touches or overlaps becomes one."""
        if end <= first:
            return
        low = bisect_left(self._ends, first)
        high = bisect_right(self._firsts, end)
        if low < high:
            first = min(first, self._firsts[low])
            end = max(end, self._ends[high - 1])
        self._firsts[low:high] = [first]
        self._ends[low:high] = [end]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(zip(self._firsts, self._ends, strict=True))

    @property
    def total(self) -> int:
        """How many positions are in the set."""
        return sum(self._ends) - sum(self._firsts)

    @property
    def prefix(self) -> int:
        """The end of what is there without a gap from 0 on."""
        return self._ends[0] if self._firsts and self._firsts[0] == 0 else 0

    def missing(self, size: int) -> list[tuple[int, int]]:
        """The gaps below `size`."""
        gaps, reached = [], 0
        for first, end in self:
            if first >= size:
                break
            if first > reached:
                gaps.append((reached, first))
            reached = max(reached, end)
        if reached < size:
            gaps.append((reached, size))
        return gaps

    def within(self, size: int) -> Spans:
        """The same, without what lies behind `size`."""
        return Spans((first, min(end, size)) for first, end in self if first < size)
