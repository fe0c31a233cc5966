"""The library: models on this computer, what is known of them, and how they leave it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import Connection, Row, bindparam, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from snug.core.errors import UserError
from snug.core.model_facts import ModelFacts
from snug.core.words import size_text
from snug.store.database import Database
from snug.store.model_files import FileLook, deletable, delete_files, look_at, state_of
from snug.store.rows import BUILT_IN, MODEL_STATES, LibraryModel, NewModel, Removal
from snug.store.schema import downloads, models
from snug.store.values import (
    Clock,
    clean_text,
    facts_of,
    optional_number,
    optional_time,
    texts_of,
    time_of,
    time_text,
    to_json,
    whole,
)

Folders = Callable[[], Iterable[Path]]
NO_LOOK = FileLook(0, 0, 0, 0, "")


class ModelLibrary:
    """The models. `folders` are those inside which Snug may delete what it fetched."""

    def __init__(self, database: Database, now: Clock, folders: Folders) -> None:
        self._database = database
        self._now = now
        self._folders = folders

    # --- looking -------------------------------------------------------------------------------------------

    def all(self) -> list[LibraryModel]:
        """Every model of the library by name, the built-in one last."""
        order = (models.c.source == BUILT_IN, func.lower(models.c.name), models.c.id)
        with self._database.read() as connection:
            rows = connection.execute(select(models).where(models.c.removed_at.is_(None)).order_by(*order))
            return [_model(row) for row in rows]

    def get(self, model_id: int) -> LibraryModel | None:
        """One model; None where it is not in the library (any more)."""
        return self._one(models.c.id == model_id)

    def by_path(self, path: str) -> LibraryModel | None:
        """The model whose first file is at `path`."""
        return self._one(models.c.path == os.path.abspath(path))

    # --- changing ------------------------------------------------------------------------------------------

    def add(self, new: NewModel) -> LibraryModel:
        """Put into the library; the same path again brings the row up to date. Raises UserError for an odd path."""
        path = _storable(os.path.abspath(new.path))
        look = look_at(path, is_new=True)
        values: dict[str, object] = {
            "name": clean_text(new.name).strip() or os.path.basename(path),
            "path": path,
            "size_bytes": _total_bytes(look, path, new),
            "file_type": clean_text(new.facts.file_type),
            "architecture": clean_text(new.facts.architecture),
            "source": clean_text(new.source),
            "repo": clean_text(new.repo),
            "revision": clean_text(new.revision),
            "licence": clean_text(new.licence or new.facts.licence),
            "sha256": new.sha256,
            "facts": to_json(new.facts),
            "parts": to_json([_storable(os.path.abspath(part)) for part in new.parts]),
            "projector_path": _storable(os.path.abspath(new.projector_path)) if new.projector_path else "",
            "is_ours": new.is_ours,
            "state": "missing" if look is None else "ready",
            "removed_at": None,
            **asdict(look or NO_LOOK),
        }
        row = insert(models).values(added_at=time_text(self._now()), **values)
        with self._database.write() as connection:
            connection.execute(row.on_conflict_do_update(index_elements=["path"], set_=values))
            return _model(connection.execute(select(models).where(models.c.path == path)).one())

    def relocate(self, model_id: int, path: str, parts: tuple[str, ...] = ()) -> LibraryModel:
        """The same model at another place: its chats, speed and name stay. The caller has checked that it is the same.

        Raises UserError where the file is not there, or is another model of the library already.
        """
        place = _storable(os.path.abspath(path))
        look = look_at(place, is_new=True)
        if look is None:
            raise UserError("There is no such file.", "Choose the model's file.", kind="missing", bad_input=True)
        taken = self.by_path(place)
        if taken is not None and taken.id != model_id:
            title = f"This file is in the library already, as {taken.name}."
            raise UserError(title, "Remove the entry whose file is missing.", kind="in-library", bad_input=True)
        with self._database.write() as connection:
            connection.execute(delete(models).where(models.c.path == place, models.c.id != model_id))
        whole = to_json([_storable(os.path.abspath(part)) for part in parts])
        self._change(model_id, path=place, parts=whole, is_ours=False, state="ready", **asdict(look))
        return self._existing(model_id)

    def refresh_states(self) -> list[LibraryModel]:
        """Look at every file again; the models whose state is another one now. Nothing leaves the list."""
        with self._database.read() as connection:
            rows = list(connection.execute(select(models).where(models.c.removed_at.is_(None))))
        changed = {row.id: state for row in rows if (state := _state_now(row)) != row.state}
        if not changed:
            return []
        with self._database.write() as connection:
            by_id = update(models).where(models.c.id == bindparam("number")).values(state=bindparam("now"))
            connection.execute(by_id, [{"number": number, "now": state} for number, state in changed.items()])
        return [model for model in self.all() if model.id in changed]

    def touch(self, model_id: int) -> None:
        """It was used just now."""
        self._change(model_id, last_used_at=time_text(self._now()))

    def record_speed(self, model_id: int, tokens_per_s: float) -> None:
        """What was measured here."""
        self._change(model_id, measured_tokens_per_s=float(tokens_per_s))

    def mark_broken(self, model_id: int) -> None:
        """The engine could not load it; it is not loaded by itself again until its file changes."""
        self._change(model_id, state="broken")

    def update_facts(self, model_id: int, facts: ModelFacts) -> None:
        """What its header says, read anew: an older version of Snug kept less of it."""
        self._change(model_id, facts=to_json(facts), architecture=clean_text(facts.architecture))

    def rename(self, model_id: int, name: str) -> None:
        """Another name in the library; the file keeps its own."""
        name = " ".join(clean_text(name).split())[:200]
        if not name:
            raise UserError("A model needs a name.", "Type one.", kind="empty-name", bad_input=True)
        self._change(model_id, name=name)

    # --- removing ------------------------------------------------------------------------------------------

    def plan_removal(self, model_id: int) -> Removal:
        """What `remove` would do, without doing it. Raises UserError for the built-in model."""
        model = self._existing(model_id)
        if model.source == BUILT_IN:
            raise UserError(
                f"{model.name} is part of Snug and stays.", "It takes only 8 MB.", kind="built-in", bad_input=True
            )
        if not model.is_ours:
            words = f"{model.name} leaves the list. Its file stays where it is, because Snug did not fetch it."
            return Removal((), 0, True, words)
        with self._database.read() as connection:
            files = self._own_files(connection, model)
            folders = self._all_folders(connection)
        chosen, freed = deletable(files, folders)
        if not chosen:
            return Removal((), 0, True, f"{model.name} leaves the list. Its file is not there, so nothing is freed.")
        words = f"{model.name} and its file are deleted. That frees {size_text(freed)}. Conversations with it stay."
        return Removal(tuple(chosen), freed, False, words)

    def remove(self, model_id: int) -> Removal:
        """Delete the files that Snug fetched and take the model off the list; conversations keep its name."""
        removal = self.plan_removal(model_id)
        with self._database.read() as connection:
            folders = self._all_folders(connection)
        try:
            delete_files(removal.files, folders)
        except OSError as error:
            raise UserError(
                "The model's file could not be deleted.",
                "Close the conversation that uses it, check that the folder may be written, and try again.",
                kind="not-deleted",
                details=str(error),
            ) from error
        self._change(model_id, removed_at=time_text(self._now()))
        return removal

    # --- inside --------------------------------------------------------------------------------------------

    def _own_files(self, connection: Connection, model: LibraryModel) -> list[str]:
        files = dict.fromkeys((model.path, *model.parts, *filter(None, [model.projector_path])))
        others = select(models).where(models.c.removed_at.is_(None), models.c.id != model.id)
        for other in connection.execute(others):
            for path in (other.path, other.projector_path, *texts_of(other.parts)):
                files.pop(path, None)
        return list(files)

    def _all_folders(self, connection: Connection) -> list[Path]:
        fetched = connection.scalars(select(downloads.c.folder).distinct())
        return [*self._folders(), *(Path(folder) for folder in fetched if folder)]

    def _one(self, condition: object) -> LibraryModel | None:
        query = select(models).where(condition, models.c.removed_at.is_(None))  # type: ignore[arg-type]
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else _model(row)

    def _existing(self, model_id: int) -> LibraryModel:
        found = self.get(model_id)
        if found is None:
            raise _no_such_model()
        return found

    def _change(self, model_id: int, **values: object) -> None:
        with self._database.write() as connection:
            changed = connection.execute(update(models).where(models.c.id == model_id).values(**values))
        if changed.rowcount == 0:
            raise _no_such_model()


def _state_now(row: Row[tuple[object, ...]]) -> str:
    known = FileLook(row.file_bytes, row.mtime_ns, row.inode, row.device, str(row.mount_point))
    state = state_of(str(row.path), known, look_at(str(row.path)))
    if state == "ready" and not all(os.path.exists(part) for part in texts_of(row.parts)):
        return "missing"
    return "broken" if state == "ready" and row.state == "broken" else state


def _total_bytes(look: FileLook | None, path: str, new: NewModel) -> int:
    if look is None:
        return new.facts.file_bytes
    others = {os.path.abspath(part) for part in new.parts} - {path}
    return look.file_bytes + sum(found.file_bytes for part in others if (found := look_at(part)))


def _storable(path: str) -> str:
    if clean_text(path) != path or "\0" in path:
        raise UserError(
            "The name of this file or of its folder has characters that cannot be kept.",
            "Rename it, then add it again.",
            kind="bad-name",
            bad_input=True,
        )
    return path


def _no_such_model() -> UserError:
    return UserError("This model is not in the library any more.", kind="no-such-model", bad_input=True)


def _model(row: Row[tuple[object, ...]]) -> LibraryModel:
    return LibraryModel(
        id=row.id,
        name=str(row.name),
        path=str(row.path),
        size_bytes=whole(row.size_bytes),
        file_type=str(row.file_type),
        architecture=str(row.architecture),
        source=str(row.source),
        repo=str(row.repo),
        revision=str(row.revision),
        licence=str(row.licence),
        sha256=str(row.sha256),
        facts=facts_of(row.facts),
        added_at=time_of(row.added_at),
        last_used_at=optional_time(row.last_used_at),
        measured_tokens_per_s=optional_number(row.measured_tokens_per_s),
        is_ours=bool(row.is_ours),
        state=row.state if row.state in MODEL_STATES else "missing",
        parts=texts_of(row.parts),
        projector_path=str(row.projector_path),
    )
