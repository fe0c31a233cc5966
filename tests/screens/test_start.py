"""Starting and ending the real program: first frame, one window per home, signals, what is kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

START_LIMIT_S = 90
POLL_S = 0.02


class Program:
    """`python -m snug` as a process; its first line of output is the report of the first frame."""

    def __init__(self, home: Path) -> None:
        environment = {
            **os.environ,
            "SNUG_HOME": str(home),
            "SNUG_REPORT_FIRST_FRAME": "1",
            "QT_QPA_PLATFORM": "offscreen",
            "QT_QUICK_BACKEND": "software",
        }
        self.started_ns = time.monotonic_ns()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "snug"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def first_frame_ns(self) -> int:
        assert self.process.stdout is not None
        word, number = self.process.stdout.readline().split()
        assert word == "first-frame"
        return int(number)

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str, str]:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=START_LIMIT_S)
        return self.process.returncode, out, err


@pytest.fixture
def start(home: Path) -> Iterator[Callable[[], Program]]:
    """Starts programs on one home; what still runs at the end is killed."""
    programs: list[Program] = []

    def start_one() -> Program:
        programs.append(Program(home))
        return programs[-1]

    yield start_one
    for program in programs:
        if program.process.poll() is None:
            program.process.kill()
        with program.process:  # waits for it and closes its pipes
            pass


def wait_for(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(POLL_S)


def children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_the_first_frame_is_reported_with_the_clock_of_the_starter(start):
    program = start()
    assert program.started_ns < program.first_frame_ns() < time.monotonic_ns()
    code, _, errors = program.end()
    assert code == 0
    assert errors == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_ends_the_window(start, home, number):
    program = start()
    program.first_frame_ns()
    code, _, errors = program.end(number)
    assert code == 0
    assert errors == ""
    assert json.loads((home / "first_look.json").read_text())["width"] > 0


def test_a_second_start_raises_the_first_window_and_ends(start):
    first = start()
    first.first_frame_ns()
    second = start()
    out, err = second.process.communicate(timeout=START_LIMIT_S)
    assert second.process.returncode == 0
    assert (out, err) == ("", "")
    assert first.process.poll() is None
    assert first.end()[0] == 0


def test_of_many_starts_at_once_one_opens_a_window(start):
    programs = [start() for _ in range(5)]
    wait_for(lambda: sum(program.process.poll() is None for program in programs) <= 1)
    codes = [program.process.poll() for program in programs]
    assert sorted(codes, key=lambda code: code is None) == [0, 0, 0, 0, None]
    first = programs[codes.index(None)]
    first.first_frame_ns()
    code, _, errors = first.end()
    assert code == 0
    assert errors.splitlines() == ["This plugin does not support raise()"] * 4  # the offscreen screen, each time


def test_after_a_kill_the_next_start_takes_over(start):
    first = start()
    first.first_frame_ns()
    first.end(signal.SIGKILL)
    second = start()
    second.first_frame_ns()
    assert second.end()[0] == 0


@pytest.mark.parametrize("moment", ["snug.db", "logs"])
def test_a_signal_in_the_middle_of_the_start_ends_it_cleanly(start, home, moment):
    program = start()
    program.first_frame_ns()
    wait_for((home / moment).exists)
    assert program.end()[0::2] == (0, "")


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_no_child_outlives_a_killed_window(start, home):
    program = start()
    program.first_frame_ns()
    wait_for(lambda: children_of(program.process.pid) != [])
    children = children_of(program.process.pid)
    program.end(signal.SIGKILL)
    wait_for(lambda: not any(is_alive(child) for child in children))


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_home_that_cannot_be_written_is_explained_in_the_window(start, home):
    home.write_text("a file where the folder should be")
    program = start()
    program.first_frame_ns()
    assert program.process.poll() is None
    code, _, errors = program.end()
    assert code == 0
    assert "Traceback" not in errors


RAISING_SLOT = """
from snug.main import FaultHook, Rooms, make_application, user_paths

app = make_application()
rooms = Rooms(user_paths(), app)
FaultHook(user_paths().logs, rooms.app_model.toast.emit).install()

def fail():
    raise RuntimeError("a slot failed")

def told(text):
    print(text)
    app.quit()

rooms.app_model.toast.connect(told)
rooms.window.first_frame.connect(fail)
rooms.window.show()
app.exec()
rooms.close()
"""


def test_an_exception_in_a_real_slot_is_told_and_logged_and_the_window_goes_on(home):
    done = subprocess.run(
        [sys.executable, "-c", RAISING_SLOT],
        env={**os.environ, "SNUG_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=START_LIMIT_S,
    )
    assert done.returncode == 0
    assert "Nothing was lost" in done.stdout
    assert done.stderr == ""
    assert "a slot failed" in (home / "logs" / "faults.log").read_text()
