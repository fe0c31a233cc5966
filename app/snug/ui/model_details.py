"""The details of one model: which file, how much it remembers, what that takes here, and the button."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.core.catalogue import CatalogueEntry, facts_of, of_size, repos_for
from snug.core.disk_room import NO_ROOM_WORDS, lacking_words
from snug.core.errors import UserError
from snug.core.fit import Fit, FitSettings, Verdict
from snug.core.known_files import file_key
from snug.core.machine import Machine
from snug.core.memory_fit import fit as fit_of
from snug.core.model_facts import ModelFacts
from snug.core.other_engines import format_words
from snug.core.quality import Measured
from snug.core.quantisation import GROUP_WORDS, group_of
from snug.core.words import VERDICT_TEXTS, parameters_text, size_text
from snug.store import Settings
from snug.ui.card_rows import card_rows
from snug.ui.child_requests import ChildRequests
from snug.ui.context_slider import SMALLEST_CONTEXT, context_at, position_of
from snug.ui.fit_view import FitView
from snug.ui.getting import Getting, best_choice
from snug.ui.hub_access import hub_access
from snug.ui.memory_plans import MemoryPlans, ModelSource
from snug.ui.model_reasons import ModelReasons
from snug.worker import protocol

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1

ESTIMATED_TYPES = ("Q2_K", "Q3_K_M", "Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0")


@QmlElement
@QmlUncreatable("The application makes it")
class ModelDetails(QObject):
    """What is known of the chosen model: first from the catalogue, then from its page, then from the file's header."""

    changed = Signal()
    fileChanged = Signal()
    contextChanged = Signal()
    gettingChanged = Signal()
    cardChanged = Signal()
    convertRequested = Signal(str)

    def __init__(
        self,
        machine: Callable[[], Machine],
        settings: Settings,
        hub: ChildRequests,
        getting: Getting,
        parent: QObject | None = None,
        *,
        plans: MemoryPlans | None = None,
        measured: Callable[[], Measured] = dict,
    ) -> None:
        super().__init__(parent)
        self._measured = measured
        self._use = "chat"
        self._machine = machine
        self._settings = settings
        self._hub = hub
        self._getting = getting
        self._fit_view = FitView(self)
        self._reasons = ModelReasons(self)
        self._entry: CatalogueEntry | None = None
        self._page: protocol.ModelPage | None = None
        self._choices: list[protocol.FileChoice] = []
        self._file = 0
        self._exact: dict[str, ModelFacts] = {}
        self._headers: dict[str, ModelSource] = {}
        self._plans = plans
        if plans is not None:
            plans.arrived.connect(self._show)
        self._context = 0
        self._problem: UserError | None = None
        self._asked = 0
        self._repos: list[str] = []
        getting.busyChanged.connect(self.gettingChanged)
        getting.problemChanged.connect(self.gettingChanged)

    @property
    def token(self) -> str:
        """The session's access token of the Hub."""
        return self._getting.token

    @Property(FitView, constant=True)
    def fit(self) -> FitView:
        return self._fit_view

    @Property(str, notify=changed)
    def title(self) -> str:
        return self._entry.name if self._entry else ""

    @Property(str, notify=changed)
    def sentence(self) -> str:
        """What it is, in one sentence."""
        if self._entry is None:
            return ""
        return self._entry.summary or f"By {self._entry.maker}, {parameters_text(self._entry.parameters)} weights."

    @Property(str, notify=changed)
    def licenceText(self) -> str:
        if self._entry is None or not self._entry.licence:
            return ""
        words = self._entry.licence_words
        return f"{words[:1].upper()}{words[1:]} ({self._entry.licence})"

    @Property(str, notify=changed)
    def statusText(self) -> str:
        """What is known from where: an estimate, a page that is being read, the file itself."""
        if self._problem is not None:
            return f"{self._problem.title} {self._problem.advice} The figures are estimates.".replace("  ", " ")
        if self._asked:
            return "Looking at the files on Hugging Face…"
        if self._page is not None and self._page.other_format and not self._choices:
            page = self._page
            return format_words(page.other_format, page.can_convert, page.weights_bytes, page.largest_file_bytes,
                                page.model.parameters, page.gguf_instead)  # fmt: skip
        if self._page is not None and self._page.model.gated:
            return "Its makers ask you to sign in and accept their terms first. Snug says how when you get it."
        return ""

    @Property(ModelReasons, constant=True)
    def reasons(self) -> ModelReasons:
        return self._reasons

    @Property(bool, notify=changed)
    def canConvert(self) -> bool:
        """Whether it has no file to get, but weights that Snug can convert."""
        return self._page is not None and not self._choices and self._page.can_convert

    @Property(bool, notify=changed)
    def canGet(self) -> bool:
        return bool(self._choices) and not (self._page is not None and not self._chosen.complete)

    @Property(list, notify=changed)
    def files(self) -> list[dict[str, str]]:
        """The files to choose from, smallest first: words for the slider's ends and its place."""
        return [
            {"title": GROUP_WORDS.get(choice.group, choice.file_type or choice.title), "type": choice.file_type,
             "size": size_text(choice.size_bytes)}
            for choice in self._choices
        ]  # fmt: skip

    @Property(int, notify=fileChanged)
    def fileIndex(self) -> int:
        return self._file

    @Property(str, notify=fileChanged)
    def companionText(self) -> str:
        """What comes along with the file, or what is missing of it; nothing where it stands alone."""
        if not self._choices:
            return ""
        chosen = self._chosen
        if not chosen.complete:
            return f"This file cannot be used: {', '.join(chosen.missing)} is missing on Hugging Face."
        parts = [f"Comes in {len(chosen.files)} parts, which count as one."] if len(chosen.files) > 1 else []
        if chosen.companions:
            size = size_text(sum(file.size_bytes for file in chosen.companions))
            parts.append(f"The part that sees pictures comes along ({size}).")
        return " ".join(parts)

    @Property(str, notify=fileChanged)
    def diskText(self) -> str:
        """What to do where the disk has no room for the file; nothing where it has, or where the file is here."""
        if not self._choices or self._entry is None:
            return ""
        chosen, machine = self._chosen, self._machine()
        repo = self._page.repo if self._page else self._entry.repo
        if file_key(repo, chosen.file_type) in machine.known_files:
            return ""
        return lacking_words(machine, chosen.size_bytes + sum(file.size_bytes for file in chosen.companions), [repo])

    @Property(str, notify=fileChanged)
    def verdictKind(self) -> str:
        """The badge's colour: the memory's answer, unless the disk is what lacks."""
        return "bad" if self.diskText else str(self._fit_view.verdictKind)

    @Property(str, notify=fileChanged)
    def verdictText(self) -> str:
        words = str(self._fit_view.verdictText)
        return NO_ROOM_WORDS if self.diskText and words != VERDICT_TEXTS[Verdict.TOO_BIG] else words

    @Property(float, notify=contextChanged)
    def contextPosition(self) -> float:
        """Where the memory slider stands, 0 to 1; the steps double at equal distances."""
        fit = self._fit()
        return position_of(fit.context, self._context_max()) if fit else 0.0

    @Property(str, notify=fileChanged)
    def rawText(self) -> str:
        """Repository, file names and figures, for the fold at the end."""
        if self._entry is None:
            return ""
        lines = [self._page.repo if self._page else self._entry.repo]
        if self._choices:
            files = [*self._chosen.files, *self._chosen.companions]
            lines += [f"Type {self._chosen.file_type}", *(f"{file.name}  {file.size_bytes:,} bytes" for file in files)]
        return "\n".join([*lines, self._fit_view.raw_figures])

    @Property(list, notify=cardChanged)
    def card(self) -> list[dict[str, Any]]:
        """What its makers say, as plain rows."""
        return card_rows(self._page.card) if self._page else []

    @Property(bool, notify=gettingChanged)
    def isLooking(self) -> bool:
        """Whether its file is being looked for, after the button was pressed."""
        return bool(self._getting.busyKey)

    @Property(str, notify=gettingChanged)
    def problemTitle(self) -> str:
        return self._getting.problem.title if self._getting.problem else ""

    @Property(str, notify=gettingChanged)
    def problemAdvice(self) -> str:
        return self._getting.problem.advice if self._getting.problem else ""

    @Slot(int)
    def chooseFile(self, index: int) -> None:
        if 0 <= index < len(self._choices) and index != self._file:
            self._file = index
            self._read_header()
            self._show()

    @Slot(float)
    def chooseContext(self, position: float) -> None:
        """0 to 1 on the slider; the memory, the speed and the verdict follow."""
        context = context_at(position, self._context_max())
        if context != self._context:
            self._context = context
            self._show()

    @Slot(bool)
    def get(self, then_chat: bool) -> None:
        """Downloads the chosen file; with `then_chat` a conversation opens when it has arrived."""
        if self._entry is None or not self._choices:
            return
        if self._page is not None:
            facts = self._exact.get(self._chosen.title)
            self._getting.get_choice(self._entry.name, self._page, self._chosen, facts, then_chat)
        else:
            self._getting.get_entry(self._entry, self._chosen.file_type, then_chat)

    @Slot()
    def convert(self) -> None:
        """Shows what Snug can make of it."""
        if self._page is not None:
            self.convertRequested.emit(self._page.repo)

    def open(
        self, entry: CatalogueEntry, file_type: str, hub_model: protocol.HubModel | None, use: str = "chat"
    ) -> None:
        """Shows this model, and asks the Hub for its files unless Snug is to stay offline; `use` is what it is for."""
        self._use = use
        self._entry, self._page, self._problem = entry, None, None
        self._exact.clear()
        self._headers.clear()
        self.cardChanged.emit()
        self._context = 0
        known = hub_model is None or hub_model.parameters > 0
        self._choices = estimated_choices(entry) if known else []
        self._file = choice_index(self._choices, file_type)
        self._repos = list(repos_for(entry, file_type))
        self._show()
        self._ask_page(file_type)

    def refresh(self) -> None:
        """Works the answer out again: the machine has been read."""
        if self._entry is not None:
            self._show()

    @property
    def _chosen(self) -> protocol.FileChoice:
        return self._choices[self._file]

    def _ask_page(self, file_type: str) -> None:
        if self._asked:
            self._hub.forget(self._asked)
        access = hub_access(self._settings, self.token)
        if access.offline or not self._repos:
            self._asked = 0
            self.changed.emit()
            return
        repo = self._repos.pop(0)

        def read(answer: protocol.Event) -> None:
            self._asked = 0
            if isinstance(answer, protocol.ModelPage):
                self._take_page(answer, file_type)

        def failed(error: UserError) -> None:
            self._asked = 0
            if self._repos:
                self._ask_page(file_type)
                return
            self._problem = error
            self.changed.emit()

        self._asked = self._hub.ask(protocol.ReadModelPage(access=access, repo=repo), read, failed)
        self.changed.emit()

    def _take_page(self, page: protocol.ModelPage, file_type: str) -> None:
        if not page.choices and self._repos:
            self._ask_page(file_type)
            return
        self._page = page
        self.cardChanged.emit()
        self._choices = sorted(page.choices, key=lambda choice: choice.size_bytes)
        best = best_choice(self._choices, file_type)
        self._file = self._choices.index(best) if best else 0
        self._read_header()
        self._show()

    def _read_header(self) -> None:
        """Asks for the exact figures of the chosen file: its header, by range request."""
        if self._page is None or not self._choices or self._chosen.title in self._exact:
            return
        title, page = self._chosen.title, self._page
        access = hub_access(self._settings, self.token)
        request = protocol.InspectRemote(
            access=access,
            repo=page.repo,
            revision=page.revision,
            files=list(self._chosen.files),
            keep_in=str(self._plans.headers) if self._plans else "",
        )

        def read(answer: protocol.Event) -> None:
            if isinstance(answer, protocol.RemoteInspected) and self._page is page:
                self._exact[title] = answer.facts
                if answer.headers:
                    (path, size), *others = answer.headers
                    self._headers[title] = ModelSource(path, size, tuple(others))
                self._show()

        def failed(_error: UserError) -> None:
            """The estimate stays; the download itself says what is wrong with the file."""

        self._hub.ask(request, read, failed)

    def _facts(self) -> ModelFacts | None:
        if self._entry is None or not self._choices:
            return None
        exact = self._exact.get(self._chosen.title)
        if exact is not None:
            return exact
        estimate = facts_of(
            self._entry, self._chosen.file_type if group_of(self._chosen.file_type) != "other" else "Q4_K_M"
        )
        if self._page is None:
            return estimate
        return replace(of_size(estimate, self._chosen.size_bytes), file_type=self._chosen.file_type)

    def _fit(self) -> Fit | None:
        """From the header's figures at once; from the engine's own plan as soon as that is known."""
        facts = self._facts()
        if facts is None:
            return None
        settings = FitSettings(context=self._context)
        if self._plans is None:
            return fit_of(facts, settings, self._machine())
        source = self._headers.get(self._chosen.title)
        return self._plans.fit(facts, settings, self._machine(), source=source)

    def _context_max(self) -> int:
        facts = self._facts()
        return max(2 * SMALLEST_CONTEXT, facts.context_max if facts else 0)

    def _show(self) -> None:
        answer = self._fit()
        self._fit_view.show(answer, self._machine())
        if self._entry is not None:
            self._reasons.show(self._entry, self._machine(), self._use, self._measured())
            self._reasons.show_fit(self._facts(), FitSettings(context=self._context), answer, not self.diskText)
        self.changed.emit()
        self.fileChanged.emit()
        self.contextChanged.emit()


def estimated_choices(entry: CatalogueEntry) -> list[protocol.FileChoice]:
    """The usual files of a model, with sizes from its figures: what is shown while its page is not known.

    A model that its makers trained for one type has that among them, or alone where it is no usual type.
    """
    native = entry.native_type
    kinds = (*ESTIMATED_TYPES, native) if native.startswith("Q") else (native,) if native else ESTIMATED_TYPES
    choices = [
        protocol.FileChoice(
            title=kind, group=group_of(kind), file_type=kind, size_bytes=facts_of(entry, kind).file_bytes, files=[]
        )
        for kind in kinds
    ]
    return sorted(choices, key=lambda choice: choice.size_bytes)


def choice_index(choices: list[protocol.FileChoice], file_type: str) -> int:
    """The place of the best choice for that type; the middle where none is."""
    best = best_choice(choices, file_type)
    return choices.index(best) if best else len(choices) // 2
