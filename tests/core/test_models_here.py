"""Models of the library that the catalogue knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from snug.core.catalogue import load_catalogue
from snug.core.models_here import ModelHere, models_here

CATALOGUE = load_catalogue(Path(__file__).parents[2] / "resources" / "catalogue" / "models.json")


@pytest.mark.parametrize(
    ("repo", "path", "key"),
    [
        ("unsloth/Qwen3.5-9B-GGUF", "/m/Qwen3.5-9B-Q4_K_M.gguf", "qwen3.5-9b"),
        ("UNSLOTH/qwen3.5-9b-gguf", "/m/a.gguf", "qwen3.5-9b"),
        ("google/gemma-4-12B-it-qat-q4_0-gguf", "/m/x.gguf", "gemma-4-12b-it"),
        ("", "/m/Qwen3-VL-2B-Instruct-Q8_0.gguf", "qwen3-vl-2b-instruct"),
    ],
)
def test_a_model_is_known_by_its_repository_or_its_file(repo: str, path: str, key: str) -> None:
    assert models_here(CATALOGUE, [(7, repo, path, "Q4_K_M")]) == [ModelHere(7, key, "Q4_K_M")]


@pytest.mark.parametrize(
    ("repo", "path", "file_type"),
    [("somebody/Qwen3.5-9B-tuned", "/m/Qwen3.5-9B-Q4_K_M.gguf", "Q4_K_M"), ("", "/m/my-model.gguf", "Q4_K_M"),
     ("", "", ""), ("unsloth/Qwen3.5-9B-GGUF", "/m/a.gguf", "strange")],
)  # fmt: skip
def test_what_is_something_else_is_not_taken_for_it(repo: str, path: str, file_type: str) -> None:
    assert models_here(CATALOGUE, [(1, repo, path, file_type)]) == []
