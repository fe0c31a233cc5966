"""A checkpoint's tokenizer, chat template and generation defaults as GGUF's metadata."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from snug.convert.tokenizers.generation_defaults import put_generation_defaults
from snug.convert.tokenizers.recipes import RECIPES, Task, gpt2
from snug.convert.tokenizers.tokenizer_files import FILE_NAMES, TokenizerFiles, tokenizer_files_in
from snug.convert.tokenizers.vocabulary import Vocabulary

__all__ = ["FILE_NAMES", "Vocabulary", "read_tokenizer", "tokenizer_files_in"]


class Named(Protocol):
    """An entry of `ARCHITECTURES`; `name` is the architecture's name in a GGUF."""

    @property
    def name(self) -> str: ...


def read_tokenizer(files: Mapping[str, Path], config: Mapping[str, Any], architecture: Named | str) -> Vocabulary:
    """The vocabulary of a checkpoint whose files are `files` (their names in it, their places here).

    `config` is its config.json, which says how many tokens the model has room for. Raises UserError where the tokenizer
    is missing, damaged, beyond limits or of a kind that the architecture never has.
    """
    name = architecture if isinstance(architecture, str) else architecture.name
    task = Task(TokenizerFiles(files), config, name)
    RECIPES.get(name, gpt2)(task)
    put_generation_defaults(task.files, task.entries)
    tokens = task.entries.by_key["tokenizer.ggml.tokens"].value
    count = len(tokens) if isinstance(tokens, list) else 0
    entries = task.entries
    return Vocabulary(
        tuple(entries.by_key.values()), count, task.pre_tokenizer, tuple(entries.notes), tuple(entries.details)
    )
