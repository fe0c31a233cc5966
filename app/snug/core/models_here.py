"""Which of the catalogue's models are on this computer already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from snug.core.catalogue import CatalogueEntry
from snug.core.quantisation import file_type_named


@dataclass(frozen=True, slots=True)
class ModelHere:
    """A model of the library that the catalogue knows: its number there, its catalogue key and its type."""

    id: int
    key: str
    file_type: str


def models_here(catalogue: Sequence[CatalogueEntry], models: Iterable[tuple[int, str, str, str]]) -> list[ModelHere]:
    """The known ones among models given as (number, repository or "", path, type)."""
    found = []
    for number, repo, path, file_type in models:
        entry = _entry_of(catalogue, repo, PurePath(path).name)
        if entry is not None and file_type_named(file_type) is not None:
            found.append(ModelHere(number, entry.key, file_type))
    return found


def known_as(catalogue: Sequence[CatalogueEntry], repo: str, path: str) -> str:
    """What a model is remembered by: its key in the catalogue, else its repository in lower case; "" for neither."""
    entry = _entry_of(catalogue, repo, PurePath(path).name)
    return entry.key if entry is not None else repo.lower()


def _entry_of(catalogue: Sequence[CatalogueEntry], repo: str, file_name: str) -> CatalogueEntry | None:
    """By its repository; a file without one by its name, which then must begin with the model's own."""
    wanted, name = repo.casefold(), file_name.casefold()
    for entry in catalogue:
        if wanted and wanted in map(str.casefold, (entry.repo, *entry.gguf_repos, *entry.native_repos)):
            return entry
    named = [entry for entry in catalogue if name.startswith(entry.repo.rpartition("/")[2].casefold())]
    return max(named, key=lambda entry: len(entry.repo), default=None) if not wanted else None
