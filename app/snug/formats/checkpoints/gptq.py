"""GPTQ: weights rounded with error feedback, packed down the inputs, with a scale and a zero point for each group.

Layout, from AutoGPTQ (`nn_modules/qlinear/qlinear_cuda.py`) and GPTQModel (format names in `quantization/config.py`):
`qweight` I32 (inputs * bits / 32, outputs), `qzeros` I32 (groups, outputs * bits / 32), `scales` (groups, outputs),
`g_idx` I32 (inputs) the group of each input. weight[o, i] = scales[g, o] * (q[i, o] - z[g, o]) with g = g_idx[i];
in format "gptq" (v1) the stored zero point is one less than z, in "gptq_v2" it is z. GPTQModel takes the ones off and
puts them back in whole words (`convert_gptq_v1_to_v2_format` in `utils/model.py`), so a z of 0 borrows from the next.
Paper: arXiv:2210.17323.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from snug.core.errors import UserError
from snug.formats.checkpoints.bit_strings import unpack_columns, unpack_rows, words_needed
from snug.formats.checkpoints.checkpoint_format import (
    CheckpointFormat,
    Config,
    Weight,
    method,
    quantisation,
    with_ending,
)
from snug.formats.checkpoints.errors import bad_checkpoint, not_supported
from snug.formats.checkpoints.json_text import text, whole
from snug.formats.checkpoints.number_types import Array, Floats, to_float32
from snug.formats.checkpoints.tensor_files import TensorFiles

BITS = (2, 3, 4, 8)


class GptqWeight:
    """One linear layer; `zero_offset` is 1 in format v1 and 0 in v2."""

    def __init__(self, files: TensorFiles, layer: str, group_size: int | None, zero_offset: int) -> None:
        self._files = files
        self._layer = layer
        self._zero_offset = zero_offset
        infos = [files.info(f"{layer}.{part}") for part in ("qweight", "qzeros", "scales")]
        if any(len(info.shape) != 2 or not all(info.shape) for info in infos):
            raise _disagree(layer, "not all parts have two axes")
        weight, zeros, scales = infos
        if weight.kind.name != "I32" or zeros.kind.name != "I32" or not scales.kind.is_float:
            raise _disagree(layer, f"types {weight.kind.name}, {zeros.kind.name}, {scales.kind.name}")
        groups, outputs = scales.shape
        self._bits = zeros.shape[1] * 32 // outputs
        is_whole = zeros.shape[0] == groups and zeros.shape[1] * 32 == outputs * self._bits
        if self._bits not in BITS or not is_whole or weight.shape[1] != outputs:
            raise _disagree(layer, f"qweight {weight.shape}, qzeros {zeros.shape}, scales {scales.shape}")
        if weight.shape[0] * 32 % self._bits:
            raise _disagree(layer, f"qweight {weight.shape} with {self._bits} bits")
        self.shape: tuple[int, ...] = (outputs, weight.shape[0] * 32 // self._bits)
        self.parts: tuple[str, ...] = tuple(info.name for info in infos)
        self._groups = groups
        self._group_size = -1 if group_size is None else group_size
        self._check_groups()

    def _check_groups(self) -> None:
        """Raises UserError unless the groups cover the inputs; without `g_idx` they follow each other in equal size."""
        inputs, groups, name = self.shape[1], self._groups, f"{self._layer}.g_idx"
        if name in self._files:
            info = self._files.info(name)
            self.parts = (*self.parts, name)
            if info.kind.name not in ("I32", "I64") or info.shape != (inputs,):
                raise _disagree(self._layer, f"g_idx {info.kind.name} {info.shape} for {inputs} inputs")
            return
        if self._group_size == -1:
            self._group_size = -(-inputs // groups)
        if self._group_size < 1 or -(-inputs // self._group_size) != groups:
            raise _disagree(self._layer, f"{groups} groups of {self._group_size} for {inputs} inputs")

    def _group_of(self) -> Array:
        """The group of each input."""
        name = f"{self._layer}.g_idx"
        if name not in self._files:
            return np.arange(self.shape[1]) // self._group_size
        group_of = self._files.stored(name)
        if int(group_of.min()) < 0 or int(group_of.max()) >= self._groups:
            raise _disagree(self._layer, f"g_idx names group {group_of.max()} of {self._groups}")
        return group_of

    def rows(self, first: int, last: int) -> Floats:
        words = self._files.stored_columns(f"{self._layer}.qweight", first, last)
        values = unpack_rows(words, self._bits, self.shape[1])
        zeros = self._zeros(first, last)
        name = f"{self._layer}.scales"
        scales = to_float32(self._files.stored_columns(name, first, last), self._files.info(name).kind)
        group_of = self._group_of()
        weight = values.astype(np.float32)
        weight -= zeros[group_of]
        weight *= scales[group_of]
        return np.ascontiguousarray(weight.T)

    def _zeros(self, first: int, last: int) -> Floats:
        """The zero points of outputs `first` to `last`; 32 of them begin at a whole word whatever their bits."""
        base = first // 32 * 32
        words = self._files.stored_columns(
            f"{self._layer}.qzeros", base * self._bits // 32, words_needed(last, self._bits)
        )
        if self._zero_offset and 32 % self._bits == 0:
            words = words.view(np.uint32) + np.uint32(0xFFFFFFFF // (2**self._bits - 1))  # one for each number
        zeros = unpack_columns(words, self._bits, last - base)[:, first - base :]
        if self._zero_offset and 32 % self._bits:
            zeros = (zeros + 1) % 2**self._bits
        return zeros.astype(np.float32)


def _disagree(layer: str, details: str) -> UserError:
    return bad_checkpoint(f"the parts of {layer[:120]} disagree", details)


class Gptq(CheckpointFormat):
    """GPTQ of 2, 3, 4 or 8 bits, with or without act-order, of both versions of zero points."""

    key = "gptq"
    sentence = "Weights of 2 to 8 bits, made with GPTQ."

    def __init__(self, files: TensorFiles, config: Config) -> None:
        super().__init__(files, config)
        settings = quantisation(config)
        layout = text(settings, "checkpoint_format", "gptq")
        if settings.get("is_marlin_format") is True:
            layout = "marlin"
        if layout not in ("gptq", "gptq_v2"):
            raise not_supported(
                f"This GPTQ model is packed for one kind of graphics card ({layout[:40]})",
                "Choose the usual GPTQ version of the same model, or its original weights.",
            )
        self._group_size = whole(settings, "group_size")
        self._zero_offset = 1 if layout == "gptq" else 0

    @classmethod
    def recognises(cls, config: Config, tensor_names: Collection[str]) -> bool:
        if method(config):
            return method(config) == "gptq"
        return "bits" in quantisation(config) and any(name.endswith(".qzeros") for name in tensor_names)

    def packed_weights(self) -> Iterable[tuple[str, Weight]]:
        for layer in with_ending(self.files.tensors, ".qweight"):
            yield f"{layer}.weight", GptqWeight(self.files, layer, self._group_size, self._zero_offset)
