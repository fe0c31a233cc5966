"""Finds model files below a folder, within limits, and never outside of it."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

SPLIT_NAME = re.compile(r"^(?P<stem>.+)-(?P<part>\d{5})-of-(?P<count>\d{5})\.gguf$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class WalkLimits:
    """How deep a folder is looked into, how many entries all walks see together, and for how many seconds."""

    depth: int = 8
    entries: int = 100_000
    seconds: float = 20.0


@dataclass
class FolderWalk:
    """Walks folders until the limits are used up; `skipped` collects (path, why) of what was left out.

    A symbolic link counts only where it leads to a place below the same root; links to folders are not followed.
    """

    limits: WalkLimits = WalkLimits()
    clock: Callable[[], float] = time.monotonic
    check: Callable[[], None] = lambda: None
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._entries = 0
        self._end = self.clock() + self.limits.seconds

    def files(self, root: Path, is_wanted: Callable[[str], bool]) -> Iterator[Path]:
        """Regular files below `root` whose name is wanted, sorted within each folder."""
        real_root = os.path.realpath(root)
        folders = [(str(root), 0)]
        while folders:
            folder, depth = folders.pop()
            self.check()
            for entry in self._listed(folder):
                if not self._may_go_on(folder):
                    return
                if self._is_folder(entry):
                    if depth < self.limits.depth:
                        folders.append((entry.path, depth + 1))
                elif is_wanted(entry.name) and self._is_text(entry.path) and self._is_file_below(entry.path, real_root):
                    yield Path(entry.path)

    def skip(self, path: object, why: str) -> None:
        self.skipped.append((str(path).encode(errors="replace").decode(), why))

    def _is_text(self, path: str) -> bool:
        """Whether the path can be written in a message or a database: a file system takes any bytes for a name."""
        try:
            path.encode()
        except UnicodeEncodeError:
            self.skip(path, "its name is not readable text: rename it")
            return False
        return True

    def _listed(self, folder: str) -> list[os.DirEntry[str]]:
        """The entries of a folder, at most as many as are left to look at."""
        found: list[os.DirEntry[str]] = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    found.append(entry)
                    if len(found) > self.limits.entries:
                        break
        except OSError as error:
            self.skip(folder, f"the folder cannot be read ({error.strerror or error})")
        return sorted(found, key=lambda entry: entry.name)

    def _may_go_on(self, folder: str) -> bool:
        self._entries += 1
        if self._entries > self.limits.entries:
            self.skip(folder, f"more than {self.limits.entries:,} files and folders: the rest was not looked at")
            return False
        if self.clock() > self._end:
            self.skip(folder, f"it took longer than {self.limits.seconds:g} seconds: the rest was not looked at")
            return False
        return True

    def _is_folder(self, entry: os.DirEntry[str]) -> bool:
        try:
            return entry.is_dir(follow_symlinks=False)
        except OSError:
            return False

    def _is_file_below(self, path: str, real_root: str) -> bool:
        try:
            target = os.path.realpath(path, strict=True)
            is_file = stat.S_ISREG(os.stat(target).st_mode)
        except (OSError, ValueError):
            self.skip(path, "it leads to nothing")
            return False
        if not Path(target).is_relative_to(real_root):
            self.skip(path, "it is a link that leads out of the app's folder")
            return False
        return is_file


def is_gguf_name(name: str) -> bool:
    return name.lower().endswith(".gguf")


def is_projector_name(name: str) -> bool:
    """Whether a file's name says that it holds the eyes of a model (a vision projector), not a model."""
    return "mmproj" in name.lower()


def parts_of(path: Path) -> tuple[Path, ...]:
    """All parts of the split model that the file at `path` belongs to, in order; the file alone where it is whole.

    Raises FileNotFoundError with the name of the first missing part.
    """
    match = SPLIT_NAME.match(path.name)
    if not match:
        return (path,)
    count = int(match["count"])
    parts = tuple(path.with_name(f"{match['stem']}-{part:05d}-of-{count:05d}.gguf") for part in range(1, count + 1))
    if not 1 <= int(match["part"]) <= count <= 1000:
        raise FileNotFoundError(path.name)
    for part in parts:
        if not os.path.isfile(part):
            raise FileNotFoundError(part.name)
    return parts


def display_name(path: Path) -> str:
    """A model file's name for people: without its ending and its part number."""
    match = SPLIT_NAME.match(path.name)
    return match["stem"] if match else path.name.removesuffix(path.suffix)
