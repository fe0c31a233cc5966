"""The journal and its spans: right after any cut, honest after any damage."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snug.hub.journal import Head, Journal, read_journal
from snug.hub.spans import Spans

HEAD = Head(repo="maker/model", file="model.gguf", size=1000, etag="e" * 64, sha256="e" * 64, commit="c" * 40)
pairs = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12)


def positions(spans: Spans) -> set[int]:
    return {position for first, end in spans for position in range(first, end)}


@given(pairs)
def test_spans_hold_exactly_what_was_added(added: list[tuple[int, int]]) -> None:
    spans = Spans(added)
    expected = {position for first, end in added for position in range(first, end)}

    assert positions(spans) == expected
    assert spans.total == len(expected)
    inside = list(spans)
    assert all(one[1] < other[0] for one, other in pairwise(inside))


@given(pairs, st.integers(0, 70))
def test_missing_and_present_make_the_whole(added: list[tuple[int, int]], size: int) -> None:
    spans = Spans(added)
    missing = {position for first, end in spans.missing(size) for position in range(first, end)}

    assert missing == set(range(size)) - positions(spans)
    assert positions(spans.within(size)) == positions(spans) & set(range(size))
    assert spans.prefix == next(p for p in range(100) if p not in positions(spans))


def written(path: Path, steps: list[tuple[int, int]]) -> bytes:
    journal = Journal.create(path, HEAD, Spans())
    for first, end in steps:
        journal.done(first, end)
    journal.close()
    return path.read_bytes()


def test_a_journal_says_again_what_it_was_told(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    written(path, [(0, 100), (300, 400), (100, 200)])

    state = read_journal(path)

    assert state is not None
    assert (state.head, list(state.spans), state.verified) == (HEAD, [(0, 200), (300, 400)], "")


def test_a_new_journal_is_shorter_and_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    long = written(path, [(number, number + 1) for number in range(200)])
    state = read_journal(path)
    assert state is not None

    journal = Journal.create(path, HEAD, state.spans)
    journal.verified("d" * 64)
    journal.close()

    again = read_journal(path)
    assert again is not None
    assert (list(again.spans), again.verified) == ([(0, 200)], "d" * 64)
    assert len(path.read_bytes()) < len(long) // 5


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(cut=st.integers(0, 400), flip=st.integers(0, 400), tail=st.binary(max_size=40))
def test_a_torn_or_damaged_journal_never_claims_what_was_not_done(
    tmp_path: Path, cut: int, flip: int, tail: bytes
) -> None:
    path = tmp_path / "a.journal"
    steps = [(0, 100), (300, 400), (500, 700)]
    data = bytearray(written(path, steps))
    if flip < len(data):
        data[flip] ^= 0x10
    path.write_bytes(bytes(data[: max(0, len(data) - cut)]) + tail)

    state = read_journal(path)

    assert state is None or positions(state.spans) <= positions(Spans(steps))


@pytest.mark.parametrize("content", [b"", b"\n", b"{}", b"[1] 00000000\n", b"\x00" * 100, b'{"repo": 3}\n' * 3])
def test_what_is_no_journal_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.journal"
    path.write_bytes(content)
    assert read_journal(path) is None
    assert read_journal(tmp_path / "absent.journal") is None


@pytest.mark.parametrize(
    "damage", [(b"D 300 400", b"D 100 400"), (b"D 300 400", b"D 300 900"), (b'"size":1000', b'"size":9000')]
)
def test_a_line_whose_crc_is_wrong_counts_for_nothing(tmp_path: Path, damage: tuple[bytes, bytes]) -> None:
    path = tmp_path / "a.journal"
    path.write_bytes(written(path, [(0, 50), (300, 400)]).replace(*damage))

    state = read_journal(path)

    assert state is None or list(state.spans) == [(0, 50)]
