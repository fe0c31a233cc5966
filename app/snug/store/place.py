"""Whether a folder can hold the database: locks do not work reliably on network drives and in synchronised folders."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from snug.core.errors import UserError
from snug.store.model_files import mount_point_of

# The names that Linux gives to file systems of other computers.
NETWORK_FILE_SYSTEMS = (
    "afs", "ceph", "cifs", "coda", "davfs", "fuse.davfs2", "fuse.gcsfuse", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs",
    "fuse.sshfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "smb2", "smb3", "smbfs",
)  # fmt: skip
CLOUD_FOLDERS = ("dropbox", "onedrive", "google drive", "googledrive", "icloud", "nextcloud", "owncloud", "box sync")
MOUNTS = Path("/proc/self/mounts")


def check_place(home: Path, mounts: Path = MOUNTS) -> None:
    """Raises UserError (kind "unsuitable-folder") where the database must not be kept in `home`."""
    parts = [part.casefold() for part in home.parts]
    if any(part == name or part.startswith((name + " ", name + "-")) for part in parts for name in CLOUD_FOLDERS):
        raise _unsuitable(home, "a folder that a cloud service copies")
    if _file_system(home, _mount_lines(mounts)) in NETWORK_FILE_SYSTEMS or str(home).startswith(("\\\\", "//")):
        raise _unsuitable(home, "a network drive")


def _unsuitable(home: Path, what: str) -> UserError:
    return UserError(
        f"Snug cannot keep your chats in {home}: it is on {what}, where they could be damaged.",
        "Choose a folder on this computer with the environment variable SNUG_HOME. Models may be anywhere.",
        kind="unsuitable-folder",
        bad_input=True,
    )


def _mount_lines(mounts: Path) -> list[str]:
    if sys.platform != "linux":
        return []
    try:
        return mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _file_system(home: Path, lines: Iterable[str]) -> str:
    """The type of the file system that `home` is on; "" where it is not known."""
    point = mount_point_of(str(home / "file")) or os.sep
    found = ""
    for line in lines:
        fields = line.split(" ")
        if len(fields) > 2 and fields[1].replace("\\040", " ") == point:
            found = fields[2]
    return found
