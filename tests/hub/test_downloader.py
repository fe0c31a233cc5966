"""Downloads that go well, are paused, taken up again, limited, or find their files there already."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from snug.core.errors import UserError
from snug.hub.downloader import Paused
from snug.hub.file_lock import FileLock
from snug.hub.journal import read_journal
from snug.hub.part_file import journal_path, lock_path
from snug.hub.patience import DEFAULT_PLAN, MIB
from tests.hub.blobs import Filler
from tests.hub.conftest import FILE, REPO, SIZE, Fetcher, described, left_behind
from tests.hub.content import Repository, split_repository
from tests.hub.request_log import covered
from tests.hub.server import Hub


class StopAt:
    """Asks for a stop once so many bytes were reported."""

    def __init__(self, fetcher: Fetcher, done_bytes: int) -> None:
        self._fetcher = fetcher
        self._done_bytes = done_bytes

    def __call__(self) -> bool:
        reports = self._fetcher.reports
        return bool(reports) and reports[-1].done_bytes >= self._done_bytes


def sha256_of(path: str | Path) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def test_a_file_arrives_whole_under_its_name_and_leaves_nothing_beside_it(
    fetcher: Fetcher, repository: Repository, tmp_path: Path
) -> None:
    (fetched,) = fetcher()

    assert sha256_of(fetched.path) == fetched.sha256 == repository.files[FILE].sha256
    assert Path(fetched.path) == tmp_path / "models" / "maker--model-GGUF" / FILE
    assert left_behind(tmp_path) == []


def test_no_byte_is_fetched_twice_and_none_is_left_out(fetcher: Fetcher, hub: Hub) -> None:
    fetcher()

    file = f"{REPO}/{FILE}"
    assert hub.log.bytes_sent_twice(file) == 0
    assert covered(hub.log.sent_ranges(file)) == SIZE


def test_several_ranges_are_fetched_at_once(fetcher: Fetcher, hub: Hub) -> None:
    fetcher()

    assert len(hub.log.sent_ranges(f"{REPO}/{FILE}")) >= 4


def test_a_small_file_that_is_not_in_lfs_is_proved_by_its_git_hash(
    fetcher: Fetcher, repository: Repository, hub: Hub
) -> None:
    (fetched,) = fetcher(files=described(repository, "config.json"))

    assert Path(fetched.path).read_bytes() == b'{"model_type": "llama"}\n'
    assert fetched.sha256 == sha256_of(fetched.path)


def test_progress_never_goes_back_and_ends_with_everything(fetcher: Fetcher, hub: Hub) -> None:
    hub.rate = MIB // 2
    fetcher()

    done = [report.done_bytes for report in fetcher.reports]
    assert done == sorted(done)
    assert done[-1] == SIZE
    assert {report.state for report in fetcher.reports} == {"starting", "downloading", "verifying"}
    assert any(report.rate > 0 and report.seconds_left > 0 for report in fetcher.reports)


def test_a_pause_keeps_every_byte_and_the_rest_is_fetched_later(
    fetcher: Fetcher, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A slow disk would leave more in the sockets' buffers than this test allows.
    monkeypatch.setattr("snug.hub.part_file._sync_data", lambda _: None)
    hub.rate = MIB // 2
    with pytest.raises(Paused):
        fetcher(should_stop=StopAt(fetcher, SIZE // 3))
    assert not list(tmp_path.rglob("*.gguf"))
    before = covered(hub.log.sent_ranges(f"{REPO}/{FILE}"))
    hub.log.clear()
    hub.rate = 0

    (fetched,) = fetcher()

    again = covered(hub.log.sent_ranges(f"{REPO}/{FILE}"))
    assert before + again - SIZE <= 512 * 1024  # what lay in the sockets' buffers when the pause came
    assert sha256_of(fetched.path) == fetched.sha256


def test_a_finished_file_is_not_fetched_again(fetcher: Fetcher, hub: Hub) -> None:
    first = fetcher()
    hub.log.clear()

    assert fetcher() == first
    assert hub.log.sent_ranges(f"{REPO}/{FILE}") == []


def test_a_split_set_appears_only_when_all_its_parts_are_there(fetcher: Fetcher, hub: Hub, tmp_path: Path) -> None:
    split = split_repository()
    hub.repositories[split.name] = split
    names = sorted(name for name in split.files if name.startswith("Q8_0/"))
    hub.rate = 4 * MIB
    first_part = split.files[names[0]].size
    with pytest.raises(Paused):
        fetcher(repo=split.name, files=described(split, *names), should_stop=StopAt(fetcher, first_part + 100_000))
    assert not list(tmp_path.rglob("*.gguf"))
    hub.rate = 0

    fetched = fetcher(repo=split.name, files=described(split, *names))

    assert [Path(file.path).name for file in fetched] == [name.split("/")[1] for name in names]
    assert len({Path(file.path).parent for file in fetched}) == 1
    assert left_behind(tmp_path) == []


def test_a_name_that_another_version_has_is_not_overwritten(
    fetcher: Fetcher, repository: Repository, tmp_path: Path
) -> None:
    (old,) = fetcher()
    repository.replace_file(FILE, Filler(SIZE, seed=77))

    (new,) = fetcher(files=described(repository, FILE))

    assert new.path != old.path
    assert sha256_of(old.path) == old.sha256
    assert sha256_of(new.path) == repository.files[FILE].sha256


def test_a_link_with_the_files_name_is_not_followed(fetcher: Fetcher, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    canary.write_text("untouched")
    folder = tmp_path / "models" / "maker--model-GGUF"
    folder.mkdir(parents=True)
    (folder / FILE).symlink_to(canary)
    (folder / f"{FILE}.part").symlink_to(canary)

    (fetched,) = fetcher()

    assert canary.read_text() == "untouched"
    assert sha256_of(fetched.path) == fetched.sha256


def test_two_downloads_of_one_file_do_not_write_together(fetcher: Fetcher, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "maker--model-GGUF"
    folder.mkdir(parents=True)
    other = FileLock(lock_path(folder / FILE))
    assert other.acquire()

    with pytest.raises(Paused):
        fetcher(should_stop=lambda: "busy" in fetcher.kinds_told)
    assert not (folder / f"{FILE}.part").exists()
    other.release()

    fetcher()
    assert left_behind(tmp_path) == []


def test_the_speed_limit_holds_back_all_connections_together(fetcher: Fetcher, hub: Hub) -> None:
    with pytest.raises(Paused):
        fetcher(speed_limit=MIB, should_stop=lambda: len(fetcher.reports) >= 8)

    assert fetcher.reports[-1].done_bytes < SIZE  # without the limit, eight reports are long after the end


def test_nothing_is_fetched_where_the_disk_has_no_room(fetcher: Fetcher, hub: Hub) -> None:
    fetcher.plan = replace(fetcher.plan, spare_bytes=1 << 60)

    with pytest.raises(UserError) as caught:
        fetcher()

    assert caught.value.kind == "disk-full"
    assert caught.value.advice.startswith("Free ")
    assert hub.log.entries(where="cdn") == []


def test_an_order_without_files_is_refused(fetcher: Fetcher) -> None:
    with pytest.raises(UserError, match="nothing to download"):
        fetcher(files=())


def test_by_default_a_kill_costs_at_most_8_mib(tmp_path: Path) -> None:
    for size in (1, 50_000_000, 60 << 30):
        assert DEFAULT_PLAN.parallel * DEFAULT_PLAN.step_for(size) <= 8 * MIB
    assert DEFAULT_PLAN.range_for(60 << 30) == 64 * MIB


def test_what_a_pause_left_is_described_by_the_journal(fetcher: Fetcher, hub: Hub, tmp_path: Path) -> None:
    hub.rate = MIB
    with pytest.raises(Paused):
        fetcher(should_stop=StopAt(fetcher, SIZE // 4))

    state = read_journal(journal_path(tmp_path / "models" / "maker--model-GGUF" / FILE))

    assert state is not None
    assert state.head.size == SIZE
    assert 0 < state.spans.total < SIZE
    assert state.verified == ""
