"""A list of rows for QML that changes one row and role at a time instead of being reset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QByteArray, QModelIndex, QObject, QPersistentModelIndex, Qt

Row = Mapping[str, Any]
Index = QModelIndex | QPersistentModelIndex


class RowList(QAbstractListModel):
    """Rows with the roles that it was made with; the first role is the row's key, and stays while its row does."""

    def __init__(self, roles: Sequence[str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._roles = {int(Qt.ItemDataRole.UserRole) + 1 + index: name for index, name in enumerate(roles)}
        self._numbers = {name: number for number, name in self._roles.items()}
        self._key = roles[0]
        self._rows: list[dict[str, Any]] = []

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        name = self._roles.get(role)
        if name is None or not 0 <= index.row() < len(self._rows):
            return None
        return self._rows[index.row()][name]

    def roleNames(self) -> dict[int, QByteArray]:
        return {number: QByteArray(name.encode()) for number, name in self._roles.items()}

    def rows(self) -> list[dict[str, Any]]:
        """The rows as they are shown."""
        return self._rows

    def show(self, rows: Sequence[Row]) -> None:
        """Shows these rows: same keys in the same order are updated in place, anything else is moved or renewed."""
        wanted = [row[self._key] for row in rows]
        for position in reversed(range(len(self._rows))):
            if self._rows[position][self._key] not in wanted:
                self._remove(position)
        for position, row in enumerate(rows):
            here = self._position(row[self._key], position)
            if here is None:
                self.beginInsertRows(QModelIndex(), position, position)
                self._rows.insert(position, dict(row))
                self.endInsertRows()
                continue
            if here != position:
                self.beginMoveRows(QModelIndex(), here, here, QModelIndex(), position)
                self._rows.insert(position, self._rows.pop(here))
                self.endMoveRows()
            self._update(position, row)

    def update(self, row: Row) -> None:
        """Updates the row with that key; nothing where there is none."""
        position = self._position(row[self._key], 0)
        if position is not None:
            self._update(position, row)

    def _remove(self, position: int) -> None:
        self.beginRemoveRows(QModelIndex(), position, position)
        del self._rows[position]
        self.endRemoveRows()

    def _update(self, position: int, row: Row) -> None:
        old = self._rows[position]
        changed = [self._numbers[name] for name, value in row.items() if old[name] != value]
        if changed:
            old.update(row)
            index = self.index(position)
            self.dataChanged.emit(index, index, changed)

    def _position(self, key: object, start: int) -> int | None:
        for position in range(start, len(self._rows)):
            if self._rows[position][self._key] == key:
                return position
        return None
