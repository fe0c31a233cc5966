"""Ends an answer at a stop word that may be spread over several tokens."""

from __future__ import annotations

from collections.abc import Sequence


class StopWords:
    """Lets text through, holding back an end that may turn out to be the start of a stop word."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = tuple(word for word in words if word)
        self._held = ""
        self.is_met = False

    def feed(self, text: str) -> str:
        """The text that may be shown now. After `is_met` nothing more comes."""
        if self.is_met:
            return ""
        if not self._words:
            return text
        self._held += text
        found = [at for at in (self._held.find(word) for word in self._words) if at >= 0]
        if found:
            shown, self._held, self.is_met = self._held[: min(found)], "", True
            return shown
        keep = self._longest_start()
        cut = len(self._held) - keep
        shown, self._held = self._held[:cut], self._held[cut:]
        return shown

    def finish(self) -> str:
        """What was held back and did not become a stop word."""
        shown, self._held = self._held, ""
        return shown

    def _longest_start(self) -> int:
        """The length of the longest end of the held text that starts some stop word."""
        longest = 0
        for word in self._words:
            for length in range(min(len(word) - 1, len(self._held)), longest, -1):
                if self._held.endswith(word[:length]):
                    longest = length
                    break
        return longest
