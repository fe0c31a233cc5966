"""The library and the chats, in SQLite.

Everything is imported on first use: SQLAlchemy takes 0.2 s, and the window's first frame waits for the lock only.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snug.store.chats import Chats
    from snug.store.downloads import Downloads
    from snug.store.instance_lock import InstanceLock
    from snug.store.machine import MachineMemory
    from snug.store.models import ModelLibrary
    from snug.store.opening import open_store
    from snug.store.rows import (
        ChatRow,
        DownloadRow,
        LibraryModel,
        MessageRow,
        NewDownload,
        NewModel,
        Notice,
        RemoteFileRow,
        Removal,
    )
    from snug.store.settings import Settings
    from snug.store.store import Store

__all__ = [
    "ChatRow",
    "Chats",
    "DownloadRow",
    "Downloads",
    "InstanceLock",
    "LibraryModel",
    "MachineMemory",
    "MessageRow",
    "ModelLibrary",
    "NewDownload",
    "NewModel",
    "Notice",
    "RemoteFileRow",
    "Removal",
    "Settings",
    "Store",
    "open_store",
]

_LATER = {
    "InstanceLock": "instance_lock",
    "ChatRow": "rows",
    "DownloadRow": "rows",
    "LibraryModel": "rows",
    "MessageRow": "rows",
    "NewDownload": "rows",
    "NewModel": "rows",
    "Notice": "rows",
    "RemoteFileRow": "rows",
    "Removal": "rows",
    "Chats": "chats",
    "Downloads": "downloads",
    "MachineMemory": "machine",
    "ModelLibrary": "models",
    "Settings": "settings",
    "Store": "store",
    "open_store": "opening",
}


def __getattr__(name: str) -> object:
    module = _LATER.get(name)
    if module is None:
        raise AttributeError(name)
    return getattr(import_module(f"{__name__}.{module}"), name)
