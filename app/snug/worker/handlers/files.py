"""Looks at model files on this computer: one that a person names, or all that other apps keep."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from snug.core.errors import UserError
from snug.core.model_facts import ModelFacts
from snug.formats import other_apps
from snug.formats.app_folders import Home
from snug.formats.folder_walk import FolderWalk, display_name, parts_of
from snug.formats.gguf_facts import facts_from_headers, not_a_chat_model
from snug.formats.gguf_header import read_file_header
from snug.worker import protocol

if TYPE_CHECKING:
    from snug.worker.loop import Job

CHUNK_BYTES = 8 * 1024 * 1024
MOST_FOUND = 1000
MOST_SKIPPED = 500


def inspect_file(request: protocol.InspectFile, job: Job) -> protocol.FileInspected:
    """The facts of a model file and its parts, and their SHA-256 where asked for. Raises UserError."""
    job.emit(protocol.Progress(done=0, total=0, doing="Reading the file's header"))
    parts = complete_parts(Path(request.path))
    facts = read_facts(parts)
    sha256 = hash_of(parts, job) if request.check_hash else ""
    return protocol.FileInspected(
        path=str(parts[0]),
        facts=facts,
        sha256=sha256,
        parts=[str(part) for part in parts],
    )


def scan_folders(request: protocol.ScanFolders, job: Job) -> protocol.ScanDone:
    """The usable models of other apps, and below further folders; a bad file costs only itself."""
    job.emit(protocol.Progress(done=0, total=0, unit="models", doing="Looking into the folders of other apps"))
    scan = other_apps.scan(Home(), [Path(folder) for folder in request.extra], FolderWalk(check=job.check))
    found: list[protocol.FoundModel] = []
    skipped = list(scan.skipped)
    for done, candidate in enumerate(scan.found):
        job.check()
        job.emit(protocol.Progress(done=done, total=len(scan.found), unit="models", doing="Reading their headers"))
        if len(found) == MOST_FOUND:
            skipped.append((str(candidate.path), f"more than {MOST_FOUND:,} models: this and the rest are not listed"))
            break
        try:
            facts = read_facts(candidate.parts)
        except UserError as error:
            skipped.append((str(candidate.path), str(error)))
            continue
        problem = not_a_chat_model(facts)
        if problem:
            skipped.append((str(candidate.path), problem.title))
        else:
            found.append(_found(candidate, facts))
    return protocol.ScanDone(found=found, skipped=skipped[:MOST_SKIPPED], looked_in=list(scan.looked_in))


def complete_parts(path: Path) -> tuple[Path, ...]:
    """The file and, where it is one of a split model, all parts in order. Raises UserError."""
    path = path.absolute()
    if os.path.isdir(path):
        raise _unusable(f"{path} is a folder.", "Name the model file in it.", "not-a-file")
    if not os.path.lexists(path):
        raise _unusable(f"There is no file {path}.", "Check the name and the folder.", "no-file")
    if not os.path.isfile(path):
        raise _unusable(f"{path} is not an ordinary file.", "Name a model file.", "not-a-file")
    try:
        return parts_of(path)
    except FileNotFoundError as missing:
        advice = "Put all parts of the model into the same folder."
        raise _unusable(f"A part of this model is missing: {missing}.", advice, "missing-part") from missing


def read_facts(parts: Sequence[Path]) -> ModelFacts:
    """What the headers of all parts say together. Raises UserError."""
    try:
        size = sum(part.stat().st_size for part in parts)
        return facts_from_headers([read_file_header(part) for part in parts], size, display_name(parts[0]))
    except OSError as error:
        title = f"{parts[0].name} cannot be read ({error.strerror or error})."
        raise UserError(
            title, "Check that the drive is connected and the file may be read.", kind="unreadable"
        ) from error


def hash_of(parts: Sequence[Path], job: Job) -> str:
    """The SHA-256 of the file, of a split model that of all parts one after the other. Raises UserError."""
    total = sum(part.stat().st_size for part in parts)
    digest, done = hashlib.sha256(), 0
    try:
        for part in parts:
            with part.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    job.check()
                    digest.update(chunk)
                    done += len(chunk)
                    job.emit(protocol.Progress(done=done, total=total, doing="Checking the whole file"))
    except OSError as error:
        title = f"{parts[0].name} could not be read to its end ({error.strerror or error})."
        raise UserError(title, "Check the drive that it is on.", kind="unreadable") from error
    return digest.hexdigest()


def _found(candidate: other_apps.Candidate, facts: ModelFacts) -> protocol.FoundModel:
    return protocol.FoundModel(
        name=candidate.name,
        path=str(candidate.parts[0]),
        app=candidate.app,
        size_bytes=candidate.size_bytes,
        facts=facts,
        parts=[str(part) for part in candidate.parts],
    )


def _unusable(title: str, advice: str, kind: str) -> UserError:
    return UserError(title, advice, kind=kind, bad_input=True)
