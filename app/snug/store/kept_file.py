"""A small file of named values, replaced as a whole, so that window and command line may both write it.

Nothing here raises: a damaged file counts as empty, and what the disk refuses is lost.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MOST_KEPT = 2000


class KeptFile:
    """The entries of one JSON file, the newest last; the oldest go where they are too many."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version = (0, 0, 0)
        self._entries: Mapping[str, Any] = {}

    def all(self) -> Mapping[str, Any]:
        """The entries, parsed again only when the file was replaced."""
        try:
            look = self._path.stat()
            version = (look.st_mtime_ns, look.st_size, look.st_ino)
            if version != self._version:
                found = json.loads(self._path.read_text("utf-8"))
                self._entries = found if isinstance(found, dict) else {}
                self._version = version
        except (OSError, ValueError, RecursionError):
            return {}
        return self._entries

    def put(self, key: str, value: object) -> None:
        """Keep a value; nothing without a key."""
        if not key:
            return
        entries = dict(self.all())
        entries.pop(key, None)
        entries[key] = value
        newest = dict(list(entries.items())[-MOST_KEPT:])
        new = self._path.with_suffix(f".{os.getpid()}.new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            new.write_text(json.dumps(newest), "utf-8")
            os.replace(new, self._path)
        except OSError:
            return
