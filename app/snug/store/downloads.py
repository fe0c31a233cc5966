"""The download queue and its history, so that both outlive the window."""

from __future__ import annotations

import msgspec
from sqlalchemy import Row, delete, insert, select, update

from snug.core.errors import UserError
from snug.store.database import Database
from snug.store.rows import DOWNLOAD_STATES, DownloadRow, NewDownload, RemoteFileRow
from snug.store.schema import downloads
from snug.store.values import (
    Clock,
    clean_text,
    optional_facts,
    optional_time,
    time_of,
    time_text,
    to_json,
    whole,
)


class Downloads:
    """What was asked for and how far it is. The bytes and their journals are the downloader's."""

    def __init__(self, database: Database, now: Clock) -> None:
        self._database = database
        self._now = now

    def all(self) -> list[DownloadRow]:
        """Every download in the order in which it was asked for."""
        with self._database.read() as connection:
            return [_download_row(row) for row in connection.execute(select(downloads).order_by(downloads.c.id))]

    def get(self, download_id: int) -> DownloadRow | None:
        """One download."""
        with self._database.read() as connection:
            row = connection.execute(select(downloads).where(downloads.c.id == download_id)).first()
        return None if row is None else _download_row(row)

    def arriving(self) -> frozenset[str]:
        """The repositories, in small letters, of which something has arrived that is not whole yet."""
        return frozenset(row.repo.casefold() for row in self.all() if row.state != "done" and row.done_bytes)

    def add(self, new: NewDownload) -> DownloadRow:
        """Put into the queue."""
        with self._database.write() as connection:
            result = connection.execute(
                insert(downloads).values(
                    title=clean_text(new.title),
                    repo=clean_text(new.repo),
                    revision=clean_text(new.revision),
                    files=to_json(new.files),
                    total_bytes=sum(file.size_bytes for file in new.files),
                    done_bytes=0,
                    state="queued",
                    error_title="",
                    error_advice="",
                    error_kind="",
                    folder=clean_text(new.folder),
                    created_at=time_text(self._now()),
                    then_chat=new.then_chat,
                    facts=None if new.facts is None else to_json(new.facts),
                )
            )
            assert result.inserted_primary_key is not None
            row = connection.execute(select(downloads).where(downloads.c.id == result.inserted_primary_key[0])).one()
            return _download_row(row)

    def set_state(
        self, download_id: int, state: str, *, done_bytes: int | None = None, error: UserError | None = None
    ) -> None:
        """A new state; `error` says in words why it failed or waits, and without one old words are gone."""
        if state not in DOWNLOAD_STATES:
            raise ValueError(state)
        values: dict[str, object] = {
            "state": state,
            "error_title": clean_text(error.title) if error else "",
            "error_advice": clean_text(error.advice) if error else "",
            "error_kind": error.kind if error else "",
        }
        if done_bytes is not None:
            values["done_bytes"] = done_bytes
        self._change(download_id, values)

    def record_progress(self, download_id: int, done_bytes: int) -> None:
        """How many bytes are there for certain."""
        self._change(download_id, {"done_bytes": done_bytes})

    def finish(self, download_id: int, model_id: int | None) -> None:
        """The files are there and verified, and stand in the library as `model_id`."""
        values: dict[str, object] = {
            "state": "done",
            "done_bytes": downloads.c.total_bytes,
            "finished_at": time_text(self._now()),
            "model_id": model_id,
            "error_title": "",
            "error_advice": "",
            "error_kind": "",
        }
        self._change(download_id, values)

    def remove(self, download_id: int) -> None:
        """Take out of the list; the files are not touched."""
        with self._database.write() as connection:
            connection.execute(delete(downloads).where(downloads.c.id == download_id))

    def _change(self, download_id: int, values: dict[str, object]) -> None:
        with self._database.write() as connection:
            changed = connection.execute(update(downloads).where(downloads.c.id == download_id).values(**values))
        if changed.rowcount == 0:
            raise UserError("This download is not in the list any more.", kind="no-such-download", bad_input=True)


def _download_row(row: Row[tuple[object, ...]]) -> DownloadRow:
    return DownloadRow(
        id=row.id,
        title=str(row.title),
        repo=str(row.repo),
        revision=str(row.revision),
        files=_files_of(row.files),
        total_bytes=whole(row.total_bytes),
        done_bytes=whole(row.done_bytes),
        state=row.state if row.state in DOWNLOAD_STATES else "paused",
        error_title=str(row.error_title),
        error_advice=str(row.error_advice),
        error_kind=str(row.error_kind),
        folder=str(row.folder),
        created_at=time_of(row.created_at),
        finished_at=optional_time(row.finished_at),
        model_id=row.model_id,
        then_chat=bool(row.then_chat),
        facts=optional_facts(row.facts),
    )


def _files_of(value: object) -> tuple[RemoteFileRow, ...]:
    try:
        return msgspec.json.decode(str(value), type=tuple[RemoteFileRow, ...])
    except (msgspec.DecodeError, UnicodeError):
        return ()
