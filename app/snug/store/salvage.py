"""Reading what can still be read of a damaged database, row by row, past the pages that cannot."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Table

from snug.store.database import FAULTS, file_uri
from snug.store.integrity import HEADER_BYTES, MAGIC

# No row of ours has a larger number; damage may claim any.
LARGEST_ROW = 2**48
BATCH = 200
# A jump over damage takes some milliseconds, and a start must not take minutes; the backup has the rest.
MOST_JUMPS = 500


@dataclass(slots=True)
class TableSalvage:
    """The rows of one table that could be read, and whether SQLite met no obstacle on the way."""

    columns: list[str]
    rows: list[tuple[object, ...]]
    is_complete: bool


def open_damaged(copy: Path, fresh: Path) -> sqlite3.Connection:
    """Open a copy of a damaged file, giving it the first page of a fresh database where its own is unusable.

    The first tables have the same pages in every database of one migration, because they are made in one order.
    """
    if not _has_tables(copy):
        _transplant_first_page(copy, fresh)
    connection = sqlite3.connect(file_uri(copy, "rw"), uri=True, isolation_level=None, timeout=5)
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    connection.execute("PRAGMA trusted_schema=OFF")
    connection.execute("PRAGMA cell_size_check=ON")
    return connection


def read_table(connection: sqlite3.Connection, table: Table) -> TableSalvage:
    """All readable rows of `table`."""
    try:
        present = {str(row[1]) for row in connection.execute(f"PRAGMA table_info({table.name})")}
    except FAULTS:
        present = set()
    columns = [column.name for column in table.columns if column.name in present]
    if not columns:
        return TableSalvage([], [], is_complete=False)
    reader = _RowReader(connection, table.name, columns)
    rows = list(reader.rows())
    return TableSalvage(columns, rows, is_complete=not reader.has_met_damage)


class _RowReader:
    def __init__(self, connection: sqlite3.Connection, table: str, columns: list[str]) -> None:
        self._connection = connection
        names = ", ".join(f'"{name}"' for name in columns)
        self._query = (
            f"SELECT rowid, {names} FROM {table} NOT INDEXED WHERE rowid > ? AND rowid <= {LARGEST_ROW} "
            "ORDER BY rowid LIMIT ?"
        )
        self.has_met_damage = False
        self._jumps = 0

    def rows(self) -> Iterator[tuple[object, ...]]:
        position = -1
        while True:
            batch, is_cut = self._after(position, BATCH)
            for row in batch:
                yield row[1:]
            if batch:
                position = batch[-1][0]
            if is_cut:
                self.has_met_damage = True
                if not batch:
                    self._jumps += 1
                    following = self._next_readable(position) if self._jumps <= MOST_JUMPS else None
                    if following is None:
                        return
                    position = following
            elif len(batch) < BATCH:
                return

    def _after(self, position: int, limit: int) -> tuple[list[tuple[int, ...]], bool]:
        """Rows behind `position`, and whether damage cut them short: a damaged tree may give rows out of order."""
        batch: list[tuple[int, ...]] = []
        last = position
        try:
            for row in self._connection.execute(self._query, (position, limit)):
                if not isinstance(row[0], int) or row[0] <= last:
                    return batch, True
                last = row[0]
                batch.append(row)
        except (*FAULTS, OverflowError, MemoryError):
            return batch, True
        return batch, False

    def _next_readable(self, position: int) -> int | None:
        """The smallest place behind `position` from which rows can be read again; None where there is none."""
        step = 1
        while not self._is_readable(position + step):
            step *= 2
            if position + step > LARGEST_ROW:
                return None
        low, high = step // 2, step
        while high - low > 1:
            middle = (low + high) // 2
            if self._is_readable(position + middle):
                high = middle
            else:
                low = middle
        return position + high

    def _is_readable(self, position: int) -> bool:
        batch, is_cut = self._after(position, 1)
        return bool(batch) or not is_cut


def _has_tables(path: Path) -> bool:
    try:
        connection = sqlite3.connect(file_uri(path, "ro"), uri=True)
    except FAULTS:
        return False
    try:
        return bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'messages'").fetchone())
    except FAULTS:
        return False
    finally:
        connection.close()


def _transplant_first_page(copy: Path, fresh: Path) -> None:
    donor = bytearray(fresh.read_bytes()[:65536])
    if len(donor) < HEADER_BYTES or not donor.startswith(MAGIC):
        return
    (page_size,) = struct.unpack_from(">H", donor, 16)
    page_size = 65536 if page_size == 1 else page_size
    size = copy.stat().st_size
    page = donor[:page_size]
    struct.pack_into(">I", page, 28, max(1, -(-size // page_size)))
    struct.pack_into(">II", page, 32, 0, 0)
    with copy.open("rb+") as file:
        file.write(page)
        file.truncate(max(1, -(-size // page_size)) * page_size)
