"""Entries guessed from a search result: plausible shapes, and types that a model was trained for."""

from __future__ import annotations

import pytest

from snug.core.catalogue import facts_of
from snug.core.recommend import best_type
from snug.core.rough_entry import native_type_of, rough_entry
from tests.core.machines import machine


@pytest.mark.parametrize(
    ("repo", "tags", "architecture", "expected"),
    [
        ("google/gemma-3-4b-it-qat-q4_0-gguf", [], "gemma3", "Q4_0"),
        ("unsloth/gemma-4-12B-it-QAT-GGUF", [], "gemma4", "Q4_0"),
        ("somebody/model-GGUF", ["gguf", "qat"], "llama", "Q4_0"),
        ("ggml-org/gpt-oss-20b-GGUF", [], "gpt-oss", "MXFP4"),
        ("somebody/qatar-7b-GGUF", ["gguf"], "llama", ""),
        ("unsloth/Qwen3.5-9B-GGUF", ["gguf"], "qwen35", ""),
    ],
)
def test_a_type_that_it_was_trained_for_is_told_by_name_tag_or_architecture(
    repo: str, tags: list[str], architecture: str, expected: str
) -> None:
    assert native_type_of(repo, tags, architecture) == expected


def test_such_a_model_is_offered_in_that_type() -> None:
    entry = rough_entry("a/b-qat-GGUF", "b", 12_000_000_000, native_type="Q4_0")
    found = best_type(entry, machine(16))
    assert found is not None
    assert found[0] == "Q4_0"


@pytest.mark.parametrize(
    ("parameters", "least", "most"),
    [(360_000_000, 0.2e9, 0.3e9), (1_200_000_000, 0.7e9, 0.9e9), (8_000_000_000, 4.6e9, 5.2e9),
     (70_000_000_000, 40e9, 44e9)],
)  # fmt: skip
def test_the_file_is_about_as_large_as_real_ones(parameters: int, least: float, most: float) -> None:
    assert least <= facts_of(rough_entry("", "", parameters), "Q4_K_M").file_bytes <= most


def test_a_model_below_a_million_weights_is_none() -> None:
    with pytest.raises(ValueError, match="too few"):
        rough_entry("", "", 999_999)
