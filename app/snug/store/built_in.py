"""Pip, the tiny model that ships with Snug, as a row of the library."""

from __future__ import annotations

from pathlib import Path

import msgspec
from sqlalchemy import select, update

from snug.core.model_facts import ModelFacts
from snug.store.database import Database
from snug.store.models import ModelLibrary
from snug.store.rows import BUILT_IN, NewModel
from snug.store.schema import models
from snug.store.values import to_json

NAME = "Pip, a tiny test model"
FILE = "pip-7m-Q8_0.gguf"
FACTS = "facts.json"


def ensure_built_in(database: Database, library: ModelLibrary, resources: Path) -> None:
    """Pip stands in the library with the path of this installation. Its facts were read when Snug was built."""
    folder = resources / "models" / "pip"
    path = str((folder / FILE).absolute())
    with database.read() as connection:
        row = connection.execute(select(models).where(models.c.source == BUILT_IN)).first()
    facts = built_in_facts(folder)
    if facts is None:
        return
    if row is not None and row.path == path and row.removed_at is None and row.facts == to_json(facts):
        return
    if row is not None:
        # Another installation's path: the same row goes on, so that conversations keep their model.
        with database.write() as connection:
            connection.execute(update(models).where(models.c.id == row.id).values(path=path))
    library.add(NewModel(name=NAME, path=path, facts=facts, source=BUILT_IN, licence=facts.licence))


def built_in_facts(folder: Path) -> ModelFacts | None:
    """The facts beside Pip's file; None where this installation has no Pip."""
    try:
        return msgspec.json.decode((folder / FACTS).read_bytes(), type=ModelFacts)
    except (OSError, msgspec.DecodeError):
        return None
