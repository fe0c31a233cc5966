"""One Snug at a time writes a home folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from snug.core.errors import UserError
from snug.paths import Paths
from snug.store import InstanceLock

# Waits for the starting shot, tries, says what happened, and holds on until its input ends.
CONTENDER = """
import sys
from pathlib import Path
from snug.paths import Paths
from snug.store.instance_lock import InstanceLock

print("ready", flush=True)
sys.stdin.readline()
lock = InstanceLock(Paths(Path(sys.argv[1])))
print(lock.acquire(), flush=True)
sys.stdin.read()
"""


def contender(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CONTENDER, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    )


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def shoot(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_of_20_starts_at_once_exactly_one_gets_the_lock(tmp_path: Path) -> None:
    processes = [contender(tmp_path / "home") for _ in range(20)]
    try:
        assert [line(process) for process in processes] == ["ready"] * 20
        for process in processes:
            shoot(process)
        answers = [line(process) for process in processes]
        assert sorted(answers) == ["False"] * 19 + ["True"]
        holder = processes[answers.index("True")].pid
        assert InstanceLock(Paths(tmp_path / "home")).holder() == holder
    finally:
        for process in processes:
            end(process)


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is of POSIX")
def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    process = contender(tmp_path / "home")
    line(process)
    shoot(process)
    assert line(process) == "True"
    lock = InstanceLock(Paths(tmp_path / "home"))
    assert not lock.acquire()

    os.kill(process.pid, signal.SIGKILL)
    process.communicate()

    assert lock.acquire()
    assert lock.holder() == os.getpid()
    lock.release()


def test_a_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    first, second = InstanceLock(Paths(tmp_path)), InstanceLock(Paths(tmp_path))
    assert first.acquire()
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    assert second.is_held
    second.release()
    assert second.holder() is None


def test_a_home_that_is_a_file_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    with pytest.raises(UserError) as caught:
        InstanceLock(Paths(tmp_path / "home")).acquire()
    assert caught.value.kind == "folder-not-writable"
