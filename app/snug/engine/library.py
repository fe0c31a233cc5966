"""llama.cpp as it is loaded into this process: started once, its log kept and read."""

from __future__ import annotations

import ctypes
import sys
from collections import deque
from functools import cache
from typing import Any

LOG_LINES_KEPT = 400
_DEBUG = 1
_WARNING = 3
_CONTINUATION = 5


class EngineLog:
    """The last lines that llama.cpp said; warnings and errors also go to stderr, the child's log."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=LOG_LINES_KEPT)
        self._level = 0

    def write(self, level: int, text: str) -> None:
        """Keep one piece of llama.cpp's log; a continuation is joined to the line before it.

        Its debugging lines, several for each layer and graph, are left out: they pushed out what was allocated.
        """
        if level == _CONTINUATION:
            if self._lines and self._level != _DEBUG:
                self._lines[-1] += text
        else:
            self._level = level
            if level != _DEBUG:
                self._lines.append(text)
        if self._level >= _WARNING:
            sys.stderr.write(text)

    def clear(self) -> None:
        self._lines.clear()

    def text(self) -> str:
        """Everything that is kept."""
        return "".join(line if line.endswith("\n") else line + "\n" for line in self._lines)

    def tail(self, limit: int = 3000) -> str:
        """The end of it, for the details of an error."""
        return self.text()[-limit:]


log = EngineLog()
_kept_alive: list[Any] = []  # the C side holds only addresses of callbacks


@cache
def llama() -> Any:
    """The low-level module of llama-cpp-python, started. The import takes 0.3 s: only engine children pay it."""
    import llama_cpp.llama_cpp as library

    @library.llama_log_callback  # type: ignore[untyped-decorator, unused-ignore]  # ctypes' own decorator has no types
    def keep(level: int, text: bytes, _: ctypes.c_void_p) -> None:
        log.write(level, text.decode("utf-8", "replace"))

    library.llama_log_set(keep, ctypes.c_void_p(0))
    _kept_alive.append(keep)
    library.llama_backend_init()
    return library


def version_words() -> tuple[str, str]:
    """The engine's version, and the processor features and options it was built with."""
    import llama_cpp

    return f"llama-cpp-python {llama_cpp.__version__}", llama().llama_print_system_info().decode().strip(" |")
