"""What a conversion will write: the metadata and the tensors, each of which reads its own rows when asked."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from snug.formats.checkpoints.number_types import Floats

ReadRows = Callable[[int, int], Floats]


@dataclass(frozen=True, slots=True)
class Meta:
    """One entry of a GGUF's metadata. `kind`: "u32", "i32", "u64", "f32", "bool", "str", or "[" and one of them."""

    key: str
    kind: str
    value: object


@dataclass(frozen=True, slots=True)
class OutputTensor:
    """One tensor of the result.

    `shape` is in numpy's order: the row length last. `read_rows(first, last)` gives these rows as float32 of shape
    (last - first, columns), all axes but the last counted as rows. `sources` are the checkpoint's tensors that it is
    made of. `fixed_type` is the type that llama.cpp's converter gives it whatever the rest gets ("F32" for norms,
    biases, routers …), None where it may be quantised. `stored_type` is what the source stores ("BF16", "gptq" …).
    `read_stored(first, last)`, where there is one, gives the bytes of these rows in `fixed_type` exactly as the source
    holds them, so that weights that are quantised already are not rounded again.
    """

    name: str
    shape: tuple[int, ...]
    read_rows: ReadRows
    sources: tuple[str, ...]
    fixed_type: str | None = None
    stored_type: str = "F16"
    read_stored: Callable[[int, int], bytes] | None = None

    @property
    def rows(self) -> int:
        return math.prod(self.shape[:-1])

    @property
    def columns(self) -> int:
        return self.shape[-1] if self.shape else 1

    def is_copied_as(self, type_name: str) -> bool:
        """Whether the source's own bytes are what is written of it in this type."""
        return self.read_stored is not None and type_name == (self.fixed_type or self.stored_type)


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """A model as it will be written. Its metadata are the general.* and hyper-parameter entries; not among them are the
    tokenizer's, `general.file_type` and `general.quantization_version`, which the writer knows. `notes` are sentences
    for the person, such as that pictures are left out."""

    architecture: str
    metadata: tuple[Meta, ...]
    tensors: tuple[OutputTensor, ...]
    notes: tuple[str, ...] = ()
