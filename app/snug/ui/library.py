"""The Library screen: every model that is here, where it is, whether it can be used, and what to do with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import Property, QObject, QUrl, Signal, Slot
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.core.errors import UserError
from snug.core.fit import FitSettings
from snug.core.machine import Machine
from snug.core.memory_fit import fit as fit_of
from snug.core.quantisation import GROUP_WORDS, group_of
from snug.core.words import size_text, verdict_text, words_per_second_text
from snug.store import Store
from snug.store.rows import BUILT_IN, LibraryModel, NewModel
from snug.ui.child_requests import ChildRequests
from snug.ui.downloads import when_words
from snug.ui.fit_view import VERDICT_KINDS
from snug.ui.row_list import RowList
from snug.worker import protocol

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1

ROLES = ("modelId", "name", "line", "phase", "stateText", "verdictKind", "verdictText", "figures", "iconId", "canChat",
         "canRemove", "path", "details")  # fmt: skip
STATE_TEXTS = {
    "ready": "",
    "not_connected": "Its drive is not connected. It comes back when the drive does.",
    "missing": "The file is not where it was. Find it again, or remove it from the list.",
    "changed": "The file has changed since it was added. Check it before you use it.",
    "broken": "This file cannot be used.",
}
FULL_LOOK = "Looking for models of other programs…"


@QmlElement
@QmlUncreatable("The application makes it")
class LibraryModelView(QObject):
    """The models of this computer, and the ways to add, check, rename and remove one."""

    changed = Signal()
    statusChanged = Signal()
    foundChanged = Signal()
    chatRequested = Signal(int)
    searchRequested = Signal()
    said = Signal(str)

    def __init__(
        self, store: Store, machine: Callable[[], Machine], files: ChildRequests, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._machine = machine
        self._files = files
        self._rows = RowList(ROLES, self)
        self._found: list[protocol.FoundModel] = []
        self._status = ""
        self._fraction = -1.0
        self._problem: UserError | None = None

    @Property(QObject, constant=True)
    def rows(self) -> RowList:
        return self._rows

    @Property(bool, notify=changed)
    def isEmpty(self) -> bool:
        """Whether there is nothing but the built-in model."""
        return all(row["phase"] == BUILT_IN for row in self._rows.rows())

    @Property(str, notify=statusChanged)
    def statusText(self) -> str:
        """What is being done now; nothing while nothing is."""
        return self._status

    @Property(float, notify=statusChanged)
    def statusFraction(self) -> float:
        return self._fraction

    @Property(str, notify=statusChanged)
    def problemTitle(self) -> str:
        return self._problem.title if self._problem else ""

    @Property(str, notify=statusChanged)
    def problemAdvice(self) -> str:
        return self._problem.advice if self._problem else ""

    @Property(str, notify=foundChanged)
    def foundText(self) -> str:
        """What other programs keep that is not in the library yet."""
        return found_words(self._found)

    @Slot()
    def refresh(self) -> None:
        """Looks which files are there, and shows all models; also after a drive was connected."""
        self._store.models.refresh_states()
        self._show()

    @Slot()
    def scan(self) -> None:
        """Looks for models of other programs; what is found is offered, not taken."""
        if self._status:
            return
        self._set_status(FULL_LOOK)
        self._files.ask(protocol.ScanFolders(), self._on_scanned, self._on_failed)

    @Slot()
    def addFound(self) -> None:
        """Takes everything that the scan found into the library, in place."""
        for model in self._found:
            self._store.models.add(
                NewModel(name=model.name, path=model.path, facts=model.facts, source=f"app:{model.app}")
            )
        self._found = []
        self.foundChanged.emit()
        self._show()

    @Slot(str)
    def addFile(self, location: str) -> None:
        """Adds a GGUF from the disk, after looking into it; `location` is a path or a file: address."""
        path = QUrl(location).toLocalFile() or location
        self._set_status(f"Looking into {Path(path).name}…")
        self._files.ask(protocol.InspectFile(path=path), self._on_inspected, self._on_failed)

    @Slot(int)
    def check(self, model_id: int) -> None:
        """Reads the whole file again and compares it with what was once right."""
        model = self._store.models.get(model_id)
        if model is None:
            return
        self._set_status(f"Checking {model.name}…", 0.0)
        self._files.ask(
            protocol.InspectFile(path=model.path, check_hash=True),
            done=lambda answer: self._on_checked(model, answer),
            failed=self._on_failed,
            progress=self._on_progress,
        )

    @Slot(int, str)
    def rename(self, model_id: int, name: str) -> None:
        if name.strip():
            self._store.models.rename(model_id, name.strip())
            self._show()

    @Slot(int, result=str)
    def removalWords(self, model_id: int) -> str:
        """What removing this model would do, to be asked before it is done."""
        return self._store.models.plan_removal(model_id).words

    @Slot(int)
    def remove(self, model_id: int) -> None:
        removal = self._store.models.remove(model_id)
        self._show()
        self.said.emit(f"Removed. {size_text(removal.freed_bytes)} are free again." if removal.freed_bytes else
                          "Taken off the list. The file stays where it is.")  # fmt: skip

    @Slot(int)
    def chat(self, model_id: int) -> None:
        self.chatRequested.emit(model_id)

    @Slot()
    def findModels(self) -> None:
        self.searchRequested.emit()

    @Slot()
    def dismiss(self) -> None:
        self._problem = None
        self.statusChanged.emit()

    def _on_scanned(self, answer: protocol.Event) -> None:
        self._set_status("")
        if isinstance(answer, protocol.ScanDone):
            known = {model.path for model in self._store.models.all()}
            self._found = [model for model in answer.found if model.path not in known]
            self.foundChanged.emit()

    def _on_inspected(self, answer: protocol.Event) -> None:
        self._set_status("")
        if isinstance(answer, protocol.FileInspected):
            name = answer.facts.name or Path(answer.path).stem
            parts = tuple(part for part in answer.parts if part != answer.path)
            self._store.models.add(NewModel(name=name, path=answer.path, facts=answer.facts, parts=parts))
            self._show()

    def _on_checked(self, model: LibraryModel, answer: protocol.Event) -> None:
        self._set_status("")
        if not isinstance(answer, protocol.FileInspected):
            return
        if model.sha256 and answer.sha256 != model.sha256:
            self._on_failed(damaged_file(model))
            return
        self._store.models.add(
            NewModel(name=model.name, path=model.path, facts=answer.facts, source=model.source, repo=model.repo,
                     revision=model.revision, licence=model.licence, sha256=answer.sha256, is_ours=model.is_ours,
                     parts=model.parts, projector_path=model.projector_path)
        )  # fmt: skip
        self._show()
        self.said.emit(f"{model.name} is whole: every byte is as it should be.")

    def _on_progress(self, event: protocol.Event) -> None:
        if isinstance(event, protocol.Progress) and event.total:
            self._set_status(self._status, event.done / event.total)

    def _on_failed(self, error: UserError) -> None:
        self._problem = error
        self._set_status("")

    def _set_status(self, words: str, fraction: float = -1.0) -> None:
        self._status, self._fraction = words, fraction
        if words and fraction <= 0:
            self._problem = None
        self.statusChanged.emit()

    def _show(self) -> None:
        now = datetime.now().astimezone()
        machine = self._machine()
        models = sorted(self._store.models.all(), key=shown_order)
        self._rows.show([row_of(model, machine, now) for model in models])
        self.changed.emit()


def shown_order(model: LibraryModel) -> tuple[bool, float, str]:
    """The one used last comes first, the built-in one last."""
    used = model.last_used_at.timestamp() if model.last_used_at else 0.0
    return model.source == BUILT_IN, -used, model.name.lower()


def row_of(model: LibraryModel, machine: Machine, now: datetime) -> dict[str, Any]:
    """The roles of one model."""
    fit = fit_of(model.facts, FitSettings(), machine, model.measured_tokens_per_s)
    speed = words_per_second_text(fit.speed).removeprefix("about ").replace(" words a second", " words/s")
    ready = model.state == "ready"
    return {
        "modelId": model.id,
        "name": model.name,
        "line": " · ".join(line_parts(model, now)),
        "phase": BUILT_IN if model.source == BUILT_IN else model.state,
        "stateText": STATE_TEXTS.get(model.state, ""),
        "verdictKind": VERDICT_KINDS[fit.verdict] if ready else "quiet",
        "verdictText": verdict_text(fit.verdict) if ready else state_word(model.state),
        "figures": f"{speed} · {size_text(model.size_bytes)}",
        "iconId": "box" if ready else "unplug" if model.state == "not_connected" else "triangle-alert",
        "canChat": ready and model.facts.kind == "model",
        "canRemove": model.source != BUILT_IN,
        "path": model.path,
        "details": details_text(model),
    }


def line_parts(model: LibraryModel, now: datetime) -> list[str]:
    """How fine it is, where it came from, when it was last used."""
    parts = [GROUP_WORDS[group_of(model.file_type)]] if group_of(model.file_type) in GROUP_WORDS else []
    if model.source.startswith("app:"):
        parts.append(f"kept by {model.source.removeprefix('app:')}")
    elif model.source == BUILT_IN:
        parts.append("comes with Snug")
    elif model.source == "file":
        parts.append("your own file")
    else:
        parts.append(f"from {model.repo}")
    if model.last_used_at is not None:
        parts.append(f"last used {when_words(model.last_used_at, now)}")
    return parts


def details_text(model: LibraryModel) -> str:
    """Path and raw figures, for the fold."""
    lines = [model.path, *model.parts]
    lines.append(f"{model.architecture}, {model.file_type}, {model.size_bytes:,} bytes")
    if model.sha256:
        lines.append(f"SHA-256 {model.sha256}")
    if model.licence:
        lines.append(f"Licence {model.licence}")
    return "\n".join(lines)


def state_word(state: str) -> str:
    """The badge of a model that cannot be used now."""
    return {"not_connected": "Not connected", "missing": "Missing", "changed": "Changed"}.get(state, "Unusable")


def found_words(found: list[protocol.FoundModel]) -> str:
    """ "Snug found 3 in LM Studio and 1 in Jan and can use them where they are." """
    if not found:
        return ""
    apps = sorted({model.app for model in found})
    counts = [f"{sum(model.app == app for model in found)} in {app}" for app in apps]
    joined = counts[0] if len(counts) == 1 else f"{', '.join(counts[:-1])} and {counts[-1]}"
    return f"Snug found {joined} and can use {'them where they are' if len(found) > 1 else 'it where it is'}."


def damaged_file(model: LibraryModel) -> UserError:
    """The file's bytes are not what was downloaded."""
    return UserError(
        f"{model.name} is damaged: its bytes are not what they should be.",
        "Remove it and get it again. Your chats stay.",
        kind="damaged",
        details=model.path,
    )
