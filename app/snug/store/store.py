"""The store: one object with the models, chats, downloads, settings and the memory of this computer."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, insert, select, update

from snug.core.errors import UserError
from snug.paths import Paths
from snug.store import backup
from snug.store.chats import Chats
from snug.store.database import Database
from snug.store.divergences import Divergences
from snug.store.downloads import Downloads
from snug.store.file_quality import FileQuality
from snug.store.machine import MachineMemory
from snug.store.marker import Counts, read_counts, set_suspect, write_counts
from snug.store.models import ModelLibrary
from snug.store.schema import chats, downloads, messages, models, search_pending
from snug.store.settings import Settings
from snug.store.values import Clock


class Store:
    """Everything that Snug keeps. Each method that changes something has committed it when it returns."""

    def __init__(self, database: Database, paths: Paths, now: Clock) -> None:
        self._database = database
        self._paths = paths
        self._now = now
        self._is_closed = False
        self.settings = Settings(database)
        self.models = ModelLibrary(database, now, self._model_folders)
        self.chats = Chats(database, now)
        self.downloads = Downloads(database, now)
        self.machine = MachineMemory(database)
        self.divergences = Divergences(paths.home)
        self.file_quality = FileQuality(paths.home)

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

    def keep_counts(self) -> None:
        """Write down beside the database how much is in it, so that a loss is noticed."""
        with self._database.read() as connection:
            counts = Counts(
                *(
                    connection.scalar(select(func.count()).select_from(table)) or 0
                    for table in (models, chats, messages)
                )
            )
        write_counts(self._paths, counts)

    def back_up_if_due(self, *, is_start: bool) -> None:
        """Make the daily backup where it is due. A full disk only means that there is none today."""
        if self._database.is_read_only:
            return
        now = self._now()
        size = self._paths.database.stat().st_size
        if not backup.is_due(self._paths, now, size, is_start=is_start) or not self._is_worth_a_backup():
            return
        try:
            backup.make_backup(self._database.raw, self._paths, now)
        except UserError as error:
            if error.kind == "database-damaged":
                set_suspect(self._paths, True)
            elif error.kind != "backup-failed":
                raise

    def _is_worth_a_backup(self) -> bool:
        """An empty database must not push good copies out."""
        counts = read_counts(self._paths) or Counts()
        return counts.chats > 0 or counts.models > 1

    def close(self) -> None:
        """Note the counts, make a large database's backup if one is due, and close; a second call does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            if not self._database.is_read_only:
                self.keep_counts()
                self.back_up_if_due(is_start=False)
        except (UserError, OSError):
            # Nothing that a person did is lost here; the next start says what is wrong with the disk.
            pass
        finally:
            self._database.close()

    def _model_folders(self) -> list[Path]:
        return [self._paths.models, self.models_folder()]
