"""Whether a file has room on the disk for models, with something to spare, as far as this computer's reading tells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from snug.core.machine import Machine
from snug.core.words import size_text

NO_ROOM_WORDS = "No room on disk"
"""The badge of a model that would fit the memory."""
SPARE_SHARE = 0.05
SPARE_BYTES = 1 << 30
"""A download is begun where the disk has room for the file, so much of it more, and these bytes."""


def needed_on_disk(file_bytes: int, share: float = SPARE_SHARE, spare: int = SPARE_BYTES) -> int:
    """Bytes that must be free for so many that are to come; 0 for none."""
    return int(file_bytes * (1 + share)) + spare if file_bytes else 0


def room_on_disk(machine: Machine) -> int | None:
    """Free bytes on the disk for models; None where not known."""
    return machine.disks[0].free if machine.disks else None


def lacking_on_disk(machine: Machine, file_bytes: int, repos: Iterable[str] = ()) -> int:
    """How many bytes the disk for models lacks for a file of so many; 0 where it has room, or is not known.

    A file of `repos` that is arriving has a part of its room already: its download says what lacks.
    """
    room = room_on_disk(machine)
    if room is None or any(repo.casefold() in machine.arriving for repo in repos):
        return 0
    return max(0, needed_on_disk(file_bytes) - room)


def lacking_words(machine: Machine, file_bytes: int, repos: Iterable[str] = ()) -> str:
    """A sentence for a file that the disk has no room for; "" where it has."""
    lacking = lacking_on_disk(machine, file_bytes, repos)
    if not lacking:
        return ""
    free, needed = size_text(machine.disks[0].free), size_text(needed_on_disk(file_bytes))
    return (
        f"The disk for models has {free} free; with a little to spare, this file needs {needed}. "
        f"Free {size_text(lacking)} there, or choose a folder on another disk in Settings."
    )


def with_disk_room(machine: Machine, more_bytes: int | None = None) -> Machine:
    """The same machine with so much more room on the disk for models; with any amount of it where that is None."""
    if not machine.disks or more_bytes is None:
        return replace(machine, disks=())
    first = machine.disks[0]
    grown = replace(first, free=first.free + more_bytes, total=first.total + more_bytes)
    return replace(machine, disks=(grown, *machine.disks[1:]))
