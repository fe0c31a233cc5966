"""Backups: once a day, whole before they have a name, five kept; and where no database may live."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from snug.core.errors import UserError
from snug.paths import Paths
from snug.store import Store, backup
from snug.store.place import check_place

Fill = Callable[[Store, int, int], object]


def names(paths: Paths) -> list[str]:
    return [found.path.name for found in backup.all_backups(paths)]


def test_a_backup_a_day_and_the_last_five_stay(
    opened: Callable[[], Store], paths: Paths, fill: Fill, clock: Callable[..., object]
) -> None:
    fill(opened(), 1, 2)
    opened()
    opened()
    assert names(paths) == ["snug-000001-2026-05-01.db"]
    for _ in range(6):
        clock.move(days=1)  # type: ignore[attr-defined]
        opened()
    assert names(paths) == [f"snug-{number:06d}-2026-05-{number:02d}.db" for number in (7, 6, 5, 4, 3)]
    connection = sqlite3.connect(backup.all_backups(paths)[0].path)
    assert connection.execute("SELECT count(*) FROM messages").fetchone() == (2,)
    connection.close()


def test_a_clock_that_is_set_back_does_not_stop_the_backups(
    opened: Callable[[], Store], paths: Paths, fill: Fill, clock: Callable[..., object]
) -> None:
    fill(opened(), 1, 2)
    opened()
    clock.move(days=-500)  # type: ignore[attr-defined]
    opened()
    assert names(paths) == ["snug-000002-2024-12-17.db", "snug-000001-2026-05-01.db"]


def test_an_empty_database_makes_no_backup(opened: Callable[[], Store], paths: Paths) -> None:
    opened()
    opened()
    assert names(paths) == []


def test_a_damaged_backup_is_passed_over(opened: Callable[[], Store], paths: Paths, fill: Fill, clock: object) -> None:
    fill(opened(), 1, 2)
    opened()
    clock.move(days=1)  # type: ignore[attr-defined]
    opened().close()
    newest, older = backup.all_backups(paths)
    newest.path.write_bytes(newest.path.read_bytes()[:9000])
    (paths.backups / "snug-000009-2026-99-99.db").write_bytes(b"")
    assert backup.newest_good(paths) == older


def test_a_backup_that_cannot_be_made_does_not_stop_a_start(
    opened: Callable[[], Store], paths: Paths, fill: Fill
) -> None:
    fill(opened(), 1, 2)
    paths.backups.write_text("a file in the way")
    assert len(opened().chats.list()) == 1


@pytest.mark.parametrize(
    ("size", "days", "is_start", "is_due"),
    [
        (1_000, None, True, True),
        (1_000, 0, True, False),
        (1_000, 1, True, True),
        (10**9, 1, True, False),
        (10**9, 1, False, True),
        (10**9, 3, True, True),
    ],
)
def test_a_large_backup_waits_for_the_closing(
    paths: Paths, clock: Callable[..., object], size: int, days: int | None, is_start: bool, is_due: bool
) -> None:
    if days is not None:
        paths.backups.mkdir(parents=True)
        (paths.backups / f"snug-000001-{clock():%Y-%m-%d}.db").write_bytes(b"x")
        clock.move(days=days)  # type: ignore[attr-defined]
    assert backup.is_due(paths, clock(), size, is_start=is_start) == is_due  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["Dropbox", "OneDrive - Company", "Nextcloud", "Google Drive"])
def test_a_folder_that_a_cloud_copies_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        check_place(tmp_path / name / "snug")
    assert caught.value.kind == "unsuitable-folder"


@pytest.mark.skipif(not Path("/proc/self/mounts").exists(), reason="the list of mounts is Linux's")
@pytest.mark.parametrize(("kind", "is_refused"), [("nfs4", True), ("cifs", True), ("ext4", False), ("overlay", False)])
def test_a_network_drive_is_refused(kind: str, is_refused: bool, tmp_path: Path) -> None:
    from snug.store.model_files import mount_point_of

    point = mount_point_of(str(tmp_path / "file")) or "/"
    mounts = tmp_path / "mounts"
    mounts.write_text(f"proc /proc proc rw 0 0\nserver:/share {point} {kind} rw 0 0\n")
    if is_refused:
        with pytest.raises(UserError):
            check_place(tmp_path, mounts)
    else:
        check_place(tmp_path, mounts)


def test_a_folder_whose_name_only_begins_like_a_cloud_is_fine(tmp_path: Path) -> None:
    check_place(tmp_path / "dropboxes" / "snug")
