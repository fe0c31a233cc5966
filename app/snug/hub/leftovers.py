"""Files that an interrupted download left behind and that nothing will ever take up again."""

from __future__ import annotations

from pathlib import Path

from snug.hub.disk_names import file_path, folder_name
from snug.hub.file_lock import FileLock
from snug.hub.journal import read_journal
from snug.hub.part_file import journal_path, lock_path, part_path
from snug.hub.remote import File


def clear_leftovers(folder: Path) -> list[Path]:
    """Remove what belongs to no resumable download in `folder`, never where a live process holds the lock."""
    if not folder.is_dir():
        return []
    finals = {
        path.with_name(path.name.removesuffix(suffix))
        for suffix in (".part", ".journal", ".lock", ".journal.new")
        for path in folder.glob(f"*{suffix}")
    }
    removed: list[Path] = []
    for final in sorted(finals):
        lock = FileLock(lock_path(final))
        if not lock.acquire():
            continue
        try:
            removed += [path for path in _useless(final) if _remove(path)]
        finally:
            lock.release()
    return removed


def discard(repo: str, files: list[File], folder: Path) -> int:
    """Remove the part files and journals of these files; finished files stay. Returns the bytes freed."""
    freed = 0
    base = folder / folder_name(repo)
    for place in (base, *folder.glob(f"{base.name}@*")):
        for file in files:
            final = place / file_path(file.name)
            lock = FileLock(lock_path(final))
            if not final.parent.is_dir() or not lock.acquire():
                continue
            try:
                for path in (part_path(final), journal_path(final)):
                    size = _allocated(path)
                    freed += size if _remove(path) else 0
            finally:
                lock.release()
            _remove_if_empty(final.parent, folder)
    return freed


def _useless(final: Path) -> list[Path]:
    part, journal = part_path(final), journal_path(final)
    fresh = journal.with_name(journal.name + ".new")
    state = read_journal(journal)
    if state is None:
        return [part, journal, fresh]
    if not part.exists():  # renamed, and killed before the journal went; or nothing was fetched yet
        return [journal, fresh]
    return [fresh]


def _remove(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _allocated(path: Path) -> int:
    try:
        status = path.lstat()
    except OSError:
        return 0
    return getattr(status, "st_blocks", 0) * 512 or status.st_size


def _remove_if_empty(folder: Path, stop: Path) -> None:
    while folder != stop and folder.is_relative_to(stop):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
