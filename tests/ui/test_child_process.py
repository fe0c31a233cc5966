"""The window's child processes, with real processes: messages, floods, deaths, back-off and ending."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QElapsedTimer, QTimer

from snug.ui.child_process import ChildProcess
from snug.ui.children import Children
from snug.ui.restart_limit import RestartLimit
from snug.worker import protocol

LIMIT_MS = 20_000

DIES = "import sys; sys.exit(3)"
SILENT = "import sys; sys.stdin.buffer.read()"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
GARBAGE = "import os, sys; sys.stdout.buffer.write(os.urandom(200_000)); sys.stdout.flush(); sys.stdin.buffer.read()"
OTHER_VERSION = """
import struct, sys
body = b'{"v":99,"id":0,"body":{"type":"Pong"}}'
sys.stdout.buffer.write(struct.pack(">I", len(body)) + body)
sys.stdout.flush()
sys.stdin.buffer.read()
"""
FLOOD = """
import struct, sys
body = b'{"v":1,"id":1,"body":{"type":"Text","text":"' + b"x" * 100_000 + b'"}}'
for _ in range(300):
    sys.stdout.buffer.write(struct.pack(">I", len(body)) + body)
body = b'{"v":1,"id":1,"body":{"type":"Pong"}}'
sys.stdout.buffer.write(struct.pack(">I", len(body)) + body)
sys.stdout.flush()
sys.stdin.buffer.read()
"""


@pytest.fixture
def children(tmp_path, qapp, qtbot):
    """Real children; all are gone afterwards."""
    made = Children(tmp_path / "logs")
    yield made
    made.kill_all()


@pytest.fixture
def scripted(tmp_path, qapp):
    """Makes children that run a few lines of Python instead of the worker."""
    made: list[ChildProcess] = []

    def make(script: str, restarts: RestartLimit | None = None) -> ChildProcess:
        made.append(ChildProcess(tmp_path / "logs", restarts=restarts, command=[sys.executable, "-c", script]))
        return made[-1]

    yield make
    for child in made:
        child.kill()


def death_of(child: ChildProcess, qtbot):
    with qtbot.waitSignal(child.died, timeout=LIMIT_MS) as waiting:
        child.start()
    return waiting.args[0]


def test_the_real_worker_answers(children, qtbot):
    child = children.make("machine")
    answers: list[tuple[int, object]] = []
    child.event.connect(lambda number, body: answers.append((number, body)))
    number = child.send(protocol.Ping())
    qtbot.waitUntil(lambda: (number, protocol.Pong()) in answers, timeout=LIMIT_MS)
    assert child.is_running


def test_a_killed_child_is_noticed_and_explained(children, qtbot):
    child = children.make("machine")
    with qtbot.waitSignal(child.event, timeout=LIMIT_MS):
        child.send(protocol.Ping())
    with qtbot.waitSignal(child.died, timeout=LIMIT_MS) as waiting:
        os.kill(child.pid, signal.SIGKILL)
    assert waiting.args[0].kind == "killed"
    assert not child.is_running


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(
    ("number", "kind"),
    [(signal.SIGSEGV, "engine-crash"), (signal.SIGABRT, "engine-abort"), (signal.SIGILL, "wrong-processor")],
)
def test_a_crash_is_named_by_its_signal(scripted, qtbot, number, kind):
    assert death_of(scripted(f"import os; os.kill(os.getpid(), {int(number)})"), qtbot).kind == kind


def test_a_program_that_is_not_there_is_a_death_too(tmp_path, qtbot):
    child = ChildProcess(tmp_path, command=["/nowhere/snug-child"])
    assert death_of(child, qtbot).kind == "not-started"


def test_garbage_ends_the_child_and_not_the_window(scripted, qtbot):
    assert death_of(scripted(GARBAGE), qtbot).kind == "bad-child"


def test_another_version_asks_for_a_restart_of_snug(scripted, qtbot):
    assert death_of(scripted(OTHER_VERSION), qtbot).kind == "other-version"


def test_a_flood_of_30_mb_leaves_the_event_loop_awake(scripted, qtbot):
    child = scripted(FLOOD)
    seen: list[object] = []
    gaps: list[int] = []
    clock = QElapsedTimer()
    clock.start()
    timer = QTimer()
    timer.timeout.connect(lambda: gaps.append(clock.restart()))
    timer.start(0)
    child.event.connect(lambda _, body: seen.append(type(body)))
    child.start()
    qtbot.waitUntil(lambda: protocol.Pong in seen, timeout=LIMIT_MS)
    assert seen.count(protocol.Text) == 300
    assert len(gaps) > 10


def test_stop_is_gentle_then_firm_and_tells_nobody(scripted, qtbot):
    child = scripted(STUBBORN)
    deaths: list[object] = []
    child.died.connect(deaths.append)
    child.start()
    qtbot.waitUntil(lambda: child.pid > 0, timeout=LIMIT_MS)
    with qtbot.waitSignal(child.gone, timeout=LIMIT_MS):
        child.stop()
    assert deaths == []


def test_a_stopped_child_outlives_its_owner_until_its_process_is_gone(children, qtbot):
    owner = Children(Path("."))
    child = children.make("hub", parent=owner)
    with qtbot.waitSignal(child.event, timeout=LIMIT_MS):
        child.send(protocol.Ping())
    pid = child.pid
    child.stop()
    owner.deleteLater()
    with qtbot.waitSignal(child.gone, timeout=LIMIT_MS):
        pass
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_after_three_deaths_a_child_is_not_started_again(scripted, qtbot):
    limit = RestartLimit()
    for moment in (0.0, 0.0, 0.0):
        limit.note_death(moment + time_now())
    death = death_of(scripted(SILENT, limit), qtbot)
    assert death.kind == "too-many-deaths"
    assert "three times" in death.cause


def test_deaths_of_one_kind_delay_the_next_start(scripted, qtbot):
    limit = RestartLimit()
    assert death_of(scripted(DIES, limit), qtbot).kind == "ended"
    assert 0 < limit.delay(time_now()) <= 1.0


def test_back_off_is_one_two_four_seconds_then_never_then_again_after_a_minute():
    limit = RestartLimit()
    assert limit.delay(0.0) == 0.0
    limit.note_death(0.0)
    assert limit.delay(0.0) == 1.0
    limit.note_death(1.0)
    assert limit.delay(1.0) == 2.0
    limit.note_death(3.0)
    assert limit.delay(3.0) is None
    assert limit.seconds_until_allowed(3.0) == 57.0
    assert limit.delay(60.5) == 0.0 or limit.delay(60.5) is not None


def time_now() -> float:
    import time

    return time.monotonic()
