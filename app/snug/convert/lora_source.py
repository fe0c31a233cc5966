"""A LoRA adapter as the source of an adapter file (GGUF), which the engine adds to a model when it is loaded."""

from __future__ import annotations

from snug.convert.architectures import find_architecture
from snug.convert.architectures.adapters import plan_adapter
from snug.convert.plan import Meta
from snug.convert.source import Source, checkpoint_files, folder_title, lora_of
from snug.formats.checkpoints.checkpoint import Checkpoint
from snug.formats.checkpoints.lora import LoraAdapter
from snug.formats.gguf_writer import encode_value


class LoraSource(Source):
    """The adapter in one folder, for the model whose config.json is in another."""

    kind = "lora"
    sentence = LoraAdapter.sentence
    loses_bits = False
    offered = ("F32",)

    def __init__(self, adapter: Checkpoint, base: Checkpoint, title: str = "") -> None:
        super().__init__([*checkpoint_files(adapter), base.folder / "config.json"])
        self._checkpoints = (adapter, base)
        self.title = title or folder_title(adapter.folder)
        plan = plan_adapter(find_architecture(base.config), lora_of(adapter), base.config, self.title)
        self.tensors, self.metadata = plan.tensors, plan.metadata
        self.notes = (*plan.notes, "An adapter keeps its full precision, whatever type is asked for.")
        self.stored_bytes = sum(tensor.size_bytes for tensor in adapter.files.tensors.values())

    def entries(self, file_type: int, quantisation_version: int) -> list[tuple[str, bytes]]:
        own = (
            Meta("general.file_type", "u32", file_type),
            Meta("general.quantization_version", "u32", quantisation_version),
        )
        return [(meta.key, encode_value(meta.kind, meta.value)) for meta in (*self.metadata, *own)]

    def close(self) -> None:
        for checkpoint in self._checkpoints:
            checkpoint.close()
