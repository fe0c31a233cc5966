"""The Downloads screen: every download in words, with the one button that helps."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug.core.words import duration_text, rate_text, size_text
from snug.store import Settings
from snug.store.rows import DownloadRow
from snug.ui.download_queue import DownloadQueue, Live
from snug.ui.hub_access import hub_access
from snug.ui.row_list import RowList

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1

ROLES = ("downloadId", "title", "phase", "line", "fraction", "iconId", "canPause", "canResume", "resumeText", "canChat",
         "pageAddress", "wantsSettings", "canFindAnother", "firstStep",
         "details")  # fmt: skip
PAGE_KINDS = ("needs-token", "needs-access")
SETTINGS_KINDS = ("needs-token", "token-refused", "token-scope", "offline", "bad-address", "proxy-refused",
                  "proxy-not-found", "proxy-auth")  # fmt: skip
"""Failures that the model's page on the Hub, or the Settings, can mend."""
GONE_KIND = "gone"
"""The failure that only another maker's file of the model mends."""
ICONS = {"failed": "triangle-alert", "done": "circle-check", "paused": "pause", "queued": "clock", "running": "box"}


@QmlElement
@QmlUncreatable("The application makes it")
class DownloadsModel(QObject):
    """What is being fetched, what waits, what went wrong and what has arrived."""

    summaryChanged = Signal()
    chatRequested = Signal(int)
    searchRequested = Signal(str)
    settingsRequested = Signal()

    def __init__(self, queue: DownloadQueue, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._queue = queue
        self._settings = settings
        self._rows = RowList(ROLES, self)
        queue.changed.connect(self._show_one)
        queue.listChanged.connect(self._show_all)
        self._show_all()

    @Property(QObject, constant=True)
    def rows(self) -> RowList:
        return self._rows

    @Property(int, notify=summaryChanged)
    def activeCount(self) -> int:
        return sum(row["phase"] in ("running", "queued") for row in self._rows.rows())

    @Property(float, notify=summaryChanged)
    def fraction(self) -> float:
        """How far everything that is under way has come, 0 to 1."""
        active = [row for row in self._queue.rows() if row.state in ("running", "queued")]
        total = sum(row.total_bytes for row in active)
        return sum(self._done_bytes(row) for row in active) / total if total else 0.0

    @Property(bool, notify=summaryChanged)
    def isEmpty(self) -> bool:
        return not self._rows.rows()

    @Slot(int)
    def pause(self, download_id: int) -> None:
        self._queue.pause(download_id)

    @Slot(int)
    def resume(self, download_id: int) -> None:
        self._queue.resume(download_id)

    @Slot(int)
    def discard(self, download_id: int) -> None:
        self._queue.discard(download_id)

    @Slot(int)
    def chat(self, download_id: int) -> None:
        row = self._queue.row(download_id)
        if row is not None and row.model_id is not None:
            self.chatRequested.emit(row.model_id)

    @Slot()
    def openSettings(self) -> None:
        self.settingsRequested.emit()

    @Slot()
    def findModels(self) -> None:
        self.searchRequested.emit("")

    @Slot(int)
    def findAnother(self, download_id: int) -> None:
        """Show who else has the model."""
        row = self._queue.row(download_id)
        if row is not None:
            self.searchRequested.emit(model_name(row.repo))

    def _show_all(self) -> None:
        self._rows.show([self._row(row) for row in self._queue.rows()])
        self.summaryChanged.emit()

    def _show_one(self, download_id: int) -> None:
        row = self._queue.row(download_id)
        if row is not None:
            self._rows.update(self._row(row))
        self.summaryChanged.emit()

    def _done_bytes(self, row: DownloadRow) -> int:
        live = self._queue.live(row.id)
        return max(row.done_bytes, live.done_bytes) if live else row.done_bytes

    def _row(self, row: DownloadRow) -> dict[str, Any]:
        done = self._done_bytes(row)
        return {
            "downloadId": row.id,
            "title": row.title,
            "phase": row.state,
            "line": line_words(row, self._queue.live(row.id), done, datetime.now().astimezone()),
            "fraction": 1.0 if row.state == "done" else min(1.0, done / max(1, row.total_bytes)),
            "iconId": ICONS[row.state],
            "canPause": row.state in ("running", "queued"),
            "canResume": row.state in ("paused", "failed"),
            "resumeText": "Continue" if row.state == "paused" else "Try again",
            "pageAddress": page_address(row, self._settings),
            "wantsSettings": row.state == "failed" and row.error_kind in SETTINGS_KINDS,
            "canFindAnother": row.state == "failed" and row.error_kind == GONE_KIND,
            "firstStep": first_step(row),
            "canChat": row.state == "done" and row.model_id is not None,
            "details": f"{row.repo}\n" + "\n".join(file.name for file in row.files),
        }


def page_address(row: DownloadRow, settings: Settings) -> str:
    """The address of the model's page where the person must do something there; else nothing."""
    if row.state != "failed" or row.error_kind not in PAGE_KINDS:
        return ""
    return f"{hub_access(settings).endpoint.rstrip('/')}/{quote(row.repo)}"


def first_step(row: DownloadRow) -> str:
    """The one thing to press next: "page", "settings", "find", "resume", or "" while nothing is to be done."""
    if row.state == "failed":
        if row.error_kind in PAGE_KINDS:
            return "page"
        if row.error_kind in SETTINGS_KINDS:
            return "settings"
        if row.error_kind == GONE_KIND:
            return "find"
    return "resume" if row.state in ("paused", "failed") else ""


def model_name(repo: str) -> str:
    """What to search for to find the same model elsewhere: the repository's name without its owner and format."""
    name = repo.rsplit("/", 1)[-1]
    return name[:-5] if name.lower().endswith(("-gguf", "_gguf")) else name


def line_words(row: DownloadRow, live: Live | None, done_bytes: int, now: datetime) -> str:
    """What a download is doing, in one line."""
    total = size_text(row.total_bytes)
    have = f"{amount_text(done_bytes, row.total_bytes)} of {total}"
    if row.state == "done":
        return f"Arrived and checked · {total} · {when_words(row.finished_at or row.created_at, now)}"
    if row.state == "queued":
        return f"Waits for its turn · {have}" if done_bytes else f"Waits for its turn · {total}"
    if row.state == "paused":
        return f"Paused · {have} are here and stay"
    if row.state == "failed":
        kept = f" {size_text(done_bytes)} are kept." if done_bytes else ""
        return f"{row.error_title}{kept} {row.error_advice}".strip()
    if live is None or live.state == "starting":
        return f"Getting ready · {total}"
    if live.state == "verifying":
        return f"Checking that every byte is right · {total}"
    if live.state == "waiting":
        return f"{have} · {live.note}" if live.note else f"{have} · waiting for the network"
    parts = [have]
    if live.rate > 0:
        parts.append(rate_text(live.rate))
        parts.append(f"{duration_text(live.seconds_left)} left")
    return " · ".join(parts)


def amount_text(done_bytes: int, total_bytes: int) -> str:
    """The amount without its unit where the total has the same: "1.9" (of 3.1 GB)."""
    done, unit = size_text(done_bytes).rsplit(" ", 1)
    return done if size_text(total_bytes).endswith(f" {unit}") else f"{done} {unit}"


def when_words(moment: datetime, now: datetime) -> str:
    """A day and a time near now: "today at 18:04", "yesterday at 9:10", "3 May 2026"."""
    local = moment.astimezone(now.tzinfo)
    days = (now.date() - local.date()).days
    clock = f"{local.hour}:{local.minute:02}"
    if days == 0:
        return f"today at {clock}"
    if days == 1:
        return f"yesterday at {clock}"
    return f"{local.day} {local:%B} {local.year}"
