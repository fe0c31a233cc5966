"""The model files of this home, so that a list of models says of them what is known, not what figures let expect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from snug.core.fit import FitSettings, Offload, PlannedMemory
from snug.core.known_memory import KnownMemory, memory_key
from snug.core.model_facts import ModelFacts


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file's own figures, its speed where chats measured it, and what is known of its memory at its usual context."""

    facts: ModelFacts
    tokens_per_s: float | None = None
    planned: PlannedMemory | None = None
    measured: PlannedMemory | None = None


@dataclass(frozen=True, slots=True)
class OwnedModel:
    """A model of the library: the repository it came from ("" where none), its figures and measured speed."""

    repo: str
    facts: ModelFacts
    tokens_per_s: float | None = None


KnownFiles = Mapping[str, KnownFile]


class MemoryOf(KnownMemory):
    """What is known of one file's memory, as a look-up."""

    def __init__(self, file: KnownFile) -> None:
        self._file = file

    def planned(self, facts: ModelFacts, settings: FitSettings) -> PlannedMemory | None:
        found = self._file.planned
        return (
            found if found is not None and _is_plain(settings) and found.answers(settings.context, settings) else None
        )

    def measured(self, facts: ModelFacts, settings: FitSettings, offload: Offload) -> PlannedMemory | None:
        found = self._file.measured
        is_it = found is not None and _is_plain(settings) and found.measured_for(settings.context, settings, offload)
        return found if is_it else None


def _is_plain(settings: FitSettings) -> bool:
    return settings == FitSettings(settings.context)


def file_key(repo: str, file_type: str) -> str:
    """Stands for the file of that type in a repository."""
    return f"{repo.casefold()} {file_type.upper()}"


def known_files(models: Iterable[OwnedModel]) -> dict[str, KnownFile]:
    """The library's models by repository and type, and each by its own figures."""
    result: dict[str, KnownFile] = {}
    for model in models:
        file = KnownFile(model.facts, model.tokens_per_s)
        if model.repo:
            result.setdefault(file_key(model.repo, model.facts.file_type), file)
        key = memory_key(model.facts)
        if key and (key not in result or model.tokens_per_s):
            result[key] = file
    return result


def with_memory(file: KnownFile, context: int, offload: Offload, known: KnownMemory) -> KnownFile:
    """The file with what is known of its memory at that context and layout."""
    settings = FitSettings(context)
    measured = known.measured(file.facts, settings, offload)
    return replace(file, measured=measured, planned=known.planned(file.facts, settings))


def find_file(files: KnownFiles, facts: ModelFacts) -> KnownFile | None:
    """The file that these figures mean: the same figures, or for an estimate the file of that type at its source."""
    if not files:
        return None
    if facts.exact:
        return files.get(memory_key(facts))
    found = (files.get(file_key(repo, facts.file_type)) for repo in facts.repos)
    return next((file for file in found if file is not None), None)
