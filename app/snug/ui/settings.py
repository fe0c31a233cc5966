"""The Settings screen: what is declared in core/settings.py, searched, checked and applied at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Property, QObject, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtQml import QmlElement, QmlUncreatable

from snug import __version__
from snug.core.errors import UserError
from snug.core.settings import SETTINGS, Setting
from snug.store import Store
from snug.ui.first_look import FirstLook
from snug.ui.row_list import RowList
from snug.ui.secrets import SecretKeeper

QML_IMPORT_NAME = "Snug.Models"
QML_IMPORT_MAJOR_VERSION = 1

ROLES = ("key", "sectionHead", "title", "explanation", "kind", "value", "choices", "lowest", "highest", "step",
         "decimals", "isDefault", "problem")  # fmt: skip
LICENCE_ROLES = ("name", "modelText")


@QmlElement
@QmlUncreatable("The application makes it")
class SettingsModel(QObject):
    """Rows of settings; a wrong value stays out and its row says why. `changed` carries the key of each change."""

    changed = Signal(str)
    shownChanged = Signal()

    def __init__(
        self,
        store: Store,
        secrets: SecretKeeper,
        home: Path,
        licences: Path,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings = store.settings
        self._secrets = secrets
        secrets.changed.connect(self._show_secret)
        self._home = home
        self._licences_folder = licences
        self._words = ""
        self._problems: dict[str, str] = {}
        self._rows = RowList(ROLES, self)
        self._licences = RowList(LICENCE_ROLES, self)
        self._show()

    @Property(QObject, constant=True)
    def rows(self) -> RowList:
        return self._rows

    @Property(bool, notify=shownChanged)
    def isEmpty(self) -> bool:
        """Whether the search found nothing."""
        return not self._rows.rows()

    @Property(bool, notify=shownChanged)
    def isSearching(self) -> bool:
        return bool(self._words)

    @Property(str, constant=True)
    def version(self) -> str:
        return __version__

    @Property(str, constant=True)
    def dataFolder(self) -> str:
        return str(self._home)

    @Property(QObject, constant=True)
    def licences(self) -> RowList:
        return self._licences

    @Slot(str)
    def search(self, words: str) -> None:
        """Show only the settings whose words hold all of these."""
        self._words = words.strip()
        self._show()

    @Slot(str, "QVariant")
    def change(self, key: str, value: Any) -> None:
        """Apply a value at once; what was wrong with it stands in its row."""
        try:
            self._put(key, value)
        except UserError as error:
            self._problems[key] = str(error)
            self._show()
            return
        self._problems.pop(key, None)
        self._show()
        self.changed.emit(key)

    @Slot(str)
    def reset(self, key: str) -> None:
        """Back to the default."""
        if self._declared(key).kind == "secret":
            self._secrets.forget(key)
        else:
            self._settings.reset(key)
        self._problems.pop(key, None)
        self._show()
        self.changed.emit(key)

    @Slot(str, QUrl)
    def chooseFolder(self, key: str, folder: QUrl) -> None:
        self.change(key, folder.toLocalFile())

    @Slot()
    def openDataFolder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._home)))

    @Slot()
    def readLicences(self) -> None:
        """Fill the list of licences; only when it is looked at."""
        files = sorted(self._licences_folder.glob("*.txt"))
        self._licences.show([{"name": path.stem, "modelText": path.read_text("utf-8", "replace")} for path in files])

    def look(self, before: FirstLook) -> FirstLook:
        """`before` with the look that is chosen here."""
        return FirstLook(
            width=before.width,
            height=before.height,
            x=before.x,
            y=before.y,
            maximised=before.maximised,
            theme=str(self._settings.get("appearance.theme")),
            text_size=int(self._settings.get("appearance.text_size")),
            reduced_motion=bool(self._settings.get("appearance.reduced_motion")),
        )

    def _show_secret(self, key: str) -> None:
        self._show()
        self.changed.emit(key)

    def _declared(self, key: str) -> Setting:
        return next(setting for setting in SETTINGS if setting.key == key)

    def _put(self, key: str, value: Any) -> None:
        declared = self._declared(key)
        if declared.kind == "secret":
            self._secrets.keep(key, str(value))
            return
        if declared.kind == "int" and isinstance(value, float) and value == int(value):
            value = int(value)
        if declared.kind == "folder" and value:
            check_folder(Path(str(value)))
        self._settings.set(key, value)

    def _show(self) -> None:
        wanted = [setting for setting in SETTINGS if not setting.is_hidden and matches(setting, self._words)]
        rows = []
        section = ""
        for setting in wanted:
            rows.append(self._row(setting, setting.section if setting.section != section else ""))
            section = setting.section
        self._rows.show(rows)
        self.shownChanged.emit()

    def _row(self, setting: Setting, section_head: str) -> dict[str, Any]:
        is_secret = setting.kind == "secret"
        value = self._secrets.state(setting.key) if is_secret else self._settings.get(setting.key)
        span = setting.maximum - setting.minimum
        return {
            "key": setting.key,
            "sectionHead": section_head,
            "title": setting.title,
            "explanation": setting.explanation,
            "kind": "long" if setting.kind == "text" and setting.maximum > 5000 else setting.kind,
            "value": value,
            "choices": [{"value": choice.value, "text": choice.title} for choice in setting.choices],
            "lowest": float(setting.minimum),
            "highest": float(setting.maximum),
            "step": 0.05 if setting.kind == "float" else 1.0 if span <= 2000 else 512.0,
            "decimals": 2 if setting.kind == "float" else 0,
            "isDefault": value == "" if is_secret else value == setting.default,
            "problem": self._problems.get(setting.key, ""),
        }


def matches(setting: Setting, words: str) -> bool:
    """Whether every word stands somewhere in the setting's title, explanation, section or choices."""
    text = " ".join(
        (setting.title, setting.explanation, setting.section, *(choice.title for choice in setting.choices))
    ).casefold()
    return all(word in text for word in words.casefold().split())


def check_folder(folder: Path) -> None:
    """Raises UserError where nothing can be written in that folder."""
    probe = folder / ".snug-can-write"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise UserError(
            f"Snug cannot write in {folder}.",
            "Choose another folder, or allow writing there.",
            kind="folder-not-writable",
            details=str(error),
            bad_input=True,
        ) from error
