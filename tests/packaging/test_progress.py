"""The set-up's progress: what a build and pip say, in words and shares."""

from __future__ import annotations

import io

import pytest
from devtool.progress import Step, clock, parse_ninja, parse_pip, time_left


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("[1/4] Building C object ggml/src/ggml.c.o", (1, 4, "ggml.c")),
        ("  [57/213] Building CXX object src/CMakeFiles/llama.dir/llama-vocab.cpp.o", (57, 213, "llama-vocab.cpp")),
        ("[4/4] Linking CXX shared library bin/libllama.so", (4, 4, "libllama.so")),
        ("[0/1] Re-running CMake...", (0, 1, "CMake...")),
        ("-- Found Threads: TRUE", None),
        ("[5/4] odd", None),
        ("[1/0] odd", None),
        ("", None),
    ],
)
def test_lines_of_ninja(line: str, found: tuple[int, int, str] | None) -> None:
    assert parse_ninja(line) == found


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Collecting PySide6-Essentials<6.12,>=6.11.3", "looking up PySide6-Essentials"),
        ("  Downloading pyside6_essentials-6.11.3-cp310-abi3-manylinux.whl (78 MB)", "downloading pyside6_essentials"),
        ("  Using cached numpy-2.4.6-cp311.whl (16 MB)", "taking from the cache numpy"),
        ("Installing collected packages: a, b, c", "unpacking"),
        ("Requirement already satisfied: pip", ""),
        ("", ""),
    ],
)
def test_lines_of_pip(line: str, words: str) -> None:
    assert parse_pip(line) == words


def test_time_left_is_said_once_it_can_be_known() -> None:
    assert time_left(0.01, 100) == ""
    assert time_left(0.5, 2) == ""
    assert time_left(0.25, 60) == ", about 3 min left"
    assert time_left(0.9, 90) == ", less than a minute left"


def test_a_clock_shows_minutes_and_seconds() -> None:
    assert [clock(seconds) for seconds in (0, 65.9, 600)] == ["0:00", "1:05", "10:00"]


def test_a_pipe_gets_a_line_now_and_then() -> None:
    out, now = io.StringIO(), Clock()
    with Step("Building", out, now, live=False) as step:
        for second in range(1, 61):
            now.time = second
            step.show("ops.cpp", second / 60)
    lines = out.getvalue().splitlines()
    assert lines[0] == "Building 0:00"
    assert lines[1] == "Building 0:15, 25%, less than a minute left (ops.cpp)"
    assert lines[-1] == "Building done in 1:00"
    assert len(lines) == 6


def test_a_terminal_gets_one_line_that_is_written_over() -> None:
    out, now = io.StringIO(), Clock()
    with Step("Building", out, now, live=True) as step:
        now.time = 30
        step.show("a long name of a file", 0.5)
        now.time = 60
    text = out.getvalue()
    assert text.count("\n") == 1
    last = text.rsplit("\r", 1)[1]
    assert last.startswith("Building done in 1:00")
    assert len(last.rstrip("\n")) >= len("Building 0:30, 50% (a long name of a file)")


def test_the_line_goes_on_counting_while_nothing_new_is_said() -> None:
    out, now = io.StringIO(), Clock()
    with Step("Installing", out, now, live=False) as step:
        now.time = 20
        step.refresh()
    assert "Installing 0:20\n" in out.getvalue()


def test_a_step_that_fails_says_so() -> None:
    out, now = io.StringIO(), Clock()
    step = Step("Installing", out, now, live=False)
    step.__enter__()
    now.time = 7
    step.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert out.getvalue().splitlines()[-1] == "Installing stopped after 0:07"
