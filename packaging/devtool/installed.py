"""What is wrong with the packages in a virtual environment: read from their own records of files."""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path


def damaged_distributions(site_packages: Path) -> list[Path]:
    """The .dist-info folders whose record is missing, or names a file that is gone or has another size.

    A set-up that was killed while pip unpacked leaves such packages, and pip would take them for installed.
    """
    return [folder for folder in sorted(site_packages.glob("*.dist-info")) if not _is_whole(folder)]


def _is_whole(dist_info: Path) -> bool:
    try:
        with (dist_info / "RECORD").open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error):
        return False
    base = str(dist_info.parent)
    for row in rows:
        if len(row) != 3:
            return False
        name, _, size = row
        # Only files with a recorded size are the package's own; byte code comes and goes.
        if not size or name.endswith(".pyc"):
            continue
        try:
            if os.stat(f"{base}/{name}").st_size != int(size):
                return False
        except (OSError, ValueError):
            return False
    return True


def forget(dist_info: Path) -> None:
    """Removes the mark of a damaged package, so that pip installs it anew."""
    shutil.rmtree(dist_info, ignore_errors=True)


def remove_leftovers(site_packages: Path) -> None:
    """Removes what a killed pip set aside: folders and files whose name begins with a tilde."""
    for path in site_packages.glob("~*"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
