"""Assembles text from tokens whose bytes may split a character."""

from __future__ import annotations

import codecs


class Utf8Assembler:
    """Bytes in, whole characters out; bytes that are no UTF-8 become U+FFFD, never an error."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes) -> str:
        """The characters that are complete now."""
        return self._decoder.decode(data)

    def finish(self) -> str:
        """What is left at the end: U+FFFD for a character that was never completed."""
        return self._decoder.decode(b"", final=True)
