"""Conversions whose process is killed, whose disk is full or failing, or that lose power: no half file, ever."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from snug.convert import result_file, result_journal
from snug.convert.conversion import Settings, convert
from snug.convert.open_source import open_local
from snug.convert.result_file import lock_path
from snug.core.errors import UserError
from snug.formats.random_checkpoint import LlamaShape, write_checkpoint
from snug.hub import journal as hub_journal
from snug.hub.file_lock import FileLock
from snug.worker import protocol
from snug.worker.client import WorkerClient
from snug.worker.conversion_messages import (
    ConversionDone,
    ConversionProgress,
    ConversionSource,
    Convert,
    DiscardConversion,
    PreviewConversion,
)

IS_FULL_RUN = bool(os.environ.get("SNUG_FULL_TESTS"))
KILLS = 200 if IS_FULL_RUN else 12
CRASH_POINTS = 500 if IS_FULL_RUN else 25
STEP = 1 if IS_FULL_RUN else 3
"""Of the calls that are made to fail, each one or each third."""
SHAPE = LlamaShape(layers=6, width=512, feed_forward=1024, heads=8, kv_heads=4, vocabulary=2048)
SMALL = LlamaShape(layers=1, width=256, feed_forward=256, heads=4, kv_heads=2, vocabulary=512)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("checkpoint") / "Tiny", SHAPE)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("small") / "Small", SMALL)


def converted(source: Path, out: Path) -> str:
    """One conversion in this process; the result's SHA-256."""
    with open_local(source) as opened:
        return convert(
            opened, out, Settings("Q4_K_M"), on_progress=lambda _: None, is_cancelled=lambda: False
        ).sha256  # fmt: skip


@pytest.fixture(scope="module")
def wanted(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return converted(checkpoint, tmp_path_factory.mktemp("whole") / "whole.gguf")


def test_c1_kills_at_any_moment_leave_no_half_file_and_the_result_is_the_same(
    checkpoint: Path, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNUG_HOME", str(tmp_path / "home"))
    dice = random.Random(3)
    folder, kills, finished = tmp_path / "models", 0, 0
    request = Convert(source=ConversionSource(path=str(checkpoint)), out=str(folder / "out.gguf"), type_name="Q4_K_M")
    while kills < KILLS:
        with WorkerClient(tmp_path / "logs") as child:
            child.wait_ready()
            child.send(request)
            for _ in range(dice.randrange(1, 6)):
                event = child.next_frame(timeout=60).body
                if isinstance(event, ConversionDone):
                    break
                assert isinstance(event, ConversionProgress), event
            if not isinstance(event, ConversionDone):
                os.kill(child.pid, signal.SIGKILL)
                kills += 1
        if (folder / "out.gguf").exists():
            assert hashlib.sha256((folder / "out.gguf").read_bytes()).hexdigest() == wanted
            (folder / "out.gguf").unlink()
            finished += 1
    with WorkerClient(tmp_path / "logs") as child:
        done = child.request(request, timeout=60)
    assert isinstance(done, ConversionDone)
    assert done.sha256 == wanted
    assert [path.name for path in folder.iterdir() if "lock" not in path.name] == ["out.gguf"]


def test_a_cancelled_conversion_says_so_and_can_be_forgotten(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNUG_HOME", str(tmp_path / "home"))
    out = tmp_path / "models" / "out.gguf"
    request = Convert(source=ConversionSource(path=str(checkpoint)), out=str(out), type_name="IQ3_S", threads=1)
    with WorkerClient(tmp_path / "logs") as child:
        number = child.send(request)
        while not isinstance(child.next_frame(timeout=60).body, ConversionProgress):
            pass
        child.cancel(number)
        event: protocol.Event = protocol.Pong()
        while not isinstance(event, protocol.FINAL_EVENTS) or isinstance(event, protocol.Pong):
            event = child.next_frame(timeout=60).body
    assert isinstance(event, protocol.Cancelled)
    assert out.with_name("out.gguf.making").exists()
    with WorkerClient(tmp_path / "logs") as child:
        discarded = child.request(DiscardConversion(out=str(out)), timeout=60)
    assert isinstance(discarded, protocol.Discarded)
    assert list(out.parent.iterdir()) == []


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if os.name == "nt" or not shutil.which("mount") or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_s3_too_little_room_is_told_before_anything_is_written(checkpoint: Path, tiny_disk: Path) -> None:
    with pytest.raises(UserError) as caught:
        converted(checkpoint, tiny_disk / "out.gguf")
    assert caught.value.kind == "disk-full"
    assert caught.value.advice.startswith("Free ")
    assert list(tiny_disk.iterdir()) == []


def test_s3_a_disk_that_fills_up_meanwhile_loses_the_result_and_keeps_the_source(
    checkpoint: Path, tiny_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(result_file, "free_bytes", lambda _: 10**12)  # the disk lies
    before = {path.name: path.stat().st_mtime_ns for path in checkpoint.iterdir()}
    with pytest.raises(UserError) as caught:
        converted(checkpoint, tiny_disk / "out.gguf")
    assert caught.value.kind == "disk-full"
    assert "removed" in caught.value.title
    assert list(tiny_disk.iterdir()) == []
    assert {path.name: path.stat().st_mtime_ns for path in checkpoint.iterdir()} == before


class FailingCalls:
    """Fails the n-th call of the named functions of `os`, once or from then on."""

    NAMES = ("write", "fsync", "fdatasync", "replace", "ftruncate")

    def __init__(self, at: int, for_ever: bool) -> None:
        self.at, self.for_ever, self.calls, self.failures = at, for_ever, 0, 0

    def patch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in self.NAMES:
            monkeypatch.setattr(os, name, self._wrapped(getattr(os, name)))
        monkeypatch.setattr(result_file, "_sync_data", os.fdatasync)

    def _wrapped(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            self.calls += 1
            if self.calls == self.at or (self.for_ever and self.calls > self.at):
                self.failures += 1
                raise OSError(errno.EIO, "Input/output error")
            return call(*arguments, **named)

        return wrapped


def kind_of_failure(work: Callable[[], object]) -> str:
    """The kind of the UserError that `work` raises, "" where it raises none."""
    try:
        work()
    except UserError as error:
        return error.kind
    return ""


@pytest.mark.parametrize("for_ever", [False, True])
def test_g6_no_failing_write_sync_or_rename_gives_a_wrong_result(for_ever: bool, small: Path, tmp_path: Path) -> None:
    wanted = converted(small, tmp_path / "whole.gguf")
    number = 0
    while True:
        number += STEP
        out = tmp_path / f"{for_ever}-{number}" / "out.gguf"
        calls = FailingCalls(number, for_ever)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(result_file, "_COMMIT_BYTES", 100_000)
            calls.patch(patched)
            kind = kind_of_failure(lambda: converted(small, out))  # noqa: B023 - called at once
        assert kind in ("", "disk-problem")
        if not calls.failures:
            break
        if out.exists():
            assert hashlib.sha256(out.read_bytes()).hexdigest() == wanted
            out.unlink()
        assert converted(small, out) == wanted
    assert number > 20


@dataclass
class Disk:
    """A disk that forgets what was not synced: writes of files, and names of folders, since their last sync.

    `crash` makes of what was asked so far one of the states that a power cut may leave behind.
    """

    root: Path
    log: list[tuple[str, Any]] = field(default_factory=list)

    def patch(self, monkeypatch: pytest.MonkeyPatch, stop_at: int) -> None:
        real_write, real_replace, real_sync, real_cut = os.write, os.replace, os.fsync, os.ftruncate

        def note(kind: str, what: Any) -> None:
            self.log.append((kind, what))
            if len(self.log) >= stop_at:
                raise PowerCut

        def write(descriptor: int, data: Any) -> int:
            place, path = os.lseek(descriptor, 0, os.SEEK_CUR), os.readlink(f"/proc/self/fd/{descriptor}")
            if not path.startswith(str(self.root)):
                return real_write(descriptor, data)
            is_append = path.endswith("-journal")
            place = os.path.getsize(path) if is_append else place
            count = real_write(descriptor, data)
            note("write", (path, place, bytes(data)))
            return count

        def sync(descriptor: int) -> None:
            real_sync(descriptor)
            note("sync", os.readlink(f"/proc/self/fd/{descriptor}"))

        def replace(old: Any, new: Any) -> None:
            real_replace(old, new)
            note("replace", (str(old), str(new)))

        def cut(descriptor: int, size: int) -> None:
            real_cut(descriptor, size)
            note("cut", (os.readlink(f"/proc/self/fd/{descriptor}"), size))

        for module in (result_file, result_journal, hub_journal):
            monkeypatch.setattr(module.os, "write", write)
            monkeypatch.setattr(module.os, "replace", replace)
            monkeypatch.setattr(module.os, "fsync", sync)
            monkeypatch.setattr(module.os, "ftruncate", cut)
        monkeypatch.setattr(result_file, "_sync_data", sync)

    def crash(self, place: Path, dice: random.Random) -> None:
        """Write into `place` what may be left: everything synced, of the rest each write whole, half or not at all."""
        files: dict[str, bytearray] = {}
        for number, (kind, what) in enumerate(self.log):
            later = self.log[number + 1 :]
            if kind == "write":
                path, at, data = what
                is_safe = any(k == "sync" and w == path for k, w in later)
                if not is_safe and dice.random() < 0.6:
                    data = data[: dice.randrange(len(data) + 1)] if dice.random() < 0.5 else b""
                content = files.setdefault(path, bytearray())
                if data:
                    content.extend(bytes(max(0, at + len(data) - len(content))))
                    content[at : at + len(data)] = data
            elif kind == "cut":
                path, size = what
                content = files.setdefault(path, bytearray())
                del content[size:]
                content.extend(bytes(size - len(content)))
            elif kind == "replace":
                old, new = what
                is_safe = any(k == "sync" and w == str(self.root) for k, w in later)
                if is_safe or dice.random() < 0.5:
                    files[new] = files.pop(old, bytearray())
        for path, content in files.items():
            (place / os.path.basename(path)).write_bytes(content)


class PowerCut(BaseException):
    """The machine has no power any more."""


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs to see which file a descriptor is")
def test_g5_after_a_power_cut_at_any_point_the_result_is_whole_or_not_there(small: Path, tmp_path: Path) -> None:
    wanted = converted(small, tmp_path / "whole.gguf")
    dice = random.Random(11)
    points = 0
    for trial in range(CRASH_POINTS):
        folder = tmp_path / f"cut-{trial}"
        folder.mkdir()
        disk = Disk(folder)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(result_file, "_COMMIT_BYTES", 100_000)
            disk.patch(patched, stop_at=dice.randrange(2, 45))
            try:
                converted(small, folder / "out.gguf")
            except PowerCut:
                points += 1
        after = tmp_path / f"after-{trial}"
        after.mkdir()
        disk.crash(after, dice)
        out = after / "out.gguf"
        if out.exists():
            assert hashlib.sha256(out.read_bytes()).hexdigest() == wanted, trial
            out.unlink()
        assert converted(small, out) == wanted, trial
        shutil.rmtree(folder)
        shutil.rmtree(after)
    assert points > CRASH_POINTS // 3


def test_a_file_that_the_disk_changed_before_it_was_proven_is_not_published(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.gguf"
    real = result_file.ResultFile.verify

    def damaged(self: result_file.ResultFile, *arguments: Any) -> str:
        path = result_file.part_path(self.final)
        with path.open("r+b") as file:
            file.seek(self.layout.tensors[3].offset + 5)
            file.write(b"\xff\x00\xff")
        return real(self, *arguments)

    monkeypatch.setattr(result_file.ResultFile, "verify", damaged)
    with pytest.raises(UserError) as caught:
        converted(small, out)
    assert caught.value.kind == "disk-problem"
    assert not out.exists()
    monkeypatch.undo()
    assert converted(small, out) == converted(small, tmp_path / "whole.gguf")


def test_a_second_process_waits_its_turn(small: Path, tmp_path: Path) -> None:
    lock = result_file.FileLock(result_file.lock_path(tmp_path / "out.gguf"))
    assert lock.acquire()
    with pytest.raises(UserError) as caught:
        converted(small, tmp_path / "out.gguf")
    assert caught.value.kind == "busy"
    lock.release()
    converted(small, tmp_path / "out.gguf")


def test_a_kill_between_the_new_name_and_the_end_costs_nothing(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, out = converted(small, tmp_path / "whole.gguf"), tmp_path / "models" / "out.gguf"

    def cut(folder: Path) -> None:
        if out.exists():
            raise PowerCut

    monkeypatch.setattr(result_file, "sync_folder", cut)
    with pytest.raises(PowerCut):
        converted(small, out)
    assert out.exists()
    monkeypatch.undo()
    assert converted(small, out) == wanted
    assert [path.name for path in out.parent.iterdir()] == ["out.gguf"]


def test_what_a_kill_during_the_checks_left_beside_a_result_goes_with_the_next_look(
    checkpoint: Path, tmp_path: Path
) -> None:
    (tmp_path / "done.gguf").write_bytes(b"GGUF")
    for name in ("done.gguf.calibrating", "done.gguf.fetching", "unfinished.gguf.calibrating", "held.gguf.calibrating"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "original.gguf").write_bytes(b"x" * 1000)
    (tmp_path / "held.gguf").write_bytes(b"GGUF")
    lock = FileLock(lock_path(tmp_path / "held.gguf"))
    assert lock.acquire()
    try:
        with WorkerClient(tmp_path / "logs") as child:
            source = ConversionSource(path=str(checkpoint))
            child.request(PreviewConversion(source=source, folder=str(tmp_path)), timeout=60)
    finally:
        lock.release()
    left = sorted(path.name for path in tmp_path.iterdir() if path.is_dir() and path.name != "logs")
    assert left == ["held.gguf.calibrating", "unfinished.gguf.calibrating"]
