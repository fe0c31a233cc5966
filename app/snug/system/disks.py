"""The disk on which models are kept: how much of it is free."""

from __future__ import annotations

import ntpath
import posixpath

from snug.core.machine import Disk
from snug.system.environment import Environment, NotReadable
from snug.system.reading import Reading


def read(environment: Environment) -> Reading:
    """Free space where the models folder is or will be: the nearest folder above it that exists is asked."""
    folder = environment.models_folder
    if not folder:
        return Reading(unread={"disks": "no folder for models was named"})
    existing = nearest_folder(environment, folder)
    if existing is None:
        return Reading(unread={"disks": f"neither {folder} nor a folder above it is there"})
    try:
        free, total = environment.disk_space(existing)
    except NotReadable as reason:
        return Reading(unread={"disks": str(reason)})
    source = "the file system" if existing == folder else f"the file system of {existing}"
    disk = Disk(folder, free, total)
    return Reading(disks=(disk,), sources={disk.key: source})


def nearest_folder(environment: Environment, folder: str) -> str | None:
    """`folder` itself or the first folder above it that exists."""
    paths = ntpath if environment.system == "windows" else posixpath
    while not environment.has_folder(folder):
        above = paths.dirname(folder)
        if above == folder or not above:
            return None
        folder = above
    return folder
