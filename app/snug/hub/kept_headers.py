"""Headers of remote files, kept for the engine's dry run: a few megabytes each, the oldest make room."""

from __future__ import annotations

import os
from pathlib import Path

MOST_KEPT = 12


def keep_header(folder: Path, digest: str, data: bytes) -> Path | None:
    """Where the header is kept from now on; None where the disk refuses it, since nothing depends on it."""
    path = folder / f"{digest[:40]}.header"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.stat().st_size == len(data):
            os.utime(path)
            return path
        for old in sorted(folder.glob("*.header"), key=lambda item: item.stat().st_mtime)[: -(MOST_KEPT - 1)]:
            old.unlink(missing_ok=True)
        new = path.with_suffix(".new")
        new.write_bytes(data)
        os.replace(new, path)
    except OSError:
        return None
    return path
