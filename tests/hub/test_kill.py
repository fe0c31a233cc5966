"""Downloads whose process is killed at any moment: nothing is lost but the last step, nothing wrong appears."""

from __future__ import annotations

import hashlib
import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from snug.core.errors import UserError
from snug.hub.patience import DEFAULT_PLAN, MIB
from snug.worker import protocol
from snug.worker.client import WorkerClient
from tests.hub.blobs import Filler
from tests.hub.conftest import REPO, left_behind
from tests.hub.content import Repository
from tests.hub.request_log import covered
from tests.hub.server import Hub

NAME = "killed-Q4_K_M.gguf"
SIZE = 24 * MIB
KILLS = 12
FULL_KILLS = 200
ALLOWED_PER_KILL = DEFAULT_PLAN.parallel * (DEFAULT_PLAN.step_for(SIZE) + 256 * 1024)
"""One journal step a connection, and what the sockets' buffers held of each."""

is_full_run = bool(os.environ.get("SNUG_FULL_TESTS"))


@pytest.fixture
def hub() -> Iterator[Hub]:
    repository = Repository(REPO, {NAME: Filler(SIZE, seed=21)}, tags=["gguf"])
    with Hub([repository], rate=2 * MIB) as running:
        yield running


class Trial:
    """One download, begun as often as it is killed."""

    def __init__(self, hub: Hub, folder: Path, seed: int) -> None:
        self.hub = hub
        self.folder = folder
        self.dice = random.Random(seed)
        blob = hub.repositories[REPO].files[NAME]
        self.sha256 = blob.sha256
        self.request = protocol.Download(
            access=protocol.HubAccess(endpoint=hub.endpoint),
            repo=REPO,
            revision="main",
            files=[protocol.RemoteFile(name=NAME, size_bytes=SIZE, sha256=blob.sha256)],
            folder=str(folder / "models"),
        )

    def kill_once(self, events: int) -> bool:
        """Kill the child after so many of its events; False where it had finished before."""
        with WorkerClient(self.folder / "logs") as child:
            child.wait_ready()
            child.send(self.request)
            for _ in range(events):
                frame = child.next_frame(timeout=60)
                if isinstance(frame.body, protocol.DownloadDone):
                    return False
                assert isinstance(frame.body, protocol.DownloadProgress), frame.body
            os.kill(child.pid, signal.SIGKILL)
            return True

    def finish(self) -> protocol.DownloadDone:
        with WorkerClient(self.folder / "logs") as child:
            answer = child.request(self.request, timeout=60)
        assert isinstance(answer, protocol.DownloadDone)
        return answer

    def no_wrong_file_is_visible(self) -> bool:
        for path in (self.folder / "models").rglob("*.gguf"):
            if hashlib.sha256(path.read_bytes()).hexdigest() != self.sha256:
                return False
        return True


def test_s1_kills_cost_one_step_each_and_the_file_is_right(hub: Hub, tmp_path: Path) -> None:
    trial, kills = Trial(hub, tmp_path, seed=5), 0
    while kills < KILLS and trial.kill_once(events=trial.dice.randrange(2, 6)):
        kills += 1
        assert trial.no_wrong_file_is_visible()
    assert kills >= 6

    hub.rate = 0
    done = trial.finish()

    file = f"{REPO}/{NAME}"
    assert hashlib.sha256(Path(done.files[0].path).read_bytes()).hexdigest() == trial.sha256
    assert covered(hub.log.sent_ranges(file)) == SIZE
    assert hub.log.bytes_sent_twice(file) <= kills * ALLOWED_PER_KILL
    assert left_behind(tmp_path / "models") == []


@pytest.mark.skipif(not is_full_run, reason="a long campaign: packaging/dev.py test --full")
def test_g3_two_hundred_kills_at_any_moment_damage_nothing(hub: Hub, tmp_path: Path) -> None:
    trial, kills, file = Trial(hub, tmp_path, seed=6), 0, f"{REPO}/{NAME}"
    while kills < FULL_KILLS:
        hub.rate = trial.dice.choice((0, 2 * MIB, 8 * MIB))
        before = hub.log.bytes_sent_twice(file)
        if trial.kill_once(events=trial.dice.randrange(1, 8)):
            kills += 1
            assert trial.no_wrong_file_is_visible()
            assert hub.log.bytes_sent_twice(file) - before <= 8 * MIB
        if list((tmp_path / "models").rglob("*.gguf")):  # it had arrived: begin anew
            trial.finish()
            assert left_behind(tmp_path / "models") == []
            for path in (tmp_path / "models").rglob("*.gguf"):
                path.unlink()
            hub.log.clear()
    trial.finish()
    assert trial.no_wrong_file_is_visible()
    assert left_behind(tmp_path / "models") == []


def test_a_cancelled_download_answers_so_and_can_be_discarded(hub: Hub, tmp_path: Path) -> None:
    trial = Trial(hub, tmp_path, seed=7)
    hub.rate = MIB // 2
    with WorkerClient(tmp_path / "logs") as child:
        number = child.send(trial.request)
        event = child.next_frame(timeout=60).body
        while not (isinstance(event, protocol.DownloadProgress) and event.done_bytes > MIB):
            event = child.next_frame(timeout=60).body
        child.send(protocol.Cancel(job=number))
        while not isinstance(event, protocol.FINAL_EVENTS):
            event = child.next_frame(timeout=60).body
        assert isinstance(event, protocol.Cancelled)
        assert len(left_behind(tmp_path / "models")) == 2

        discard = protocol.DiscardDownload(repo=REPO, files=trial.request.files, folder=trial.request.folder)
        freed = child.request(discard)
    assert isinstance(freed, protocol.Discarded)
    assert freed.freed_bytes > MIB
    assert list((tmp_path / "models").rglob("*")) == []


def test_a_failure_crosses_to_the_parent_with_its_kind(hub: Hub, tmp_path: Path) -> None:
    trial = Trial(hub, tmp_path, seed=8)
    hub.repositories.clear()
    with WorkerClient(tmp_path / "logs") as child, pytest.raises(UserError) as caught:
        child.request(trial.request, timeout=60)
    assert caught.value.kind == "gone"
