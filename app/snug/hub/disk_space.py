"""Whether the disk has room, and what went wrong on it, in words."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from snug.core.disk_room import needed_on_disk
from snug.core.errors import UserError
from snug.core.words import size_text
from snug.hub.patience import Plan

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def free_bytes(folder: Path) -> int:
    """The free bytes on the disk that holds `folder`, which need not exist yet."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def check_room(folder: Path, missing_bytes: int, plan: Plan) -> None:
    """Raise UserError where `missing_bytes` do not fit with something to spare; it says how much to free."""
    needed = needed_on_disk(missing_bytes, plan.spare_share, plan.spare_bytes)
    free = free_bytes(folder)
    if free < needed:
        raise disk_full(folder, needed - free)


def disk_full(folder: Path, lacking_bytes: int) -> UserError:
    return UserError(
        "There is not enough room on the disk for this.",
        f"Free {size_text(max(lacking_bytes, 1_000_000))}, then continue; what was fetched so far stays.",
        "disk-full",
        f"folder {folder}, lacking {lacking_bytes} bytes",
    )


def explain_disk(error: OSError, folder: Path, missing_bytes: int, plan: Plan) -> UserError:
    """The words for what the disk did not do."""
    details = f"{type(error).__name__}: {error}"
    if error.errno in _FULL:
        needed = needed_on_disk(max(1, missing_bytes), plan.spare_share, plan.spare_bytes)
        return disk_full(folder, needed - free_bytes(folder))
    if error.errno in _FORBIDDEN:
        return UserError(
            "Snug may not write into the folder for models.",
            "Choose another folder in Settings, or give yourself permission to write there.",
            "folder-read-only",
            details,
        )
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENODEV, errno.ESTALE, errno.ENOTCONN):
        return UserError(
            "The folder for models is not there any more.",
            "If it is on a drive, connect the drive again, then continue.",
            "folder-missing",
            details,
        )
    return UserError(
        "The disk could not save what was downloaded.",
        "The disk may be failing, or was disconnected. Check it, then continue; nothing damaged is kept.",
        "disk-problem",
        details,
    )
