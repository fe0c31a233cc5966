"""Rows of an open chat: what differs is changed, nothing else is touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex
from PySide6.QtTest import QAbstractItemModelTester

from snug.ui.chat_rows import FIRST_ROLE, ROLES, BlockRows, Row

SOME_ROWS = st.lists(st.builds(Row, kind=st.sampled_from(["prose", "code"]), text=st.sampled_from("abc")), max_size=8)


def role(name: str) -> int:
    return FIRST_ROLE + ROLES.index(name)


@given(SOME_ROWS, SOME_ROWS, st.integers(0, 8))
def test_replacing_leaves_exactly_the_new_rows(before: list[Row], after: list[Row], start: int) -> None:
    model = BlockRows()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    model.replace(0, before)
    start = min(start, len(before))
    model.replace(start, after)
    assert model.rows == before[:start] + after
    assert model.rowCount(QModelIndex()) == len(model.rows)


def test_a_growing_row_changes_only_its_own_roles() -> None:
    model = BlockRows()
    model.replace(0, [Row("prose", 1, text="one"), Row("prose", 2, text="tw")])
    told: list[tuple[int, list[int]]] = []
    model.dataChanged.connect(lambda top, _bottom, roles: told.append((top.row(), list(roles))))
    inserted: list[int] = []
    model.rowsInserted.connect(lambda *_: inserted.append(1))
    model.replace(1, [Row("prose", 2, text="two")])
    assert told == [(1, [role("text")])]
    assert inserted == []


def test_the_same_rows_again_say_nothing() -> None:
    model = BlockRows()
    rows = [Row("user", 1, text="a"), Row("prose", 2, text="b"), Row("actions", 2)]
    model.replace(0, rows)
    model.dataChanged.connect(lambda *_: pytest.fail("nothing changed"))
    model.rowsRemoved.connect(lambda *_: pytest.fail("nothing was removed"))
    model.replace(0, list(rows))


def test_a_row_of_another_kind_is_a_new_row() -> None:
    model = BlockRows()
    model.replace(0, [Row("prose", 1, text="|a|b|")])
    removed: list[int] = []
    model.rowsRemoved.connect(lambda _, first, _last: removed.append(first))
    model.replace(0, [Row("table", 1, cells=(("a", "b"),))])
    assert removed == [0]


def test_cells_reach_qml_as_lists() -> None:
    model = BlockRows()
    model.replace(0, [Row("table", cells=(("a", "b"), ("1", "2")))])
    assert model.data(model.index(0), role("cells")) == [["a", "b"], ["1", "2"]]


def test_what_is_outside_of_the_rows_is_nothing() -> None:
    model = BlockRows()
    assert model.data(model.index(3), role("text")) is None
    model.replace(0, [Row("rule")])
    assert model.data(model.index(0), 7) is None
