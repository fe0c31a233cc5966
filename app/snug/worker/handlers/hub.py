"""Answers what is asked about the Hub: search, model pages, headers of remote files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from snug.core.errors import UserError
from snug.hub import failures, library, model_page, remote, remote_header
from snug.hub import search as hub_search
from snug.hub.patience import DEFAULT_PATIENCE, Patience
from snug.worker import protocol
from snug.worker.loop import Job

Result = TypeVar("Result")


def access_of(access: protocol.HubAccess) -> remote.Access:
    """The message's way to the Hub as the Hub's own modules take it."""
    return msgspec.convert(access, remote.Access, from_attributes=True)


def files_of(files: list[protocol.RemoteFile]) -> list[remote.File]:
    return msgspec.convert(files, list[remote.File], from_attributes=True)


def search(request: protocol.SearchHub, job: Job) -> protocol.SearchDone:
    """Search; says so once where the Hub is slow to answer."""
    models = _wait(
        request.access,
        job,
        lambda: hub_search.search(
            access_of(request.access),
            request.text,
            task=request.task,
            licence=request.licence,
            sort=request.sort,
            limit=request.limit,
            gguf_only=request.gguf_only,
        ),
    )
    return protocol.SearchDone(models=msgspec.convert(models, list[protocol.HubModel], from_attributes=True))


def read_model_page(request: protocol.ReadModelPage, job: Job) -> protocol.ModelPage:
    """A model's page."""
    page = _wait(
        request.access,
        job,
        lambda: model_page.read_model_page(access_of(request.access), request.repo, request.revision),
    )
    return msgspec.convert(page, protocol.ModelPage, from_attributes=True)


def inspect_remote(request: protocol.InspectRemote, job: Job) -> protocol.RemoteInspected:
    """The facts of a remote GGUF, from its header alone."""
    found = _wait(
        request.access,
        job,
        lambda: remote_header.read_remote_facts(
            access_of(request.access),
            request.repo,
            request.revision,
            files_of(request.files),
            keep_in=Path(request.keep_in) if request.keep_in else None,
        ),
    )
    return protocol.RemoteInspected(
        repo=request.repo,
        facts=found.facts,
        fetched_bytes=found.fetched_bytes,
        headers=[(str(path), size) for path, size in found.kept],
    )


def _wait(
    access: protocol.HubAccess, job: Job, work: Callable[[], Result], patience: Patience = DEFAULT_PATIENCE
) -> Result:
    words: UserError = failures.silent(failures.host_of(access.endpoint))
    return library.wait_for(
        work,
        patience=patience,
        check=job.check,
        still_waiting=lambda: job.emit(
            protocol.Progress(done=0, total=0, doing=f"{words.title.removesuffix('.')} yet. Still trying.")
        ),
    )
