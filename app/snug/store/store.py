"""The store: one object with the models, chats, downloads, settings and the memory of this computer."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import insert, select, update

from snug.paths import Paths
from snug.store.chats import Chats
from snug.store.database import Database
from snug.store.downloads import Downloads
from snug.store.machine import MachineMemory
from snug.store.models import ModelLibrary
from snug.store.schema import downloads, messages, search_pending
from snug.store.settings import Settings
from snug.store.values import Clock


class Store:
    """Everything that Snug keeps. Each method that changes something has committed it when it returns."""

    def __init__(self, database: Database, paths: Paths, now: Clock) -> None:
        self._database = database
        self._paths = paths
        self.settings = Settings(database)
        self.models = ModelLibrary(database, now, self._model_folders)
        self.chats = Chats(database, now)
        self.downloads = Downloads(database, now)
        self.machine = MachineMemory(database)

    @property
    def database(self) -> Database:
        """The database itself, for backups and checks."""
        return self._database

    def models_folder(self) -> Path:
        """Where new models are kept: the person's choice, else Snug's own folder."""
        chosen = str(self.settings.get("downloads.folder"))
        return Path(chosen) if chosen else self._paths.models

    def settle(self) -> None:
        """After a start: what was being written or fetched when Snug ended is not any more."""
        with self._database.write() as connection:
            writing = select(messages.c.id).where(messages.c.state == "writing")
            connection.execute(insert(search_pending).prefix_with("OR IGNORE").from_select(["message_id"], writing))
            connection.execute(update(messages).where(messages.c.state == "writing").values(state="interrupted"))
            connection.execute(update(downloads).where(downloads.c.state == "running").values(state="queued"))

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._database.close()

    def _model_folders(self) -> list[Path]:
        return [self._paths.models, self.models_folder()]
