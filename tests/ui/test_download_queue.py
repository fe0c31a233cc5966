"""The queue of downloads: order, pause, failures in words, and what becomes of a file that has arrived."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Signal

from snug.core.model_facts import ModelFacts
from snug.paths import Paths
from snug.store import Store, open_store
from snug.store.rows import NewDownload, RemoteFileRow
from snug.ui.download_queue import DownloadQueue, Live
from snug.ui.downloads import DownloadsModel, line_words, model_name
from snug.worker import protocol
from snug.worker.death import explain_death

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
FACTS = ModelFacts(
    name="Tiny", architecture="llama", file_type="Q8_0", parameters=7_000_000, weight_bytes=900, layers=2,
    embedding_length=64, vocabulary=100, context_max=1024, attention_heads=4, kv_heads=(2, 2),
    head_dims_k=(16, 16), head_dims_v=(16, 16), file_bytes=1000,
)  # fmt: skip


class RecordingChild(QObject):
    """Stands where a child process would, and keeps what it was asked."""

    event = Signal(int, object)
    died = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[protocol.Request] = []
        self.cancelled: list[int] = []
        self.is_stopped = False

    def send(self, body: protocol.Request) -> int:
        self.asked.append(body)
        return len(self.asked)

    def cancel(self, number: int) -> None:
        self.cancelled.append(number)

    def stop(self) -> None:
        self.is_stopped = True


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened, _ = open_store(Paths(tmp_path), now=lambda: NOW)
    yield opened
    opened.close()


@pytest.fixture
def children() -> list[RecordingChild]:
    return []


@pytest.fixture
def queue(qapp: QObject, store: Store, tmp_path: Path, children: list[RecordingChild]) -> DownloadQueue:
    def make() -> RecordingChild:
        children.append(RecordingChild())
        return children[-1]

    return DownloadQueue(store, Paths(tmp_path), make, lambda: "")


def wanted(name: str = "tiny.gguf", repo: str = "owner/tiny") -> NewDownload:
    return NewDownload("Tiny", repo, "main", (RemoteFileRow(name, 1000, "a" * 64),), "/models", then_chat=True)


def test_the_second_download_waits_until_the_first_has_arrived(
    queue: DownloadQueue, children: list[RecordingChild], tmp_path: Path
) -> None:
    first, second = queue.add(wanted("one.gguf")), queue.add(wanted("two.gguf"))
    assert [queue.row(row.id).state for row in (first, second)] == ["running", "queued"]
    arrive(queue, children[0], tmp_path, "one.gguf")
    assert [queue.row(row.id).state for row in (first, second)] == ["done", "running"]


def test_what_arrives_is_looked_into_and_put_into_the_library(
    queue: DownloadQueue, children: list[RecordingChild], store: Store, tmp_path: Path
) -> None:
    arrived: list[tuple[int, int]] = []
    queue.arrived.connect(lambda download, model: arrived.append((download, model)))
    row = queue.add(wanted())
    arrive(queue, children[0], tmp_path, "tiny.gguf")
    assert isinstance(children[0].asked[1], protocol.InspectFile)
    [(download, model_id)] = arrived
    model = store.models.get(model_id)
    assert (download, model.name, model.is_ours, model.sha256) == (row.id, "Tiny", True, "a" * 64)
    assert children[0].is_stopped


def test_the_same_file_asked_for_twice_is_fetched_once(queue: DownloadQueue) -> None:
    assert queue.add(wanted()).id == queue.add(wanted()).id
    assert len(queue.rows()) == 1


def test_pause_keeps_what_is_there_and_resume_goes_on(queue: DownloadQueue, children: list[RecordingChild]) -> None:
    row = queue.add(wanted())
    children[0].event.emit(1, protocol.DownloadProgress(state="downloading", done_bytes=400, total_bytes=1000))
    queue.pause(row.id)
    assert children[0].cancelled == [1]
    children[0].event.emit(1, protocol.Cancelled())
    assert (queue.row(row.id).state, queue.row(row.id).done_bytes) == ("paused", 400)
    queue.resume(row.id)
    assert queue.row(row.id).state == "running"
    assert len(children) == 2


def test_the_switch_to_stay_offline_pauses_what_runs_and_goes_on_when_it_is_off_again(
    queue: DownloadQueue, children: list[RecordingChild], store: Store
) -> None:
    row = queue.add(wanted())
    children[0].event.emit(1, protocol.DownloadProgress(state="waiting", done_bytes=400, total_bytes=1000))
    store.settings.set("network.offline", True)
    queue.on_setting("network.offline")
    assert children[0].cancelled == [1]
    children[0].event.emit(1, protocol.Cancelled())
    assert (queue.row(row.id).state, queue.row(row.id).done_bytes) == ("paused", 400)
    store.settings.set("network.offline", False)
    queue.on_setting("network.offline")
    assert queue.row(row.id).state == "running"


def test_more_downloads_at_a_time_start_as_soon_as_they_are_allowed(queue: DownloadQueue, store: Store) -> None:
    queue.add(wanted("one.gguf"))
    second = queue.add(wanted("two.gguf"))
    store.settings.set("downloads.parallel", 2)
    queue.on_setting("downloads.parallel")
    assert queue.row(second.id).state == "running"


def test_a_failure_is_kept_in_words_and_the_next_one_starts(
    queue: DownloadQueue, children: list[RecordingChild]
) -> None:
    row, other = queue.add(wanted()), queue.add(wanted("two.gguf"))
    children[0].event.emit(1, protocol.Failed(title="The disk is full.", advice="Free 3 GB.", kind="disk-full"))
    failed = queue.row(row.id)
    assert (failed.state, failed.error_title, failed.error_kind) == ("failed", "The disk is full.", "disk-full")
    assert queue.row(other.id).state == "running"
    assert line_words(failed, None, 400, NOW) == "The disk is full. 400 bytes are kept. Free 3 GB."


def test_a_killed_child_is_a_failure_that_can_be_tried_again(
    queue: DownloadQueue, children: list[RecordingChild]
) -> None:
    row = queue.add(wanted())
    children[0].died.emit(explain_death(None, 9, "", None))
    assert queue.row(row.id).state == "failed"
    queue.resume(row.id)
    assert queue.row(row.id).state == "running"


def test_a_download_that_ran_when_the_window_was_killed_goes_on(
    queue: DownloadQueue, store: Store, children: list[RecordingChild], tmp_path: Path
) -> None:
    row = queue.add(wanted())
    queue.stop()
    assert store.downloads.all()[0].state == "running"
    again = DownloadQueue(store, Paths(tmp_path), lambda: children.append(RecordingChild()) or children[-1], lambda: "")
    again.resume_after_start()
    assert again.row(row.id).state == "running"
    assert len(children) == 2


def test_a_new_version_is_taken_only_after_the_person_pressed_again(
    queue: DownloadQueue, children: list[RecordingChild]
) -> None:
    row = queue.add(wanted())
    assert children[0].asked[0].accept_new_version is False
    children[0].event.emit(1, protocol.Failed(title="It has changed.", kind="changed"))
    queue.resume(row.id)
    assert children[1].asked[0].accept_new_version is True


def test_discarding_removes_the_row_and_what_had_arrived(queue: DownloadQueue, children: list[RecordingChild]) -> None:
    row = queue.add(wanted())
    queue.discard(row.id)
    assert queue.rows() == []
    assert children[0].is_stopped
    assert isinstance(children[1].asked[0], protocol.DiscardDownload)


def test_the_screen_says_rate_and_time_left(queue: DownloadQueue, store: Store, children: list[RecordingChild]) -> None:
    screen = DownloadsModel(queue, store.settings)
    queue.add(wanted())
    children[0].event.emit(
        1,
        protocol.DownloadProgress(state="downloading", done_bytes=400, total_bytes=1000, rate=12e6, seconds_left=120),
    )
    [row] = screen.rows.rows()
    assert row["line"] == "400 bytes of 1.0 KB · 12 MB a second · about 2 minutes left"
    assert (row["canPause"], row["canResume"], row["fraction"]) == (True, False, 0.4)
    assert (screen.activeCount, screen.fraction, screen.isEmpty) == (1, 0.4, False)


def test_a_model_with_terms_leads_to_its_page_and_to_the_settings(
    queue: DownloadQueue, store: Store, children: list[RecordingChild], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    screen = DownloadsModel(queue, store.settings)
    queue.add(wanted())
    children[0].event.emit(1, protocol.Failed(title="Only for people who have signed in.", kind="needs-token"))
    [row] = screen.rows.rows()
    assert (row["pageAddress"], row["wantsSettings"]) == ("https://huggingface.co/owner/tiny", True)


@pytest.mark.parametrize(
    ("kind", "step"),
    [
        ("needs-token", "page"),
        ("needs-access", "page"),
        ("token-refused", "settings"),
        ("gone", "find"),
        ("stalled", "resume"),
    ],
)
def test_each_failure_has_the_one_button_that_helps_it(
    kind: str, step: str, queue: DownloadQueue, store: Store, children: list[RecordingChild]
) -> None:
    screen = DownloadsModel(queue, store.settings)
    queue.add(wanted())
    children[0].event.emit(1, protocol.Failed(title="No.", kind=kind))
    [row] = screen.rows.rows()
    assert (row["firstStep"], row["canFindAnother"]) == (step, kind == "gone")


def test_another_file_of_a_model_that_is_gone_is_looked_for_by_its_name(
    queue: DownloadQueue, store: Store, children: list[RecordingChild]
) -> None:
    screen = DownloadsModel(queue, store.settings)
    asked: list[str] = []
    screen.searchRequested.connect(asked.append)
    row = queue.add(wanted())
    screen.findAnother(row.id)
    screen.findModels()
    assert asked == ["tiny", ""]
    assert model_name("unsloth/Qwen3-4B-GGUF") == "Qwen3-4B"


@pytest.mark.parametrize(
    ("live", "words"),
    [
        (Live("starting"), "Getting ready"),
        (Live("verifying", 1000), "Checking that every byte is right"),
        (Live("waiting", 400, note="The Hub asks us to wait 20 seconds."), "The Hub asks us to wait 20 seconds."),
    ],
)
def test_every_state_has_its_words(queue: DownloadQueue, live: Live, words: str) -> None:
    row = queue.add(wanted())
    assert words in line_words(queue.row(row.id), live, live.done_bytes, NOW)


def arrive(queue: DownloadQueue, child: RecordingChild, folder: Path, name: str) -> None:
    """Plays a child that has fetched `name` and then reads its header."""
    path = folder / name
    path.write_bytes(b"x" * 1000)
    done = protocol.DownloadedFile(name=name, path=str(path), size_bytes=1000, sha256="a" * 64)
    child.event.emit(1, protocol.DownloadDone(files=[done], revision="main"))
    child.event.emit(2, protocol.FileInspected(path=str(path), facts=FACTS))
