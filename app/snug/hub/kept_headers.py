"""Headers of remote files, kept for the engine's dry run: a few megabytes each, the oldest make room."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

MOST_KEPT = 12
"""So many headers are kept, and always all of the model that was looked at last."""


def keep_headers(folder: Path, headers: Mapping[str, bytes]) -> dict[str, Path]:
    """Where each header is kept from now on, by its hash; none where the disk refuses, since nothing depends on it."""
    places = {digest: folder / f"{digest[:40]}.header" for digest in headers}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for digest, data in headers.items():
            _keep(places[digest], data)
        others = [path for path in folder.glob("*.header") if path not in places.values()]
        oldest_first = sorted(others, key=lambda path: path.stat().st_mtime)
        for old in oldest_first[: max(0, len(others) + len(places) - MOST_KEPT)]:
            old.unlink(missing_ok=True)
    except OSError:
        return {}
    return places


def _keep(path: Path, data: bytes) -> None:
    if path.exists() and path.stat().st_size == len(data):
        os.utime(path)
        return
    new = path.with_suffix(".new")
    new.write_bytes(data)
    os.replace(new, path)
