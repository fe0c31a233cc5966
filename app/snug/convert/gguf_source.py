"""A GGUF as the source of another one: its metadata carried over, its weights read back by rows."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snug.convert.mixes import may_quantise
from snug.convert.plan import Meta, OutputTensor
from snug.convert.quantize import TYPES as WRITTEN
from snug.convert.source import Source
from snug.core.errors import UserError
from snug.formats.byte_source import FileSource
from snug.formats.checkpoints.gguf_blocks import BLOCKS
from snug.formats.checkpoints.gguf_weights import PLAIN, GgufWeights
from snug.formats.checkpoints.safetensors_header import read_exact
from snug.formats.folder_walk import display_name, parts_of
from snug.formats.gguf_entries import read_entries
from snug.formats.gguf_facts import facts_from_headers, not_a_chat_model
from snug.formats.gguf_header import GgufHeader, TensorInfo, read_header
from snug.formats.gguf_writer import encode_value

_LEFT_OUT = ("general.alignment", "general.quantization_version")
_LEFT_OUT_PREFIXES = ("split.", "quantize.imatrix.")
_FINE = ("F32", "F16", "BF16", "Q8_0")


class GgufSource(Source):
    """The GGUF at `path`, of a split one all parts."""

    kind = "gguf"

    def __init__(self, path: Path) -> None:
        try:
            self._paths = parts_of(path)
        except FileNotFoundError as missing:
            raise UserError(
                f"A part of this model is missing: {missing}.",
                "Put all parts of the model into the same folder.",
                kind="missing-part",
                bad_input=True,
            ) from missing
        super().__init__(self._paths)
        self._opened: list[FileSource] = []
        try:
            self._open()
        except BaseException:  # whatever it was, the files are not left open
            self.close()
            raise

    def _open(self) -> None:
        headers: list[GgufHeader] = []
        tensors: list[OutputTensor] = []
        for path in self._paths:
            source = FileSource(path)
            self._opened.append(source)
            headers.append(read_header(source))
            weights = GgufWeights(headers[-1], source)
            architecture = headers[0].text("general.architecture")
            tensors += [_tensor(info, weights, headers[-1], source, architecture) for info in headers[-1].tensors]
        self._header = headers[0]
        self._entries = read_entries(self._opened[0])
        self.facts = facts_from_headers(headers, sum(size for _, size, _ in self._seen), display_name(self._paths[0]))
        problem = not_a_chat_model(self.facts)
        if problem is not None and self.facts.kind not in ("model", "embedding"):
            raise problem
        self.title = self._header.text("general.name") or display_name(self._paths[0])
        self.tensors = tuple(tensors)
        self.metadata: tuple[Meta, ...] = ()
        self.stored_bytes = sum(info.size_bytes for header in headers for info in header.tensors)
        quantised = {tensor.stored_type for tensor in tensors if len(tensor.shape) > 1} - set(_FINE)
        self.loses_bits = bool(quantised)
        self.sentence = "A finished model file."
        self.details = (f"The original is a GGUF file of the type {self.facts.file_type or 'unknown'}.",)

    @property
    def values(self) -> Mapping[str, Any]:
        return self._header.values

    @property
    def has_chat_template(self) -> bool:
        return any(key == "tokenizer.chat_template" for key, _ in self._entries)

    def entries(self, file_type: int, quantisation_version: int) -> list[tuple[str, bytes]]:
        own = struct.pack("<II", 4, file_type)
        kept = [
            (key, own if key == "general.file_type" else value)
            for key, value in self._entries
            if key not in _LEFT_OUT and not key.startswith(_LEFT_OUT_PREFIXES)
        ]
        if not any(key == "general.file_type" for key, _ in kept):
            kept.append(("general.file_type", own))
        return [*kept, ("general.quantization_version", encode_value("u32", quantisation_version))]

    def check_types(self, types: Mapping[str, str]) -> None:
        for tensor in self.tensors:
            stored, target = tensor.stored_type, types[tensor.name]
            if target != stored and (target not in WRITTEN or (stored not in PLAIN and stored not in BLOCKS)):
                raise UserError(
                    f"This file's weights ({stored}) have too few bits left to make another file from.",
                    "Choose the same model with 4 bits or more, or its original weights.",
                    kind="not-supported",
                    details=tensor.name,
                    bad_input=True,
                )

    def close(self) -> None:
        for source in self._opened:
            source.close()


def _tensor(
    info: TensorInfo, weights: GgufWeights, header: GgufHeader, source: FileSource, architecture: str
) -> OutputTensor:
    shape, kind = weights.shape(info.name), info.kind
    row = shape[-1] // kind.block * kind.bytes
    start = header.data_offset + info.offset

    def read_stored(first: int, last: int) -> bytes:
        return read_exact(source, start + first * row, (last - first) * row, "it")

    return OutputTensor(
        name=info.name,
        shape=shape,
        read_rows=lambda first, last: weights.read_rows(info.name, first, last),
        sources=(info.name,),
        fixed_type=None if may_quantise(info.name, shape, architecture) else kind.name,
        stored_type=kind.name,
        read_stored=read_stored,
    )
