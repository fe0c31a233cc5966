"""A checkpoint: a folder of shards with a config.json, opened lazily and read as float32."""

from __future__ import annotations

import stat
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from snug.core.errors import UserError
from snug.formats.byte_source import FileSource
from snug.formats.checkpoints import pickles
from snug.formats.checkpoints.checkpoint_format import CheckpointFormat
from snug.formats.checkpoints.config_check import check_against_config
from snug.formats.checkpoints.errors import bad_checkpoint
from snug.formats.checkpoints.formats import format_of
from snug.formats.checkpoints.json_text import parse_object
from snug.formats.checkpoints.lora import LoraAdapter
from snug.formats.checkpoints.mlx import written_by_mlx
from snug.formats.checkpoints.safetensors_header import read_exact
from snug.formats.checkpoints.shard_index import MOST_INDEX_BYTES, ShardIndex, check_present, read_index, shards_by_name
from snug.formats.checkpoints.tensor_files import TensorFile, TensorFiles, open_tensor_file

MOST_CONFIG_BYTES = 16 * 1024 * 1024
MOST_ENTRIES = 100_000
INDEX = "model.safetensors.index.json"
ADAPTER_CONFIG = "adapter_config.json"
QUANTISATION_FILES = ("quantize_config.json", "quant_config.json", "hf_quant_config.json")
"""Where older tools keep what today stands in config.json: AutoGPTQ, AutoAWQ, ModelOpt."""
CHAT_TEMPLATES = "additional_chat_templates"
MOST_CHAT_TEMPLATES = 100
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json",
                   "added_tokens.json", "vocab.json", "merges.txt", "vocab.txt", "sentencepiece.bpe.model",
                   "tekken.json", "chat_template.jinja", "chat_template.json", "generation_config.json")  # fmt: skip


class Checkpoint:
    """The files of one model in a folder; a context manager. Headers and weights are read when first asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names = _names_in(folder)
        self._is_open = False

    @cached_property
    def config(self) -> dict[str, Any]:
        """config.json (of an adapter, adapter_config.json), with what older tools keep in files of their own."""
        name = ADAPTER_CONFIG if self.is_adapter else "config.json"
        if name not in self._names:
            raise UserError(
                "This folder holds no model that Snug can read.",
                "Choose the folder with the model's config.json and its safetensors files.",
                kind="no-checkpoint",
                details=f"no {name}",
                bad_input=True,
            )
        config = self._json(name)
        if not config.get("quantization_config") and not self.is_adapter:
            config.update(self._older_quantisation())
        return config

    @property
    def is_adapter(self) -> bool:
        return ADAPTER_CONFIG in self._names and "config.json" not in self._names

    @property
    def tokenizer_files(self) -> dict[str, Path]:
        """The tokenizer's files that are there, by name."""
        found = {name: self.folder / name for name in TOKENIZER_FILES if name in self._names}
        if CHAT_TEMPLATES in self._names:
            templates = sorted((self.folder / CHAT_TEMPLATES).glob("*.jinja"))[:MOST_CHAT_TEMPLATES]
            found.update({f"{CHAT_TEMPLATES}/{path.name}": path for path in templates})
        return found

    @cached_property
    def shards(self) -> tuple[str, ...]:
        """The names of the files with weights. Raises UserError where some are missing, or all are pickles."""
        if INDEX in self._names:
            shards = self._index.shards
            check_present(shards, self._names)
            return shards
        found = [name for name in self._names if name.endswith(".safetensors")]
        for usual in ("adapter_model.safetensors", "model.safetensors"):
            if usual in found and self.is_adapter == usual.startswith("adapter"):
                return (usual,)
        numbered = shards_by_name(found)
        if numbered:
            return numbered
        if len(found) == 1:
            return (found[0],)
        raise self._no_weights(found)

    @cached_property
    def files(self) -> TensorFiles:
        """The stored tensors, with all headers read and the index checked against them."""
        opened: list[TensorFile] = []
        sources: list[FileSource] = []
        try:
            for name in self.shards:
                sources.append(FileSource(self.folder / name))
                if pickles.is_pickle(sources[-1].read(0, 8)):
                    raise pickles.refused([name])
                opened.append(open_tensor_file(name, sources[-1]))
            files = TensorFiles(opened)
            self._check_index(files)
        except BaseException:
            for source in sources:
                source.close()
            raise
        self._is_open = True
        return files

    @cached_property
    def format(self) -> CheckpointFormat:
        """The weights, through the reader that recognises them. Raises UserError where none does or parts disagree."""
        if self.is_adapter:
            raise UserError(
                "This is an adapter (LoRA), not a whole model.",
                "Choose the model that it belongs to; the adapter can be added to it.",
                kind="adapter",
                bad_input=True,
            )
        is_from_mlx = self.files.metadata.get("format") == "mlx"
        kind = (written_by_mlx if is_from_mlx else format_of)(self.config, self.files.tensors.keys())
        weights = kind(self.files, self.config)
        check_against_config(weights, self.config)
        return weights

    @cached_property
    def adapter(self) -> LoraAdapter:
        """The adapter. Raises UserError where the folder holds none."""
        if not LoraAdapter.recognises(self.config, self.files.tensors.keys()):
            raise bad_checkpoint("they are no LoRA adapter", str(self.config.get("peft_type"))[:80])
        return LoraAdapter(self.files, self.config)

    def close(self) -> None:
        if self._is_open:
            self.files.close()

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @cached_property
    def _index(self) -> ShardIndex:
        return read_index(self._bytes(INDEX, MOST_INDEX_BYTES), INDEX)

    def _check_index(self, files: TensorFiles) -> None:
        """The index must not claim a tensor that its shard does not hold."""
        if INDEX not in self._names:
            return
        for tensor, shard in self._index.shard_of.items():
            if tensor not in files or files.file_name(tensor) != shard:
                raise bad_checkpoint("their list does not match what they hold", f"{tensor[:80]!r} is not in {shard}")

    def _older_quantisation(self) -> dict[str, Any]:
        for name in QUANTISATION_FILES:
            if name not in self._names:
                continue
            settings = self._json(name)
            if name == "hf_quant_config.json":
                nested = settings.get("quantization")
                settings = {**(nested if isinstance(nested, dict) else {}), "quant_method": "modelopt"}
            return {"quantization_config": settings}
        return {}

    def _json(self, name: str) -> dict[str, Any]:
        return parse_object(self._bytes(name, MOST_CONFIG_BYTES), name)

    def _bytes(self, name: str, most: int) -> bytes:
        with FileSource(self.folder / name) as source:
            if source.size > most:
                raise bad_checkpoint(f"{name} is impossibly long", f"{source.size} bytes")
            return read_exact(source, 0, source.size, name)

    def _no_weights(self, found: list[str]) -> UserError:
        unsafe = pickles.pickles_among(self._names)
        if unsafe and not found:
            return pickles.refused(unsafe)
        if found:
            return bad_checkpoint("it is unclear which of them belong together", ", ".join(sorted(found)[:10]))
        return UserError(
            "This folder holds no model that Snug can read.",
            "Choose the folder with the model's config.json and its safetensors files.",
            kind="no-checkpoint",
            bad_input=True,
        )


def _names_in(folder: Path) -> frozenset[str]:
    """The names of the files in the folder, without going into it any deeper."""
    try:
        if not stat.S_ISDIR(folder.stat().st_mode):
            raise NotADirectoryError(20, "not a folder", str(folder))
        names = []
        for entry in folder.iterdir():
            names.append(entry.name)
            if len(names) > MOST_ENTRIES:
                raise bad_checkpoint("there are impossibly many in one folder")
        return frozenset(names)
    except (OSError, ValueError) as error:
        raise UserError(
            f"The folder {folder.name or folder} cannot be opened.",
            "Check that it exists and that its drive is connected.",
            kind="no-folder",
            details=str(error)[:200],
            bad_input=True,
        ) from error
