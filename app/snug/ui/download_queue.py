"""The queue of downloads: which run now, each in a child of its own, and what becomes of what arrives."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from snug.core.errors import UserError
from snug.paths import Paths
from snug.store import Store
from snug.store.rows import DownloadRow, NewDownload, NewModel
from snug.ui.child_process import ChildProcess
from snug.ui.child_requests import ChildRequests
from snug.ui.hub_access import hub_access
from snug.worker import protocol

SAVE_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Live:
    """What a running download last said of itself; rates in bytes/s, times in seconds."""

    state: str = "starting"
    done_bytes: int = 0
    rate: float = 0.0
    seconds_left: float = 0.0
    note: str = ""


@dataclass
class _Run:
    requests: ChildRequests
    number: int
    saved_at: float


class DownloadQueue(QObject):
    """Runs queued downloads, at most `downloads.parallel` at a time, and puts what arrives into the library.

    Killing the window loses nothing: the children end with it, their journals stay on the disk, and
    `resume_after_start` goes on where they stopped. `arrived` carries the download's and the model's number.
    """

    changed = Signal(int)
    listChanged = Signal()
    arrived = Signal(int, int)

    def __init__(
        self,
        store: Store,
        paths: Paths,
        make_child: Callable[[], ChildProcess],
        session_token: Callable[[], str],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._paths = paths
        self._make_child = make_child
        self._session_token = session_token
        self._runs: dict[int, _Run] = {}
        self._live: dict[int, Live] = {}
        self._accepts_new_version: set[int] = set()
        self._paused_by_offline: set[int] = set()

    def rows(self) -> list[DownloadRow]:
        """All downloads, those under way first, then the newest."""
        order = {"running": 0, "queued": 1, "failed": 2, "paused": 2, "done": 3}
        return sorted(self._store.downloads.all(), key=lambda row: (order[row.state], -row.id))

    def row(self, download_id: int) -> DownloadRow | None:
        """That download as it is stored now."""
        return next((row for row in self._store.downloads.all() if row.id == download_id), None)

    def live(self, download_id: int) -> Live | None:
        """What a running download last said; None while it does not run."""
        return self._live.get(download_id)

    def resume_after_start(self) -> None:
        """Goes on with what was running when the window was last closed or killed."""
        for row in self._store.downloads.all():
            if row.state == "running":
                self._store.downloads.set_state(row.id, "queued")
        self._start_next()

    def folder(self) -> str:
        """Where new models are kept."""
        return str(self._store.settings.get("downloads.folder") or self._paths.models)

    def add(self, new: NewDownload) -> DownloadRow:
        """Queues a download; asked for twice, the one that is there goes on."""
        names = {file.name for file in new.files}
        for row in self._store.downloads.all():
            if row.state != "done" and row.repo == new.repo and {file.name for file in row.files} == names:
                self.resume(row.id)
                return row
        row = self._store.downloads.add(new)
        self.listChanged.emit()
        self._start_next()
        return row

    def pause(self, download_id: int) -> None:
        """Stops a download; what has arrived stays, and `resume` goes on from there."""
        run = self._runs.get(download_id)
        if run is not None:
            run.requests.cancel(run.number)
        elif (row := self.row(download_id)) is not None and row.state == "queued":
            self._store.downloads.set_state(download_id, "paused")
            self.listChanged.emit()

    def resume(self, download_id: int) -> None:
        """Queues a paused or failed download again."""
        row = self.row(download_id)
        if row is None or row.state not in ("paused", "failed"):
            return
        if row.error_kind == "changed":
            self._accepts_new_version.add(download_id)
        self._store.downloads.set_state(download_id, "queued")
        self.listChanged.emit()
        self._start_next()

    def discard(self, download_id: int) -> None:
        """Takes a download off the list and removes what had arrived of it; finished models stay."""
        row = self.row(download_id)
        if row is None:
            return
        self._end_run(download_id)
        self._store.downloads.remove(download_id)
        self.listChanged.emit()
        if row.state != "done":
            self._remove_parts(row)
        self._start_next()

    def on_setting(self, key: str) -> None:
        """Does at once what a changed setting asks for; other settings count from a download's next start on."""
        if key == "downloads.parallel":
            self._start_next()
        elif key == "network.offline" and self._store.settings.get(key):
            self._paused_by_offline |= set(self._runs)
            for download_id in list(self._runs):
                self.pause(download_id)
        elif key == "network.offline":
            paused, self._paused_by_offline = self._paused_by_offline, set()
            for download_id in sorted(paused):
                self.resume(download_id)

    def stop(self) -> None:
        """Ends all children; the downloads stay "running" in the store and go on at the next start."""
        for download_id in list(self._runs):
            self._end_run(download_id)

    def _start_next(self) -> None:
        places = int(self._store.settings.get("downloads.parallel")) - len(self._runs)
        waiting = sorted((row for row in self._store.downloads.all() if row.state == "queued"), key=lambda row: row.id)
        for row in waiting[: max(0, places)]:
            self._start(row)

    def _start(self, row: DownloadRow) -> None:
        limit = int(self._store.settings.get("downloads.speed_limit")) * 1000
        parallel = int(self._store.settings.get("downloads.parallel"))
        request = protocol.Download(
            access=hub_access(self._store.settings, self._session_token()),
            repo=row.repo,
            revision=row.revision,
            files=remote_files(row),
            folder=row.folder,
            speed_limit=limit // parallel,
            accept_new_version=row.id in self._accepts_new_version,
        )
        requests = ChildRequests(self._make_child, self)
        self._live[row.id] = Live(done_bytes=row.done_bytes)
        self._store.downloads.set_state(row.id, "running")
        number = requests.ask(
            request,
            done=partial(self._on_done, row.id),
            failed=partial(self._on_failed, row.id),
            progress=partial(self._on_progress, row.id),
        )
        self._runs[row.id] = _Run(requests, number, time.monotonic())
        self.listChanged.emit()

    def _on_progress(self, download_id: int, event: protocol.Event) -> None:
        run = self._runs.get(download_id)
        if run is None or not isinstance(event, protocol.DownloadProgress):
            return
        self._live[download_id] = Live(event.state, event.done_bytes, event.rate, event.seconds_left, event.note)
        now = time.monotonic()
        if now - run.saved_at >= SAVE_EVERY_S:
            run.saved_at = now
            self._store.downloads.record_progress(download_id, event.done_bytes)
        self.changed.emit(download_id)

    def _on_done(self, download_id: int, event: protocol.Event) -> None:
        if isinstance(event, protocol.DownloadDone):
            self._look_at(download_id, event)
            return
        live = self._live.get(download_id)
        self._end_run(download_id)
        self._store.downloads.set_state(download_id, "paused", done_bytes=live.done_bytes if live else None)
        self.listChanged.emit()
        self._start_next()

    def _on_failed(self, download_id: int, error: UserError) -> None:
        live = self._live.get(download_id)
        self._end_run(download_id)
        self._store.downloads.set_state(
            download_id, "failed", done_bytes=live.done_bytes if live else None, error=error
        )
        self.listChanged.emit()
        self._start_next()

    def _look_at(self, download_id: int, event: protocol.DownloadDone) -> None:
        """Reads the header of what arrived: the library keeps the file's own facts."""
        run = self._runs[download_id]
        models = [file for file in event.files if not is_projector(file.name)]
        self._live[download_id] = replace(self._live[download_id], state="verifying", rate=0.0, seconds_left=0.0)
        self.changed.emit(download_id)
        run.requests.ask(
            protocol.InspectFile(path=(models or event.files)[0].path),
            done=partial(self._put_into_library, download_id, event),
            failed=partial(self._on_failed, download_id),
        )

    def _put_into_library(self, download_id: int, event: protocol.DownloadDone, answer: protocol.Event) -> None:
        row = self.row(download_id)
        self._end_run(download_id)
        if row is None or not isinstance(answer, protocol.FileInspected):
            return
        models = [file for file in event.files if not is_projector(file.name)] or list(event.files)
        projector = next((file.path for file in event.files if is_projector(file.name)), "")
        model = self._store.models.add(
            NewModel(
                name=row.title,
                path=models[0].path,
                facts=answer.facts,
                source="hub",
                repo=row.repo,
                revision=event.revision,
                licence=row.facts.licence if row.facts and row.facts.licence else answer.facts.licence,
                sha256=models[0].sha256,
                is_ours=True,
                parts=tuple(file.path for file in models[1:]),
                projector_path=projector,
            )
        )
        self._store.downloads.finish(download_id, model.id)
        self.listChanged.emit()
        self.arrived.emit(download_id, model.id)
        self._start_next()

    def _remove_parts(self, row: DownloadRow) -> None:
        cleaner = ChildRequests(self._make_child, self)

        def finished(_answer: object) -> None:
            cleaner.stop()
            cleaner.deleteLater()

        request = protocol.DiscardDownload(repo=row.repo, files=remote_files(row), folder=row.folder)
        cleaner.ask(request, done=finished, failed=finished)

    def _end_run(self, download_id: int) -> None:
        run = self._runs.pop(download_id, None)
        self._live.pop(download_id, None)
        if run is not None:
            run.requests.stop()
            run.requests.deleteLater()


def remote_files(row: DownloadRow) -> list[protocol.RemoteFile]:
    """The download's files as the Hub's messages name them."""
    return [protocol.RemoteFile(name=file.name, size_bytes=file.size_bytes, sha256=file.sha256) for file in row.files]


def is_projector(name: str) -> bool:
    """Whether a file is the companion that lets a model see pictures."""
    return "mmproj" in Path(name).name.lower()
