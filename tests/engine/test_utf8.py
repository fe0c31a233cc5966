"""Characters that are split over tokens arrive whole."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from snug.engine.utf8 import Utf8Assembler


def fed(chunks: list[bytes]) -> list[str]:
    assembler = Utf8Assembler()
    return [assembler.feed(chunk) for chunk in chunks] + [assembler.finish()]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@given(st.text(), st.lists(st.integers(min_value=0, max_value=10_000)))
def test_text_is_the_same_however_its_bytes_are_cut(text: str, places: list[int]) -> None:
    assert "".join(fed(cut(text.encode("utf-8", "surrogatepass"), places))) == "".join(
        fed([text.encode("utf-8", "surrogatepass")])
    )


@given(st.text(alphabet="aé模😀", min_size=1))
def test_no_replacement_character_appears_in_whole_text_cut_at_every_byte(text: str) -> None:
    parts = fed([bytes([byte]) for byte in text.encode()])
    assert "".join(parts) == text
    assert "\ufffd" not in "".join(parts)


@given(st.binary(), st.lists(st.integers(min_value=0, max_value=10_000)))
def test_any_bytes_become_text_that_can_be_stored(data: bytes, places: list[int]) -> None:
    text = "".join(fed(cut(data, places)))
    assert text == data.decode("utf-8", "replace")
    text.encode("utf-8")


def test_an_emoji_in_four_tokens_appears_once_and_last() -> None:
    assert fed([b"\xf0", b"\x9f", b"\x98", b"\x80"]) == ["", "", "", "😀", ""]


def test_a_character_that_is_never_completed_is_shown_as_damage() -> None:
    assert fed([b"a\xf0\x9f"]) == ["a", "\ufffd"]
