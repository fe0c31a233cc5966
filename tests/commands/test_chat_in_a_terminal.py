"""`snug chat` in a real terminal: Ctrl-C stops an answer, and the conversation goes on."""

from __future__ import annotations

import importlib.util
import os
import select
import signal
import sys
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("needs a POSIX terminal", allow_module_level=True)

import pty

TESTS = Path(__file__).parents[1]
PIP = TESTS.parent / "resources" / "models" / "pip" / "pip-7m-Q8_0.gguf"

ROOM = 65_536
"""Tokens: a minute's writing at least, so that whoever presses Ctrl-C late still finds an answer to stop."""


class Terminal:
    """A program in a terminal; `until` reads on to a text."""

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        self.pid, self._descriptor = pty.fork()
        if self.pid == 0:
            # Tests that run in the background of a shell inherit a Ctrl-C that is ignored.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execve(arguments[0], arguments, environment)
        self._seen = b""

    def until(self, text: str) -> str:
        """What was written up to and with `text`; what follows is for the next call."""
        wanted = text.encode()
        while wanted not in self._seen:
            ready, _, _ = select.select([self._descriptor], [], [], 60)
            assert ready, self._seen
            self._seen += os.read(self._descriptor, 65536)
        at = self._seen.index(wanted) + len(wanted)
        seen, self._seen = self._seen[:at], self._seen[at:]
        return seen.decode("utf-8", "replace")

    def type(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def end(self) -> int:
        _, status = os.waitpid(self.pid, 0)
        os.close(self._descriptor)
        return os.waitstatus_to_exitcode(status)


@pytest.fixture
def endless_model(tmp_path: Path) -> Path:
    """A model with random weights, which never comes to an end."""
    spec = importlib.util.spec_from_file_location("tiny_models", TESTS / "engine" / "tiny_models.py")
    assert spec is not None
    assert spec.loader is not None
    tiny_models = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tiny_models)
    path = tmp_path / "endless.gguf"
    tiny_models.write_sliding_window_model(path, PIP, ROOM)
    return path


@pytest.fixture
def terminal(endless_model: Path, tmp_path: Path) -> Terminal:
    arguments = [
        sys.executable,
        "-m",
        "snug",
        "chat",
        str(endless_model),
        "--temperature",
        "2",
        "--seed",
        "3",
        "--no-save",
        "--context",
        str(ROOM),
    ]
    return Terminal([*arguments, "--max-tokens", "1000000"], dict(os.environ) | {"SNUG_HOME": str(tmp_path / "home")})


def test_ctrl_c_stops_an_answer_and_the_next_question_is_answered(terminal: Terminal) -> None:
    terminal.until("You: ")
    for _ in range(2):
        terminal.type("Tell me a story.\n")
        terminal.until("Tell me a story.\r\n")
        terminal.until(" ")
        terminal.type("\x03")
        ending = terminal.until("You: ")
        assert ", stopped)" in ending
    terminal.type("/quit\n")
    assert terminal.end() == 0


def test_ctrl_c_at_the_question_ends_the_chat_quietly(terminal: Terminal) -> None:
    terminal.until("You: ")
    terminal.type("\x03")
    assert terminal.end() == 0
