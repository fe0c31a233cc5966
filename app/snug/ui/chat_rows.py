"""The rows of an open chat: one a block, changed one by one and never all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from PySide6.QtCore import QAbstractListModel, QByteArray, QModelIndex, QObject, QPersistentModelIndex, Qt

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Row:
    """What one row shows; each field is a role for QML.

    `kind` picks the delegate: "user", "prose", "heading", "item", "code", "table", "rule", "thought", "waiting",
    "actions", "problem", "notice". `text` is plain, `rich` our own mark-up; `marker` is an item's mark, a
    code block's language or "2 of 2"; `note` the second text; `action` a button's words.
    """

    kind: str
    messageId: int = 0
    text: str = ""
    rich: str = ""
    marker: str = ""
    note: str = ""
    details: str = ""
    action: str = ""
    level: int = 0
    depth: int = 0
    quote: int = 0
    cells: tuple[tuple[str, ...], ...] = ()
    plainCells: tuple[tuple[str, ...], ...] = ()
    alignments: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    hasHeader: bool = False
    isLast: bool = False
    isWriting: bool = False
    canGoBack: bool = False
    canGoForward: bool = False


ROLES = tuple(field.name for field in fields(Row))
FIRST_ROLE = int(Qt.ItemDataRole.UserRole) + 1


class BlockRows(QAbstractListModel):
    """A list of `Row`s. `replace` changes only what differs: rows at the start and the end that are the same stay."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[Row] = []

    @property
    def rows(self) -> list[Row]:
        return self._rows

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._rows)

    def roleNames(self) -> dict[int, QByteArray]:
        return {FIRST_ROLE + number: QByteArray(name.encode()) for number, name in enumerate(ROLES)}

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> object:
        if not 0 <= index.row() < len(self._rows) or not 0 <= role - FIRST_ROLE < len(ROLES):
            return None
        value = getattr(self._rows[index.row()], ROLES[role - FIRST_ROLE])
        return _as_list(value) if isinstance(value, tuple) else value

    def replace(self, start: int, rows: Sequence[Row]) -> None:
        """Let the rows from `start` on be these."""
        old = self._rows[start:]
        tail = 0
        while tail < min(len(old), len(rows)) and old[-1 - tail] == rows[-1 - tail]:
            tail += 1
        old = old[: len(old) - tail]
        new = list(rows[: len(rows) - tail])
        shared = 0
        while shared < min(len(old), len(new)) and old[shared].kind == new[shared].kind:
            self._update(start + shared, new[shared])
            shared += 1
        self._remove(start + shared, len(old) - shared)
        self._insert(start + shared, new[shared:])

    def prepend(self, rows: Sequence[Row]) -> None:
        """Put older rows before all others."""
        self._insert(0, list(rows))

    def _update(self, number: int, row: Row) -> None:
        old = self._rows[number]
        if old == row:
            return
        self._rows[number] = row
        changed = [FIRST_ROLE + n for n, name in enumerate(ROLES) if getattr(old, name) != getattr(row, name)]
        index = self.index(number)
        self.dataChanged.emit(index, index, changed)

    def _insert(self, number: int, rows: list[Row]) -> None:
        if rows:
            self.beginInsertRows(QModelIndex(), number, number + len(rows) - 1)
            self._rows[number:number] = rows
            self.endInsertRows()

    def _remove(self, number: int, count: int) -> None:
        if count > 0:
            self.beginRemoveRows(QModelIndex(), number, number + count - 1)
            del self._rows[number : number + count]
            self.endRemoveRows()


def _as_list(value: tuple[object, ...]) -> list[object]:
    return [_as_list(item) if isinstance(item, tuple) else item for item in value]
