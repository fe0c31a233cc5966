"""Figures as people say them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snug.core.fit import Fit, MemoryNeed, SpeedRange, Verdict
from snug.core.words import (
    count_text,
    duration_text,
    free_of_text,
    pages_text,
    parameters_text,
    rate_text,
    size_text,
    sold_text,
    verdict_text,
    words_per_second_text,
    words_range_text,
)

GIB = 2**30


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 KB"),
        (480e6, "480 MB"),
        (999_999, "1.0 MB"),
        (3.1e9, "3.1 GB"),
        (16.4e9, "16 GB"),
        (2.5e12, "2.5 TB"),
        (-5, "0 bytes"),
    ],
)
def test_a_size_has_about_two_figures(size: float, words: str) -> None:
    assert size_text(size) == words


@pytest.mark.parametrize(
    ("tokens_per_s", "words"),
    [
        (18.6, "about 14 words a second"),
        (1.34, "about 1 word a second"),
        (5.0, "about 3.8 words a second"),
        (0.2, "about 9 words a minute"),
        (500, "about 380 words a second"),
    ],
)
def test_speed_is_said_in_words_a_second(tokens_per_s: float, words: str) -> None:
    assert words_per_second_text(SpeedRange(tokens_per_s / 2, tokens_per_s, tokens_per_s * 2)) == words


def test_a_speed_range_names_both_ends() -> None:
    assert words_range_text(SpeedRange(12, 18, 22)) == "9 to 16 words a second"


def test_an_unknown_speed_is_said_to_be_unknown() -> None:
    assert words_per_second_text(None) == words_range_text(None) == "speed not known yet"


@pytest.mark.parametrize(
    ("tokens", "words"),
    [(100, "less than a page"), (500, "about 1 page"), (30_000, "about 60 pages"), (131_072, "about 260 pages")],
)
def test_a_context_is_said_in_pages(tokens: int, words: str) -> None:
    assert pages_text(tokens) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "a moment"),
        (4, "about 4 seconds"),
        (42, "about 40 seconds"),
        (60, "about a minute"),
        (370, "about 6 minutes"),
        (3700, "about an hour"),
        (3 * 3600, "about 3 hours"),
        (2 * 86400, "about 2 days"),
    ],
)
def test_a_duration_is_rounded_to_what_a_person_needs(seconds: float, words: str) -> None:
    assert duration_text(seconds) == words


@pytest.mark.parametrize(
    ("parameters", "words"), [(7_615_616_512, "7.6B"), (361_822_080, "362M"), (70_553_706_496, "71B"), (500, "500")]
)
def test_parameters_are_written_as_their_makers_do(parameters: int, words: str) -> None:
    assert parameters_text(parameters) == words


def test_rates_and_verdicts_have_words() -> None:
    assert rate_text(12e6) == "12 MB a second"
    assert [verdict_text(answer(verdict, 12.0)) for verdict in Verdict] == ["Fits well", "Tight", "Too big"]


def test_what_fits_but_writes_slower_than_anyone_reads_is_not_called_a_good_fit():
    assert verdict_text(answer(Verdict.FITS_WELL, 1.0)) == "Fits, but slow"
    assert verdict_text(answer(Verdict.FITS_WELL, None)) == "Fits well"
    assert verdict_text(answer(Verdict.TOO_BIG, 1.0)) == "Too big"


def answer(verdict: Verdict, tokens_per_s: float | None) -> Fit:
    speed = None if tokens_per_s is None else SpeedRange(tokens_per_s, tokens_per_s, tokens_per_s)
    return Fit(verdict, "", MemoryNeed(1, 1, 1, 1, ()), speed, None, 4096)


@given(st.floats(min_value=0, max_value=1e18))
def test_every_figure_has_words(value: float) -> None:
    texts = (size_text(value), duration_text(value), pages_text(int(value)), parameters_text(int(value)))
    assert all(texts)
    assert words_per_second_text(SpeedRange(value, value, value)).startswith("about")


@pytest.mark.parametrize(
    ("number", "said"),
    [(4_020_000_000, "4 billion"), (1_240_000_000, "1.2 billion"), (6_950_144, "7 million"), (999_999_999, "1 billion"),
     (42, "42")],
)  # fmt: skip
def test_large_counts_in_words(number, said):
    assert count_text(number) == said


@pytest.mark.parametrize(
    ("size", "text"),
    [(16 * 2**30, "16 GB"), (32 * 2**30, "32 GB"), (31.3 * 2**30, "32 GB"), (12 * 2**30 - 2**28, "12 GB"),
     (24_576 * 2**20, "24 GB"), (141 * 2**30, "141 GB"), (8_510_000_000, "8 GB"), (512 * 2**20, "512 MB"),
     (5.5 * 2**30, "5.5 GB"), (0, "0 MB")],
)  # fmt: skip
def test_memory_is_shown_in_the_size_that_it_is_sold_as(size: float, text: str) -> None:
    assert sold_text(size) == text


@pytest.mark.parametrize(
    ("free", "total", "text"),
    [(12.1e9, 16 * GIB, "12 GB of 16 GB"), (15.9e9, 16 * GIB, "16 GB of 16 GB"),
     (16.2e9, 16 * GIB, "nearly all of 16 GB"), (480e6, 15.5 * GIB, "480 MB of 16 GB"),
     (0, 8 * GIB, "0 bytes of 8 GB")],
)  # fmt: skip
def test_free_memory_never_exceeds_the_name_of_its_total(free: float, total: float, text: str) -> None:
    assert free_of_text(free, total) == text
