"""Gets a model with one press: finds its file on the Hub, queues the download, and remembers what to do then."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.core.catalogue import CatalogueEntry
from snug.core.errors import UserError
from snug.core.model_facts import ModelFacts
from snug.core.quantisation import file_type_named, group_of
from snug.store import Store
from snug.store.rows import NewDownload, RemoteFileRow
from snug.ui.child_requests import ChildRequests
from snug.ui.download_queue import DownloadQueue
from snug.ui.hub_access import hub_access
from snug.worker import protocol

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1

TRY_ELSEWHERE = ("not-found", "no-file", "gone", "no-gguf")
"""Failures that another repository with the same model may not have."""


@QmlElement
@QmlUncreatable("The application makes it")
class Getting(QObject):
    """From "Get and chat" to a queued download. `busyKey` names what is being looked for; a problem has words."""

    busyChanged = Signal()
    problemChanged = Signal()
    queued = Signal(int)
    ready = Signal(int)

    def __init__(self, store: Store, queue: DownloadQueue, hub: ChildRequests, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._queue = queue
        self._hub = hub
        self._busy_key = ""
        self._problem: UserError | None = None
        self._again: tuple[CatalogueEntry, str, bool] | None = None
        self.ask_token: Callable[[], str] = str

    @property
    def problem(self) -> UserError | None:
        """What went wrong last, until it is dismissed or tried again."""
        return self._problem

    @property
    def token(self) -> str:
        """The access token of the Hub, asked for only when something is sent there."""
        return self.ask_token()

    @Property(str, notify=busyChanged)
    def busyKey(self) -> str:
        return self._busy_key

    @Property(str, notify=problemChanged)
    def problemTitle(self) -> str:
        return self._problem.title if self._problem else ""

    @Property(str, notify=problemChanged)
    def problemAdvice(self) -> str:
        return self._problem.advice if self._problem else ""

    @Slot()
    def dismiss(self) -> None:
        """Takes the problem's words away."""
        self._set_problem(None)

    @Slot()
    def tryAgain(self) -> None:
        """Asks the Hub once more for what failed last."""
        if self._again is not None:
            self.get_entry(*self._again)

    def get_entry(self, entry: CatalogueEntry, file_type: str, then_chat: bool) -> None:
        """Gets a model of the catalogue at `file_type`, from the first repository that has it."""
        if self._busy_key:
            return
        self._again = (entry, file_type, then_chat)
        self._set_problem(None)
        self._set_busy(entry.key)
        self._look_in(list(entry.gguf_repos) or [entry.repo], entry, file_type, then_chat)

    def get_choice(
        self,
        title: str,
        page: protocol.ModelPage,
        choice: protocol.FileChoice,
        facts: ModelFacts | None,
        then_chat: bool,
    ) -> None:
        """Queues one file (or set of files) of a page; a model that is here already is opened instead."""
        self._set_problem(None)
        present = self._present(page.repo, choice)
        if present is not None:
            self.ready.emit(present)
            return
        files = tuple(
            RemoteFileRow(name=file.name, size_bytes=file.size_bytes, sha256=file.sha256)
            for file in (*choice.files, *choice.companions)
        )
        row = self._queue.add(
            NewDownload(
                title=title,
                repo=page.repo,
                revision=page.revision,
                files=files,
                folder=self._queue.folder(),
                then_chat=then_chat,
                facts=facts,
            )
        )
        self.queued.emit(row.id)

    def _look_in(self, repos: Sequence[str], entry: CatalogueEntry, file_type: str, then_chat: bool) -> None:
        repo, rest = repos[0], repos[1:]

        def found(answer: protocol.Event) -> None:
            if not isinstance(answer, protocol.ModelPage):
                failed(UserError("The search was stopped.", "Press the button again.", kind="stopped"))
                return
            choice = best_choice(answer.choices, file_type)
            if choice is None:
                title = f"{entry.name} has no file there that Snug can run."
                failed(UserError(title, "Choose another model.", kind="no-file"))
                return
            self._set_busy("")
            self.get_choice(entry.name, answer, choice, None, then_chat)

        def failed(error: UserError) -> None:
            if rest and error.kind in TRY_ELSEWHERE:
                self._look_in(rest, entry, file_type, then_chat)
                return
            self._set_busy("")
            self._set_problem(error)

        access = hub_access(self._store.settings, self.token)
        self._hub.ask(protocol.ReadModelPage(access=access, repo=repo), found, failed)

    def _present(self, repo: str, choice: protocol.FileChoice) -> int | None:
        hashes = {file.sha256 for file in choice.files if file.sha256}
        for model in self._store.models.all():
            if model.state == "ready" and model.repo == repo and model.sha256 in hashes:
                return model.id
        return None

    def _set_busy(self, key: str) -> None:
        if key != self._busy_key:
            self._busy_key = key
            self.busyChanged.emit()

    def _set_problem(self, problem: UserError | None) -> None:
        if problem is not self._problem:
            self._problem = problem
            self.problemChanged.emit()


def best_choice(choices: Sequence[protocol.FileChoice], file_type: str) -> protocol.FileChoice | None:
    """The complete file of that type; else the finest of its group that is no larger, else the nearest smaller."""
    whole = [choice for choice in choices if choice.complete]
    for choice in whole:
        if choice.file_type.upper() == file_type.upper():
            return choice
    wanted = file_type_named(file_type)
    ranked = sorted(
        ((kind.rank, choice) for choice in whole if (kind := file_type_named(choice.file_type))),
        key=lambda pair: pair[0],
    )
    if wanted is None or not ranked:
        return whole[0] if len(whole) == 1 else None
    below = [choice for rank, choice in ranked if rank <= wanted.rank]
    same_group = [choice for choice in below if group_of(choice.file_type) == wanted.group]
    return (same_group or below)[-1] if below else ranked[0][1]
