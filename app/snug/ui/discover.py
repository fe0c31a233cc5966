"""The Discover screen: the catalogue, or what a search on the Hub found, each with how it would run here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Property, QObject, QTimer, Signal, Slot
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.core.candidates import candidate_of
from snug.core.catalogue import CatalogueEntry, facts_of
from snug.core.disk_room import NO_ROOM_WORDS, with_disk_room
from snug.core.errors import UserError
from snug.core.fit import Fit, FitSettings, Verdict
from snug.core.machine import Machine
from snug.core.memory_fit import fit as fit_of
from snug.core.other_engines import made_for_words
from snug.core.quality import Measured
from snug.core.recommend import is_good_for
from snug.core.rough_entry import native_type_of, rough_entry
from snug.core.words import size_text, verdict_text, words_per_second_text
from snug.store import Settings
from snug.ui.child_requests import ChildRequests
from snug.ui.downloads import SETTINGS_KINDS
from snug.ui.fit_view import verdict_kind
from snug.ui.hub_access import hub_access
from snug.ui.model_details import ModelDetails
from snug.ui.row_list import RowList
from snug.worker import protocol

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1

ROLES = ("key", "title", "line", "iconId", "verdictKind", "verdictText", "figures")
SEARCH_DELAY_MS = 350
USUAL_TYPE = "Q4_K_M"
USES = (("", "Any use"), ("chat", "Chat"), ("writing", "Writing"), ("code", "Code"), ("documents", "Documents"),
        ("tools", "Tools"), ("vision", "Pictures"))  # fmt: skip
SIZES = (("", "Any size"), ("2", "Up to 2 GB"), ("5", "Up to 5 GB"), ("10", "Up to 10 GB"), ("20", "Up to 20 GB"))
LICENCES = (("", "Any licence"), ("free", "Free to use, also at work"))
FREE_LICENCES = ("apache-2.0", "mit", "cc0-1.0", "bsd-3-clause", "unlicense")
SEEING_TASKS = ("image-text-to-text", "visual-question-answering", "any-to-any", "video-text-to-text")
WRITING_TASKS = ("text-generation", "text2text-generation", "question-answering", "summarization", "translation",
                 "audio-text-to-text")  # fmt: skip
"""What the Hub calls models that answer in words; others draw, listen or only measure how alike texts are."""
READS_ALONG, SLOW, NOTHING_SAID, NO_ROOM = 3, 2, 1, 0
ICONS = {"vision": "image", "code": "code", "documents": "book-open", "writing": "pen-line"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that may be got: a catalogue entry (perhaps guessed from a search result) and its best fit here.

    The list is in the order of `rank`: what fits and reads along, what is slow, what says nothing or is for other
    engines, what is too big (for the disk too: `lacks_disk`), and within these what is worth most for the chosen use.
    """

    entry: CatalogueEntry
    file_type: str
    fit: Fit | None
    download_bytes: int
    hub: protocol.HubModel | None = None
    rank: tuple[int, float] = (NOTHING_SAID, 0.0)
    lacks_disk: bool = False


@QmlElement
@QmlUncreatable("The application makes it")
class DiscoverModel(QObject):
    """A search field, three filters, a list, and the details of what is chosen in it."""

    filtersChanged = Signal()
    statusChanged = Signal()
    currentChanged = Signal()
    settingsRequested = Signal()

    def __init__(
        self,
        catalogue: Callable[[], tuple[CatalogueEntry, ...]],
        machine: Callable[[], Machine],
        settings: Settings,
        hub: ChildRequests,
        details: ModelDetails,
        parent: QObject | None = None,
        *,
        measured: Callable[[], Measured] = dict,
    ) -> None:
        super().__init__(parent)
        self._catalogue = catalogue
        self._machine = machine
        self._settings = settings
        self._hub = hub
        self._details = details
        self._measured = measured
        self._rows = RowList(ROLES, self)
        self._candidates: dict[str, Candidate] = {}
        self._text = ""
        self._use = ""
        self._licence = ""
        self._fits_only = False
        self._largest_bytes = float("inf")
        self._problem: UserError | None = None
        self._asked = 0
        self._current = ""
        self._is_filled = False
        self._wait = QTimer(self, interval=SEARCH_DELAY_MS, singleShot=True)
        self._wait.timeout.connect(self.search)

    @Property(QObject, constant=True)
    def rows(self) -> RowList:
        return self._rows

    @Property(ModelDetails, constant=True)
    def details(self) -> ModelDetails:
        return self._details

    @Property(list, constant=True)
    def uses(self) -> list[dict[str, str]]:
        return [{"value": value, "title": title} for value, title in USES]

    @Property(list, constant=True)
    def sizes(self) -> list[dict[str, str]]:
        return [{"value": value, "title": title} for value, title in SIZES]

    @Property(list, constant=True)
    def licences(self) -> list[dict[str, str]]:
        return [{"value": value, "title": title} for value, title in LICENCES]

    @Property(str, notify=filtersChanged)
    def text(self) -> str:
        return self._text

    @Property(bool, notify=filtersChanged)
    def fitsOnly(self) -> bool:
        return self._fits_only

    @Property(bool, notify=statusChanged)
    def isBusy(self) -> bool:
        return self._asked != 0

    @Property(str, notify=statusChanged)
    def problemTitle(self) -> str:
        return self._problem.title if self._problem else ""

    @Property(str, notify=statusChanged)
    def problemAdvice(self) -> str:
        return self._problem.advice if self._problem else ""

    @Property(str, notify=statusChanged)
    def problemAction(self) -> str:
        """The words of the button that mends it."""
        return "Open Settings" if self._problem and self._problem.kind in SETTINGS_KINDS else "Try again"

    @Property(str, notify=statusChanged)
    def emptyText(self) -> str:
        """Why the list is empty; nothing while it is not."""
        if self._rows.rows() or self._asked or self._problem:
            return ""
        if self._fits_only and self._candidates:
            return "Nothing of this fits this computer. Take the filter off to see it all the same."
        return f"Nothing found for “{self._text}”." if self._text else "Nothing matches these filters."

    @Property(str, notify=currentChanged)
    def currentKey(self) -> str:
        return self._current

    @Slot()
    def fill(self) -> None:
        """Shows the catalogue when the screen is opened for the first time."""
        if not self._is_filled:
            self._is_filled = True
            self._show_catalogue()

    @Slot(str)
    def setText(self, text: str) -> None:
        if text == self._text:
            return
        self._text = text
        self.filtersChanged.emit()
        self._wait.start()

    def lookFor(self, text: str) -> None:
        """Search for this; another screen asked for it."""
        self._is_filled = True
        self.open("")
        self._text = text
        self.filtersChanged.emit()
        self.search()

    @Slot(str, str)
    def setFilter(self, name: str, value: str) -> None:
        """`name` is "use", "licence", "size" (then `value` is in GB) or "fits" (then it is "yes"); "" is no filter."""
        if name == "use":
            self._use = value
            self._fit_all()
        elif name == "licence":
            self._licence = value
        elif name == "size":
            self._largest_bytes = float(value or "inf") * 1e9
        else:
            self._fits_only = value == "yes"
        self.filtersChanged.emit()
        self._show_rows()

    @Slot()
    def search(self) -> None:
        """Asks the Hub for the text; without one, shows the catalogue."""
        self._wait.stop()
        if self._asked:
            self._hub.forget(self._asked)
            self._asked = 0
        self._problem = None
        words = self._text.strip()
        self._show_catalogue(words)
        if words:
            access = hub_access(self._settings, self._details.token)
            request = protocol.SearchHub(access=access, text=words, gguf_only=False)
            self._asked = self._hub.ask(request, self._on_found, self._on_failed)
        self.statusChanged.emit()

    @Slot()
    def mend(self) -> None:
        """What the problem's button does."""
        if self._problem is not None and self._problem.kind in SETTINGS_KINDS:
            self.settingsRequested.emit()
        else:
            self.search()

    @Slot(str)
    def open(self, key: str) -> None:
        """Shows the details of that row; "" goes back to the list."""
        candidate = self._candidates.get(key)
        self._current = key if candidate else ""
        self.currentChanged.emit()
        if candidate is not None:
            self._details.open(candidate.entry, candidate.file_type, candidate.hub, self._use or "chat")

    def refresh(self) -> None:
        """Works all answers out again: the machine has been read."""
        if not self._is_filled:
            return
        self._fit_all()
        self._show_rows()

    def _on_found(self, answer: protocol.Event) -> None:
        self._asked = 0
        if isinstance(answer, protocol.SearchDone):
            for model in answer.models:
                self._add_found(model)
        self._show_rows()

    def _on_failed(self, error: UserError) -> None:
        self._asked = 0
        self._problem = error
        self._show_rows()

    def _add_found(self, model: protocol.HubModel) -> None:
        known = {
            repo.lower() for item in self._candidates.values() for repo in (item.entry.repo, *item.entry.gguf_repos)
        }
        if model.repo.lower() in known:
            return
        self._candidates[model.repo.lower()] = self._fitted(entry_of(model), model)

    def _show_catalogue(self, words: str = "") -> None:
        wanted = words.lower().split()
        entries = [entry for entry in self._catalogue() if all(word in searched_text(entry) for word in wanted)]
        self._candidates = {entry.key: self._fitted(entry, None) for entry in entries}
        self._show_rows()

    def _fitted(self, entry: CatalogueEntry, hub: protocol.HubModel | None) -> Candidate:
        machine = self._machine()
        if not machine.memory.total or (hub is not None and not hub.parameters):
            return Candidate(entry, USUAL_TYPE, None, 0, hub)
        best = candidate_of(entry, machine, self._use or "chat", self._measured())
        if best is not None:
            group = READS_ALONG if best.order[0] else SLOW
            if hub is not None and not hub.has_gguf:
                group = NOTHING_SAID  # it would have to be converted first
            return Candidate(entry, best.file_type, best.fit, best.download_bytes, hub, (group, best.value))
        roomy = candidate_of(entry, with_disk_room(machine), self._use or "chat", self._measured())
        if roomy is not None:
            return Candidate(entry, roomy.file_type, roomy.fit, roomy.download_bytes, hub, (NO_ROOM, roomy.value), True)
        facts = facts_of(entry, USUAL_TYPE)
        answer = fit_of(facts, FitSettings(), machine)
        return Candidate(entry, USUAL_TYPE, answer, facts.file_bytes, hub, (NO_ROOM, 0.0))

    def _fit_all(self) -> None:
        """Each model again: at the type that is worth most for the chosen use."""
        self._candidates = {key: self._fitted(item.entry, item.hub) for key, item in self._candidates.items()}

    def _show_rows(self) -> None:
        ranked = sorted(self._candidates.items(), key=lambda pair: pair[1].rank, reverse=True)
        self._rows.show([row_of(key, item) for key, item in ranked if self._is_wanted(item)])
        self.statusChanged.emit()

    def _is_wanted(self, item: Candidate) -> bool:
        if self._fits_only and (item.fit is None or item.lacks_disk or item.fit.verdict is Verdict.TOO_BIG):
            return False
        if self._licence == "free" and item.entry.licence not in FREE_LICENCES:
            return False
        if item.download_bytes > self._largest_bytes:
            return False
        if not self._use or self._use in item.entry.capabilities:
            return True
        if item.hub is not None:
            return may_be_good_for(item.hub, self._use)
        return is_good_for(item.entry, self._use)


def entry_of(model: protocol.HubModel) -> CatalogueEntry:
    """The entry of a search result: its figures where the Hub gives them, else a placeholder of one billion weights."""
    native = native_type_of(model.repo, model.tags, model.architecture)
    return rough_entry(
        model.repo,
        model.name,
        max(model.parameters, 1_000_000),
        model.architecture,
        model.context,
        model.licence,
        native,
    )


def may_be_good_for(model: protocol.HubModel, use: str) -> bool:
    """Whether a search result may serve a use: only what the Hub says of its task can tell that it does not."""
    if not model.task:
        return True
    sees = model.task in SEEING_TASKS or "vision" in model.tags
    return sees if use == "vision" else sees or model.task in WRITING_TASKS


def searched_text(entry: CatalogueEntry) -> str:
    """The text of an entry that a search looks at."""
    return f"{entry.name} {entry.repo} {entry.maker} {' '.join(entry.good_for)}".lower()


def row_of(key: str, item: Candidate) -> dict[str, Any]:
    """The roles of one row."""
    entry, fit = item.entry, item.fit
    return {
        "key": key,
        "title": entry.name,
        "line": " · ".join(part for part in line_parts(item) if part),
        "iconId": next((icon for use, icon in ICONS.items() if entry.good_for[:1] == (use,)), "message-circle"),
        "verdictKind": "bad" if item.lacks_disk else verdict_kind(fit),
        "verdictText": NO_ROOM_WORDS if item.lacks_disk else verdict_text(fit) if fit else "Look inside",
        "figures": figures_words(item),
    }


def line_parts(item: Candidate) -> Iterable[str]:
    """What it is for, whether it is free, how many take it."""
    hub = item.hub
    if hub is None:
        names = dict(USES)
        yield ", ".join(
            names[use] if index == 0 else names[use].lower() for index, use in enumerate(item.entry.good_for)
        )
        yield item.entry.licence_words.removesuffix(", also at work")
        return
    yield f"by {hub.author}"
    if hub.file_format and not hub.has_gguf:
        yield made_for_words(hub.file_format)
    yield item.entry.licence_words if hub.licence else ""
    yield f"{count_words(hub.downloads)} downloads" if hub.downloads else ""


def figures_words(item: Candidate) -> str:
    """Speed and size; for what does not fit, what it needs."""
    if item.fit is None:
        return "size not said"
    if item.fit.verdict is Verdict.TOO_BIG:
        return f"needs {size_text(item.fit.memory.total)}"
    speed = words_per_second_text(item.fit.speed).removeprefix("about ").replace(" words a second", " words/s")
    return f"{speed} · {size_text(item.download_bytes)}"


def count_words(count: int) -> str:
    """A large count in words: "2.9 million", "41 thousand", "312"."""
    for size, name in ((10**9, "billion"), (10**6, "million"), (10**3, "thousand")):
        if count >= size:
            value = count / size
            return f"{value:.1f} {name}" if value < 9.95 and size > 1000 else f"{round(value)} {name}"
    return str(count)
