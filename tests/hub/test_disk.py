"""The disk under a download: full, failing, read-only, littered."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from snug.core.errors import UserError
from snug.hub.disk_space import explain_disk
from snug.hub.downloader import Paused
from snug.hub.file_lock import FileLock
from snug.hub.journal import read_journal
from snug.hub.leftovers import clear_leftovers, discard
from snug.hub.part_file import journal_path, lock_path
from snug.hub.patience import DEFAULT_PLAN, MIB
from tests.hub.conftest import FILE, REPO, SIZE, Fetcher, described, left_behind
from tests.hub.content import Repository
from tests.hub.server import Hub
from tests.hub.test_downloader import StopAt, sha256_of

FOLDER = "maker--model-GGUF"


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], capture_output=True, check=False
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip("this person may not mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_s2_a_disk_that_fills_up_pauses_the_download_and_room_lets_it_go_on(
    fetcher: Fetcher, hub: Hub, repository: Repository, tiny_disk: Path, tmp_path: Path
) -> None:
    fetcher.order = replace(fetcher.order, folder=tiny_disk)
    fetcher.plan = replace(fetcher.plan, spare_share=-1.0)  # the check in advance is switched off: the disk lies
    with pytest.raises(UserError) as caught:
        fetcher()
    assert caught.value.kind == "disk-full"
    assert caught.value.advice.startswith("Free ")
    assert not list(tiny_disk.rglob("*.gguf"))
    state = read_journal(journal_path(tiny_disk / FOLDER / FILE))
    assert state is not None
    kept = state.spans.total

    subprocess.run(["mount", "-o", "remount,size=8m", str(tiny_disk)], check=True)
    hub.log.clear()
    (fetched,) = fetcher()
    assert sha256_of(fetched.path) == repository.files[FILE].sha256
    assert sum(end - first for first, end in hub.log.sent_ranges(f"{REPO}/{FILE}")) <= SIZE - kept + MIB
    assert left_behind(tiny_disk) == []


def test_s2_the_check_in_advance_counts_what_is_missing_5_percent_and_a_gib() -> None:
    full = explain_disk(OSError(errno.ENOSPC, "full"), Path("/"), 10**15, DEFAULT_PLAN)
    assert full.kind == "disk-full"
    assert (DEFAULT_PLAN.spare_share, DEFAULT_PLAN.spare_bytes) == (0.05, 1 << 30)


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, "disk-full"), (errno.EDQUOT, "disk-full"), (errno.EIO, "disk-problem"),
     (errno.EROFS, "folder-read-only"), (errno.EACCES, "folder-read-only"), (errno.ENOTDIR, "folder-missing"),
     (errno.ENODEV, "folder-missing")],
)  # fmt: skip
def test_each_fault_of_the_disk_has_its_words(number: int, kind: str) -> None:
    assert explain_disk(OSError(number, "x"), Path("/"), 1, DEFAULT_PLAN).kind == kind


def test_a_file_where_the_folder_should_be_is_explained(fetcher: Fetcher, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(UserError) as caught:
        fetcher()
    assert caught.value.kind in ("folder-missing", "disk-problem")


DOWNLOAD_SCRIPT = """
import json, pathlib, sys
from snug.core.errors import UserError
from snug.hub.downloader import Order, download
from snug.hub.patience import MIB, Plan
from snug.hub.remote import Access, File
name, size, sha256 = sys.argv[2], int(sys.argv[3]), sys.argv[4]
order = Order(access=Access(endpoint=sys.argv[1]), repo="maker/model-GGUF", revision="main",
              files=(File(name=name, size_bytes=size, sha256=sha256),), folder=pathlib.Path(sys.argv[5]))
plan = Plan(step_bytes=MIB // 4, spare_bytes=0)
try:
    download(order, report=lambda report: None, should_stop=lambda: False, plan=plan)
    print(json.dumps("done"))
except UserError as error:
    print(json.dumps(error.kind))
"""


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
@pytest.mark.parametrize(
    "call", ["fdatasync:error=EIO:when=2", "fsync:error=EIO:when=2", "fdatasync:error=EIO:when=1+"]
)
def test_s23_bytes_that_could_not_be_synced_are_never_taken_for_saved(
    hub: Hub, repository: Repository, tmp_path: Path, call: str
) -> None:
    (file,) = described(repository, FILE)
    command = [sys.executable, "-c", DOWNLOAD_SCRIPT, hub.endpoint, FILE, str(SIZE), file.sha256, str(tmp_path)]
    watched = f"trace={call.split(':')[0]}"
    traced = ["strace", "-f", "-qq", "-o", str(tmp_path / "calls"), "-e", watched, "-e", f"inject={call}"]
    first = subprocess.run([*traced, *command], capture_output=True, text=True, check=False, timeout=120)
    if not first.stdout:
        pytest.skip(f"strace may not be used here: {first.stderr[-200:]}")
    assert json.loads(first.stdout) == "disk-problem"
    assert not list(tmp_path.rglob("*.gguf"))

    again = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(again.stdout) == "done"
    assert sha256_of(tmp_path / FOLDER / FILE) == file.sha256
    assert left_behind(tmp_path) == []


# --- what is left over ---------------------------------------------------------------------------------------------


def paused(fetcher: Fetcher, hub: Hub) -> Path:
    hub.rate = MIB
    with pytest.raises(Paused):
        fetcher(should_stop=StopAt(fetcher, SIZE // 3))
    hub.rate = 0
    return fetcher.order.folder / FOLDER


def test_s24_orphans_go_and_what_can_be_resumed_stays(fetcher: Fetcher, hub: Hub) -> None:
    folder = paused(fetcher, hub)
    resumable = left_behind(folder)
    (folder / "old.gguf.part").write_bytes(b"no journal")
    (folder / "torn.gguf.journal").write_bytes(b"half a li")
    (folder / "torn.gguf.journal.new").write_bytes(b"")
    (folder / "dead.gguf.lock").write_bytes(b"")
    (folder / "model.gguf").write_bytes(b"a model")

    clear_leftovers(folder)

    assert left_behind(folder) == resumable
    assert (folder / "model.gguf").exists()


def test_s24_what_a_live_process_holds_is_not_touched(fetcher: Fetcher, hub: Hub) -> None:
    folder = paused(fetcher, hub)
    (folder / "old.gguf.part").write_bytes(b"no journal yet")
    lock = FileLock(lock_path(folder / "old.gguf"))
    assert lock.acquire()

    clear_leftovers(folder)

    assert (folder / "old.gguf.part").exists()
    lock.release()


def test_discarding_frees_the_half_and_keeps_the_finished(fetcher: Fetcher, hub: Hub, repository: Repository) -> None:
    other = described(repository, "other-Q8_0.gguf")
    (finished,) = fetcher(files=other)
    folder = paused(fetcher, hub)

    freed = discard(REPO, [*fetcher.order.files, *other], fetcher.order.folder)

    assert freed > 0
    assert left_behind(folder) == []
    assert Path(finished.path).exists()


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    script = "import sys, pathlib; from snug.hub.file_lock import FileLock; assert FileLock(pathlib.Path(sys.argv[1])).acquire(); import os; os._exit(9)"  # noqa: E501
    assert subprocess.run([sys.executable, "-c", script, str(path)], check=False).returncode == 9
    assert path.exists()

    lock = FileLock(path)
    assert lock.acquire()
    assert not FileLock(path).acquire()
    lock.release()
    assert not path.exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_s5_a_folder_without_permission_is_explained(fetcher: Fetcher, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with pytest.raises(UserError) as caught:
        fetcher(folder=locked)
    assert caught.value.kind == "folder-read-only"
