"""The Library screen: every model that is here, where it is, whether it can be used, and what to do with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from PySide6.QtCore import Property, QObject, QUrl, Signal, Slot
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.core.errors import UserError
from snug.core.fit import Fit, FitSettings
from snug.core.machine import Machine
from snug.core.memory_fit import fit as fit_of
from snug.core.words import size_text
from snug.store import Store
from snug.store.rows import BUILT_IN, LibraryModel, NewModel
from snug.ui.child_requests import ChildRequests
from snug.ui.library_rows import ROLES, damaged_file, found_words, is_same_file, other_file, row_of, shown_order
from snug.ui.memory_plans import MemoryPlans, ModelSource
from snug.ui.row_list import RowList
from snug.worker import protocol

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1

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
    leaving = Signal(int)
    makeItFitRequested = Signal(str)

    def __init__(
        self,
        store: Store,
        machine: Callable[[], Machine],
        files: ChildRequests,
        parent: QObject | None = None,
        *,
        plans: MemoryPlans | None = None,
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._machine = machine
        self._files = files
        self._rows = RowList(ROLES, self)
        self._found: list[protocol.FoundModel] = []
        self._looked_again: set[int] = set()
        self._status = ""
        self._fraction = -1.0
        self._problem: UserError | None = None
        self._plans = plans
        if plans is not None:
            plans.arrived.connect(self._on_figures)

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
        self._look_again()
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
            done=partial(self._on_checked, model),
            failed=self._on_failed,
            progress=self._on_progress,
        )

    @Slot(int, str)
    def find(self, model_id: int, location: str) -> None:
        """Takes the file at `location` for the missing model, if it is the same; then its neighbours likewise."""
        model = self._store.models.get(model_id)
        if model is None:
            return
        path = QUrl(location).toLocalFile() or location
        self._set_status(f"Looking whether {Path(path).name} is {model.name}…")
        self._files.ask(
            protocol.InspectFile(path=path, check_hash=bool(model.sha256)),
            done=partial(self._on_looked_at, model),
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
        """Removes it; whoever has it loaded is told first (`leaving`) and lets go of its file."""
        self.leaving.emit(model_id)
        removal = self._store.models.remove(model_id)
        self._show()
        self.said.emit(f"Removed. {size_text(removal.freed_bytes)} are free again." if removal.freed_bytes else
                          "Taken off the list. The file stays where it is.")  # fmt: skip

    @Slot(int)
    def chat(self, model_id: int) -> None:
        self.chatRequested.emit(model_id)

    @Slot(int)
    def makeSmaller(self, model_id: int) -> None:
        """Opens the model in "Make it fit"."""
        model = self._store.models.get(model_id)
        if model is not None:
            self.makeItFitRequested.emit(model.path)

    @Slot()
    def findModels(self) -> None:
        self.searchRequested.emit()

    @Slot()
    def dismiss(self) -> None:
        self._problem = None
        self.statusChanged.emit()

    def _look_again(self) -> None:
        """Reads the headers of models that an older version of Snug took in and kept fewer figures of."""
        for model in self._store.models.all():
            lacks = model.facts.exact and model.facts.layers > 0 and not model.facts.layer_bytes
            if lacks and model.state == "ready" and model.source != BUILT_IN and model.id not in self._looked_again:
                self._looked_again.add(model.id)
                self._files.ask(protocol.InspectFile(path=model.path), partial(self._on_read_again, model), _unchanged)

    def _on_read_again(self, model: LibraryModel, answer: protocol.Event) -> None:
        if isinstance(answer, protocol.FileInspected) and self._store.models.get(model.id) is not None:
            self._store.models.update_facts(model.id, answer.facts)
            self._show()

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

    def _on_looked_at(self, model: LibraryModel, answer: protocol.Event) -> None:
        self._set_status("")
        if not isinstance(answer, protocol.FileInspected):
            return
        if not is_same_file(model, answer):
            self._on_failed(other_file(model))
            return
        parts = tuple(part for part in answer.parts if part != answer.path)
        try:
            self._store.models.relocate(model.id, answer.path, parts)
        except UserError as error:
            self._on_failed(error)
            return
        self._show()
        neighbour = self._missing_neighbour(Path(model.path).parent, Path(answer.path).parent)
        if neighbour is not None:
            self.find(neighbour.id, str(Path(answer.path).parent / Path(neighbour.path).name))

    def _missing_neighbour(self, old: Path, new: Path) -> LibraryModel | None:
        """Another model that was in the folder `old` and whose file is in `new` now: the folder was moved."""
        for model in self._store.models.all():
            is_away = model.state in ("missing", "not_connected") and Path(model.path).parent == old
            if is_away and (new / Path(model.path).name).is_file():
                return model
        return None

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
        same = self._store.file_quality.words_same
        self._rows.show([row_of(model, self._fit(model, machine), now, same(model.sha256)) for model in models])
        self.changed.emit()

    def _fit(self, model: LibraryModel, machine: Machine) -> Fit:
        """What every screen shows of this model; a file that is there can be looked at by the engine."""
        speed = model.measured_tokens_per_s
        if self._plans is None:
            return fit_of(model.facts, FitSettings(), machine, speed)
        source = ModelSource(model.path) if model.state == "ready" and model.facts.kind == "model" else None
        return self._plans.fit(model.facts, FitSettings(), machine, speed, source=source, is_listed=True)

    def _on_figures(self) -> None:
        """More is known of some model's memory: shown where the list has been."""
        if self._rows.rows():
            self._show()


def _unchanged(_error: UserError) -> None:
    """A file that cannot be read now keeps the figures that are known of it."""
