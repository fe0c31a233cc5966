"""Amounts as people type them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snug.core.amounts import bytes_per_s, memory_bytes, parameter_count, token_count
from snug.core.errors import UserError

GIB = 2**30
READERS = (memory_bytes, bytes_per_s, parameter_count, token_count)


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        (memory_bytes, "32GB", 32 * GIB),
        (memory_bytes, " 32 gb ", 32 * GIB),
        (memory_bytes, "32", 32 * GIB),
        (memory_bytes, "1.5GiB", 1.5 * GIB),
        (memory_bytes, "1,5GB", 1.5 * GIB),
        (memory_bytes, "512MB", 512 * 2**20),
        (memory_bytes, "2TB", 2 * 2**40),
        (bytes_per_s, "360GB/s", 360e9),
        (bytes_per_s, "360 gb per second", 360e9),
        (bytes_per_s, "360", 360e9),
        (bytes_per_s, "3.35TB/s", 3.35e12),
        (parameter_count, "8B", 8_000_000_000),
        (parameter_count, "8", 8_000_000_000),
        (parameter_count, "0.6b", 600_000_000),
        (parameter_count, "360M", 360_000_000),
        (parameter_count, "7615616512", 7_615_616_512),
        (token_count, "16k", 16_384),
        (token_count, "8000", 8_000),
    ],
)
def test_what_people_type_is_read(read: Callable[[str], float], text: str, expected: float) -> None:
    assert read(text) == expected


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    "text", ["", "lots", "0", "0GB", "-4GB", "-1", "nan", "inf", "1e999", "1e99TB", "GB", "4 GB free", "9" * 80, "½"]
)
def test_nonsense_is_a_clear_error(read: Callable[[str], float], text: str) -> None:
    with pytest.raises(UserError) as caught:
        read(text)
    assert caught.value.bad_input
    assert caught.value.advice.startswith("Write it like")


@given(st.sampled_from(READERS), st.text(max_size=80))
def test_any_text_gives_a_figure_above_zero_or_a_clear_error(read: Callable[[str], float], text: str) -> None:
    try:
        value = read(text)
    except UserError:
        value = 1.0
    assert 0 < value < 1e16


def test_an_amount_that_was_not_written_is_missing() -> None:
    with pytest.raises(UserError, match="The graphics memory is missing") as caught:
        memory_bytes("  ", "graphics memory")
    assert caught.value.bad_input
    assert "32GB" in caught.value.advice
