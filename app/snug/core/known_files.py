"""The model files of this home, so that a list of models says of them what is known, not what figures let expect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from snug.core.known_memory import KnownMemory, memory_key
from snug.core.model_facts import ModelFacts


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file's own figures, its speed where chats measured it, and where to look up its memory (a `KnownMemory`).

    No message carries it, so the look-up's type is left open to the message decoder.
    """

    facts: ModelFacts
    tokens_per_s: float | None = None
    memory: Any = None


@dataclass(frozen=True, slots=True)
class OwnedModel:
    """A model of the library: the repository it came from ("" where none), its figures and measured speed."""

    repo: str
    facts: ModelFacts
    tokens_per_s: float | None = None


KnownFiles = Mapping[str, KnownFile]


def file_key(repo: str, file_type: str) -> str:
    """Stands for the file of that type in a repository."""
    return f"{repo.casefold()} {file_type.upper()}"


def known_files(models: Iterable[OwnedModel], memory: KnownMemory) -> dict[str, KnownFile]:
    """The library's models by repository and type, and those with a measured speed by their own figures too."""
    result: dict[str, KnownFile] = {}
    for model in models:
        file = KnownFile(model.facts, model.tokens_per_s, memory)
        if model.repo:
            result.setdefault(file_key(model.repo, model.facts.file_type), file)
        if model.tokens_per_s and (key := memory_key(model.facts)):
            result[key] = file
    return result


def find_file(files: KnownFiles, facts: ModelFacts) -> KnownFile | None:
    """The file that these figures mean: the same figures, or for an estimate the file of that type at its source."""
    if not files:
        return None
    if facts.exact:
        return files.get(memory_key(facts))
    found = (files.get(file_key(repo, facts.file_type)) for repo in facts.repos)
    return next((file for file in found if file is not None), None)
