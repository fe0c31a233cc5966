"""Answers downloads: fetching files, and forgetting half-fetched ones."""

from __future__ import annotations

from pathlib import Path

import msgspec

from snug.hub import downloader, leftovers
from snug.worker import protocol
from snug.worker.handlers.hub import access_of, files_of
from snug.worker.loop import Job, Stopped


def download(request: protocol.Download, job: Job) -> protocol.DownloadDone:
    """Fetch the files; cancelling pauses, since what is there is taken up again next time."""
    order = downloader.Order(
        access=access_of(request.access),
        repo=request.repo,
        revision=request.revision,
        files=tuple(files_of(request.files)),
        folder=Path(request.folder),
        speed_limit=request.speed_limit,
        accept_new_version=request.accept_new_version,
    )

    def tell(report: downloader.Report) -> None:
        job.emit(msgspec.convert(report, protocol.DownloadProgress, from_attributes=True))

    try:
        fetched, revision = downloader.download(order, report=tell, should_stop=job.is_cancelled)
    except downloader.Paused:
        raise Stopped from None
    files = msgspec.convert(fetched, list[protocol.DownloadedFile], from_attributes=True)
    return protocol.DownloadDone(files=files, revision=revision)


def discard(request: protocol.DiscardDownload, job: Job) -> protocol.Discarded:
    """Remove what is half-fetched of these files."""
    freed = leftovers.discard(request.repo, files_of(request.files), Path(request.folder))
    return protocol.Discarded(freed_bytes=freed)
