"""Damaged headers by the thousand: a clear error or a right answer each time, never anything else."""

from __future__ import annotations

import os
import random
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snug.core.errors import UserError
from snug.core.fit import FitSettings
from snug.core.memory_fit import fit
from snug.formats.gguf_facts import facts_from_header
from snug.formats.gguf_header import read_header
from tests.core.machines import card, machine
from tests.formats.gguf_maker import Recipe, write_gguf
from tests.formats.header_bytes import STRING, BytesSource, array, gguf, mutate, pair, tiny_model

PIP = Path(__file__).parents[2] / "resources" / "models" / "pip" / "pip-7m-Q8_0.gguf"
CASES = 200_000 if os.environ.get("SNUG_FULL_TESTS") == "1" else 4_000
COMPUTER = machine(16, card())


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[bytes, int]]:
    """Headers of good files, each with the number of bytes that follow it."""
    folder = tmp_path_factory.mktemp("seeds")
    keys = {"attention.sliding_window": 64, "attention.sliding_window_pattern": [True, False] * 4}
    recipes = (
        Recipe("llama", width=64, feed_forward=64, vocabulary=64),
        Recipe("gemma4", layers=8, width=64, feed_forward=64, vocabulary=64, keys=keys),
        Recipe("qwen35", layers=4, width=64, feed_forward=64, keys={"ssm.conv_kernel": 4, "ssm.inner_size": 128}),
        Recipe("lfm2", layers=4, width=64, keys={"attention.head_count_kv": [0, 2, 0, 2], "shortconv.l_cache": 3}),
    )
    files = [PIP, *(write_gguf(folder / f"{recipe.architecture}.gguf", recipe) for recipe in recipes)]
    words = array("tokenizer.ggml.tokens", STRING, (f"word{number}" for number in range(3000)))
    whole = [file.read_bytes() for file in files]
    whole += [tiny_model(), gguf([pair("general.architecture", STRING, "llama"), words])]
    return [split_at_data(data) for data in whole]


def split_at_data(data: bytes) -> tuple[bytes, int]:
    header = read_header(BytesSource(data))
    return data[: header.data_offset], len(data) - header.data_offset


def outcome(data: bytes, size: int) -> str:
    """ "read" or "refused"; whatever else happens is the failure that the test is for."""
    try:
        facts = facts_from_header(read_header(BytesSource(data, size)))
        answer = fit(facts, FitSettings(), COMPUTER)
    except UserError as error:
        check_words(error)
        return "refused"
    assert answer.memory.total >= facts.weight_bytes >= 0
    return "read"


def check_words(error: UserError) -> None:
    assert error.bad_input
    assert error.title
    assert error.advice
    assert error.kind in ("bad-gguf", "not-supported", "missing-part")


def test_damaged_headers_are_read_right_or_refused(seeds: list[tuple[bytes, int]]) -> None:
    source = random.Random(20_261_121)
    outcomes = []
    for number in range(CASES):
        header, rest = seeds[number % len(seeds)]
        damaged = mutate(header, len(header), source)
        outcomes.append(outcome(damaged, len(damaged) + rest))
    assert outcomes.count("read") > CASES // 50
    assert outcomes.count("refused") > CASES // 5


def test_damaged_headers_take_little_memory(seeds: list[tuple[bytes, int]]) -> None:
    source = random.Random(12)
    tracemalloc.start(1)
    try:
        for number in range(CASES // 20):
            header, rest = seeds[number % len(seeds)]
            damaged = mutate(header, len(header), source)
            outcome(damaged, len(damaged) + rest)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 64 * 2**20


@settings(max_examples=CASES // 20, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_refused(data: bytes) -> None:
    assert outcome(b"GGUF\x03\0\0\0" + data, len(data) + 8) == "refused"
