"""The tokenizer's files of a checkpoint, read within limits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snug.convert.tokenizers.errors import bad_tokenizer, no_tokenizer
from snug.core.errors import UserError
from snug.formats.byte_source import FileSource
from snug.formats.checkpoints.json_text import parse_object

MOST_TOKENIZER_BYTES = 64 * 1024 * 1024
"""The largest real tokenizer.json (Gemma 3) takes 33 MB."""
MOST_SMALL_BYTES = 16 * 1024 * 1024
MOST_TEMPLATE_BYTES = 1024 * 1024
TEMPLATE_FOLDER = "additional_chat_templates/"

FILE_NAMES = (
    "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.json", "merges.txt", "vocab.txt", "sentencepiece.bpe.model", "spiece.model", "tekken.json",
    "chat_template.jinja", "chat_template.json", "generation_config.json", "config.json",
)  # fmt: skip
"""What a tokenizer may be made of; nothing else of a checkpoint is opened. Code is never among it."""


class TokenizerFiles:
    """The files by their names within the checkpoint, read when they are asked for."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = files
        self._objects: dict[str, dict[str, Any]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._files and self._files[name].is_file()

    def names(self) -> list[str]:
        """The names of the tokenizer's files that there are."""
        return [name for name in FILE_NAMES if name in self]

    def template_names(self) -> list[str]:
        """The names of further chat templates, without folder and ending, sorted."""
        return sorted(
            name.removeprefix(TEMPLATE_FOLDER).removesuffix(".jinja")
            for name in self._files
            if name.startswith(TEMPLATE_FOLDER) and name.endswith(".jinja") and name in self
        )

    def missing(self, wanted: str) -> UserError:
        return no_tokenizer(wanted, ", ".join(self.names()))

    def raw(self, name: str, most_bytes: int = MOST_TOKENIZER_BYTES) -> bytes:
        """The whole file. Raises UserError where it is missing or larger than `most_bytes`."""
        if name not in self:
            raise self.missing(name)
        with FileSource(self._files[name]) as source:
            if source.size > most_bytes:
                raise bad_tokenizer(f"{name} is impossibly large", f"{source.size} bytes")
            return source.read(0, most_bytes)

    def text(self, name: str, most_bytes: int = MOST_SMALL_BYTES) -> str:
        try:
            return self.raw(name, most_bytes).decode("utf-8")
        except UnicodeDecodeError as error:
            raise bad_tokenizer(f"{name} is no text", str(error)[:200]) from error

    def object(self, name: str, most_bytes: int = MOST_SMALL_BYTES) -> dict[str, Any]:
        """The JSON object in a file; an empty one where there is no such file."""
        if name not in self:
            return {}
        if name not in self._objects:
            self._objects[name] = parse_object(self.raw(name, most_bytes), name)
        return self._objects[name]


def tokenizer_files_in(folder: Path) -> dict[str, Path]:
    """The tokenizer's files of a folder by name, for `read_tokenizer`."""
    found = {name: folder / name for name in FILE_NAMES if (folder / name).is_file()}
    templates = folder / TEMPLATE_FOLDER.rstrip("/")
    if templates.is_dir():
        for path in sorted(templates.glob("*.jinja"))[:100]:
            found[TEMPLATE_FOLDER + path.name] = path
    return found
