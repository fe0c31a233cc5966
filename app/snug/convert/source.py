"""What is converted: a folder with a checkpoint, a GGUF, or a repository on the Hub, all read the same way."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from snug.convert.architectures import find_architecture, plan_model
from snug.convert.architectures.model_card import read_card
from snug.convert.architectures.pooling import read_pooling
from snug.convert.merged import Merged
from snug.convert.plan import Meta, ModelPlan, OutputTensor
from snug.core.errors import UserError
from snug.core.words import count_text
from snug.formats.checkpoints.checkpoint import Checkpoint
from snug.formats.checkpoints.checkpoint_format import CheckpointFormat
from snug.formats.checkpoints.lora import LoraAdapter
from snug.formats.gguf_writer import encode_value

Fetching = Callable[[int, int, float, float, str], None]
"""Told while shards arrive: bytes done and in all, bytes/s, seconds left, and why nothing arrives in words."""


class Source:
    """A model that can be converted; a context manager. Everything but the weights is read when it is opened.

    Of `files` the source is made; they must not change while it is read.
    """

    title: str
    kind: str
    """The key of its format: "plain", "gptq", "gguf" …"""
    sentence: str
    """What kind of checkpoint it is, in a sentence."""
    loses_bits: bool
    """Whether its weights were rounded to few bits already."""
    tensors: tuple[OutputTensor, ...]
    metadata: tuple[Meta, ...]
    notes: tuple[str, ...] = ()
    """What else a person must know of it."""
    details: tuple[str, ...] = ()
    """What only experts ask for, in sentences."""
    offered: tuple[str, ...] = ()
    """The types that a person is offered where not all make sense."""
    stored_bytes: int
    fetch_bytes: int = 0
    largest_shard_bytes: int = 0
    has_finished_files: bool = False
    """Whether GGUF files lie beside the weights: taking one of them is quicker."""

    def __init__(self, files: Iterable[Path]) -> None:
        self.files = tuple(files)
        self._seen = fingerprints(self.files)

    @property
    def identity(self) -> str:
        """A hash by which the same source is known again."""
        return digest_of([f"{name} {size} {changed}" for name, size, changed in self._seen])

    @property
    def values(self) -> Mapping[str, Any]:
        """Plain values of the GGUF's metadata by key, beside those of `metadata`."""
        return {}

    @property
    def architecture(self) -> str:
        found = {meta.key: meta.value for meta in self.metadata} | dict(self.values)
        return str(found.get("general.architecture", ""))

    @property
    def parameters(self) -> int:
        return sum(tensor.rows * tensor.columns for tensor in self.tensors)

    @property
    def has_chat_template(self) -> bool:
        return any(meta.key == "tokenizer.chat_template" for meta in self.metadata)

    @property
    def original_type(self) -> str:
        """The float type that keeps every bit of what is stored."""
        stored = {tensor.stored_type for tensor in self.tensors if len(tensor.shape) > 1}
        if "F32" in stored:
            return "F32"
        return "BF16" if "BF16" in stored and "F16" not in stored else "F16"

    def entries(self, file_type: int, quantisation_version: int) -> list[tuple[str, bytes]]:
        """The metadata of the result, as `gguf_writer` takes it."""
        raise NotImplementedError

    def check_types(self, types: Mapping[str, str]) -> None:
        """Raise UserError where the source cannot be read into these types."""

    def bring_here(self, fetching: Fetching, is_cancelled: Callable[[], bool]) -> None:
        """Fetch all weights that are elsewhere, so that they can be read again and again. Raises UserError, Stopped."""

    def order(self, indices: Sequence[int]) -> list[int]:
        """The tensors in the order in which they are best read."""
        return list(indices)

    def make_ready(self, tensor: OutputTensor, fetching: Fetching, is_cancelled: Callable[[], bool]) -> None:
        """Bring the bytes that `tensor` is made of here. Raises UserError."""

    def made(self, tensor: OutputTensor, save: Callable[[], None]) -> None:
        """The tensor was written; once `save` has brought it onto the disk, what only it needed may go."""

    def check_unchanged(self) -> None:
        """Raise UserError (kind "source-changed") where the source is not what it was when it was opened."""
        if fingerprints(self.files) != self._seen:
            raise UserError(
                "The model's files were changed while they were read.",
                "Wait until they are complete, then start again; the unfinished result was removed.",
                kind="source-changed",
            )

    def forget(self) -> None:
        """The result is complete: remove what was kept for going on after an interruption."""

    def close(self) -> None:
        """Let go of the files."""
        raise NotImplementedError

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class CheckpointSource(Source):
    """A checkpoint as Hugging Face lays it out; `adapter` is a LoRA that is merged into it."""

    def __init__(self, checkpoint: Checkpoint, title: str, adapter: Checkpoint | None = None) -> None:
        self.checkpoint = checkpoint
        self.adapter = adapter
        from snug.convert.tokenizers import read_tokenizer

        super().__init__([*checkpoint_files(checkpoint), *(checkpoint_files(adapter) if adapter else [])])
        weights = checkpoint.format
        self.kind, self.loses_bits, self.sentence = weights.key, weights.loses_bits, weights.sentence
        self.weights: CheckpointFormat = weights
        if adapter is not None:
            self.weights = Merged(weights, lora_of(adapter))
            self.sentence = f"{weights.sentence} With an adapter (LoRA) merged in."
        folder = checkpoint.folder
        self.plan: ModelPlan = plan_model(
            self.weights, checkpoint.config, title, read_card(folder), read_pooling(folder)
        )
        self.vocabulary = read_tokenizer(
            checkpoint.tokenizer_files, checkpoint.config, find_architecture(checkpoint.config)
        )
        self.title = title
        self.tensors = self.plan.tensors
        self.metadata = (*self.plan.metadata, *self.vocabulary.metadata)
        self.notes = (*self.plan.notes, *self.vocabulary.notes)
        self.details = self.vocabulary.details
        self.stored_bytes = sum(tensor.size_bytes for tensor in checkpoint.files.tensors.values())

    def entries(self, file_type: int, quantisation_version: int) -> list[tuple[str, bytes]]:
        own = (
            Meta("general.file_type", "u32", file_type),
            Meta("general.quantization_version", "u32", quantisation_version),
        )
        ordered = (*self.plan.metadata, *own, *self.vocabulary.metadata)
        return [(meta.key, encode_value(meta.kind, meta.value)) for meta in ordered]

    def close(self) -> None:
        self.checkpoint.close()
        if self.adapter is not None:
            self.adapter.close()


def open_folder(folder: Path, adapter: Path | None = None) -> CheckpointSource:
    """The checkpoint in `folder`. Raises UserError where it cannot be converted."""
    checkpoint = Checkpoint(folder)
    other = None if adapter is None else Checkpoint(adapter)
    try:
        return CheckpointSource(checkpoint, folder_title(folder), other)
    except BaseException:  # whatever it was, the files are not left open
        checkpoint.close()
        if other is not None:
            other.close()
        raise


def folder_title(folder: Path) -> str:
    """What a model's folder is called: the repository's name in the cache of the Hub's own library, whose folders are
    `models--OWNER--NAME/snapshots/COMMIT`."""
    place = folder.resolve()
    if place.parent.name == "snapshots" and place.parent.parent.name.startswith("models--"):
        return place.parent.parent.name.rsplit("--", 1)[-1]
    return place.name


def lora_of(adapter: Checkpoint) -> LoraAdapter:
    """The adapter in a folder. Raises UserError where it holds a whole model instead."""
    if not adapter.is_adapter:
        raise UserError(
            "The adapter's folder holds no adapter.",
            "Choose the folder with adapter_config.json and adapter_model.safetensors.",
            kind="no-adapter",
            bad_input=True,
        )
    return adapter.adapter


def fingerprints(paths: Iterable[Path]) -> list[tuple[str, int, int]]:
    """Name, size and time of change of each file; of a file that has gone, zeros."""
    found = []
    for path in paths:
        try:
            status = os.stat(path)
        except OSError:
            found.append((path.name, 0, 0))
            continue
        found.append((path.name, status.st_size, status.st_mtime_ns))
    return found


def digest_of(parts: Sequence[str]) -> str:
    """One hash of several texts."""
    return hashlib.sha256(json.dumps(list(parts)).encode()).hexdigest()


def checkpoint_files(checkpoint: Checkpoint) -> list[Path]:
    """The files of a checkpoint that are on this computer."""
    names = ("config.json", "adapter_config.json", *checkpoint.tokenizer_files, *checkpoint.shards)
    return [checkpoint.folder / name for name in names if (checkpoint.folder / name).exists()]


def described(source: Source) -> str:
    """What the source is, in two short sentences for a person."""
    kind = "a chat model" if source.has_chat_template else "an adapter" if source.kind == "lora" else "a model"
    return f"{source.title}, {kind} with {count_text(source.parameters)} weights. {source.sentence}"
