"""compressed-tensors, as LLM Compressor writes it, and NVIDIA's NVFP4.

Layouts, from vllm-project/compressed-tensors (`compressors/pack_quantized`, `naive_quantized`, `nvfp4`, `mxfp4`;
`quantization/lifecycle/forward.py`):
- pack-quantized: `weight_packed` I32 (outputs, words) numbers of 1 to 8 bits, stored plus 2^(bits-1), `weight_shape`,
  `weight_scale` (outputs, groups), for asymmetric ones `weight_zero_point` packed likewise down the outputs, and in
  older files `weight_g_idx` I32 (inputs); weight = (number - zero point) * scale;
- int-quantized (W8A8), float-quantized (FP8), naive-quantized: `weight` I8 or F8, `weight_scale`,
  `weight_zero_point`; per tensor, output, group or block;
- nvfp4-pack-quantized, mxfp4-pack-quantized: see `float4`. ModelOpt's NVFP4 differs in names and in its factor.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

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
from snug.formats.checkpoints.float4 import Float4Weight
from snug.formats.checkpoints.json_text import table, text
from snug.formats.checkpoints.number_types import Array, Floats, to_float32
from snug.formats.checkpoints.scaled_weight import Block, ScaledWeight, ScaleGrid
from snug.formats.checkpoints.tensor_files import TensorFiles

READ_FORMATS = ("pack-quantized", "int-quantized", "float-quantized", "naive-quantized", "nvfp4-pack-quantized",
                "mxfp4-pack-quantized", "mixed-precision", "dense")  # fmt: skip


class PackedWeight:
    """One linear layer of pack-quantized; `name` is that of its weight."""

    def __init__(self, files: TensorFiles, name: str) -> None:
        self._files = files
        self._name = name
        self.shape = self._stored_shape()
        outputs, inputs = self.shape
        words = files.info(f"{name}_packed").shape
        self.parts: tuple[str, ...] = tuple(f"{name}_{part}" for part in ("packed", "scale", "shape"))
        if len(words) != 2 or words[0] != outputs or files.info(f"{name}_packed").kind.name != "I32":
            raise self._disagree()
        fitting = [
            (bits, padded)
            for bits in range(1, 9)
            for padded in (False, True)
            if words_needed(inputs, bits, padded=padded) == words[1]
        ]
        self._fitting = fitting
        self._groups = self._group_count()
        self._optional("zero_point")
        self._optional("g_idx")

    def choose_bits(self, declared: Collection[object]) -> None:
        """Settles the bits: the one width that the config declares and that fits. Raises UserError where none does."""
        fitting = [pair for pair in self._fitting if pair[0] in declared]
        if len({bits for bits, _ in fitting}) != 1:
            raise self._disagree(f"bits {declared}")
        self._bits, self._padded = fitting[0]
        name = f"{self._name}_zero_point"
        if name in self.parts:
            info = self._files.info(name)
            wanted = (words_needed(self.shape[0], self._bits, padded=self._padded), self._groups)
            if info.kind.name != "I32" or info.shape != wanted:
                raise self._disagree(f"zero points {info.kind.name} {info.shape}")

    def rows(self, first: int, last: int) -> Floats:
        outputs, inputs = last - first, self.shape[1]
        words = self._files.stored(f"{self._name}_packed", first, last)
        weight = unpack_columns(words, self._bits, inputs, padded=self._padded).astype(np.float32)
        weight -= 2 ** (self._bits - 1)
        grid = ScaleGrid(self._files, f"{self._name}_scale", self.shape, None)
        group_of = self._group_of()
        zeros = self._zeros(first, last)
        if group_of is None:
            scales = grid.rows(first, last)
            return (weight - _spread(zeros, inputs) if zeros is not None else weight) * scales
        info = self._files.info(f"{self._name}_scale")
        span = self._files.stored_span(info.name, first * self._groups, last * self._groups)
        scales = to_float32(span, info.kind).reshape(outputs, self._groups)
        if zeros is not None:
            weight -= zeros[:, group_of]
        return weight * scales[:, group_of]

    def _zeros(self, first: int, last: int) -> Floats | None:
        """The zero points of outputs `first` to `last`, (outputs, groups)."""
        name = f"{self._name}_zero_point"
        if name not in self.parts:
            return None
        if self._padded:
            start, base = 0, 0
        else:
            base = first // 32 * 32
            start = base * self._bits // 32
        words = self._files.stored(name, start, words_needed(last, self._bits, padded=self._padded))
        values = unpack_rows(words, self._bits, last - base, padded=self._padded)[first - base :]
        zeros: Floats = values.astype(np.float32) - 2 ** (self._bits - 1)
        return zeros

    def _group_of(self) -> Array | None:
        name = f"{self._name}_g_idx"
        if name not in self.parts:
            return None
        group_of = self._files.stored(name)
        if int(group_of.max()) < 0:
            return None  # -1 throughout: the maker left the order as it was
        if int(group_of.min()) < 0 or int(group_of.max()) >= self._groups:
            raise self._disagree("g_idx names a group that is not there")
        return group_of

    def _group_count(self) -> int:
        info = self._files.info(f"{self._name}_scale")
        ScaleGrid(self._files, info.name, self.shape, None)
        return info.shape[1] if len(info.shape) == 2 else 1

    def _optional(self, part: str) -> None:
        name = f"{self._name}_{part}"
        if name in self._files:
            self.parts = (*self.parts, name)
            info = self._files.info(name)
            if part == "g_idx" and (info.shape != (self.shape[1],) or info.kind.name not in ("I32", "I64")):
                raise self._disagree(f"g_idx {info.kind.name} {info.shape}")

    def _stored_shape(self) -> tuple[int, ...]:
        info = self._files.info(f"{self._name}_shape")
        if info.shape != (2,) or info.kind.name not in ("I32", "I64"):
            raise not_supported(
                "This model's layers are packed in more than two dimensions",
                "Choose its original weights, or another quantisation.",
                f"{info.name} {info.shape}",
            )
        shape = tuple(int(size) for size in self._files.stored(info.name))
        if not all(0 < size < 2**40 for size in shape):
            raise self._disagree(f"shape {shape}")
        return shape

    def _disagree(self, details: str = "") -> UserError:
        packed = self._files.info(f"{self._name}_packed")
        return bad_checkpoint(f"the parts of {self._name[:120]} disagree", f"packed {packed.shape}; {details}")


def _spread(values: Floats, columns: int) -> Floats:
    return values if values.shape[1] in (1, columns) else np.repeat(values, columns // values.shape[1], axis=1)


class CompressedTensors(CheckpointFormat):
    """What LLM Compressor writes, mixed precision too."""

    key = "compressed-tensors"
    sentence = "Weights of 4 to 8 bits, made with LLM Compressor."
    ignored = (".input_scale", ".input_zero_point", ".input_global_scale", ".output_scale", ".output_zero_point",
               ".k_scale", ".v_scale", ".q_scale", ".k_zero_point", ".v_zero_point", ".weight_zero_point",
               ".weight_shape", ".weight_g_idx", ".weight_global_scale")  # fmt: skip

    def __init__(self, files: TensorFiles, config: Config) -> None:
        super().__init__(files, config)
        settings = quantisation(config)
        groups = [group for group in table(settings, "config_groups").values() if isinstance(group, dict)]
        names = [text(settings, "format", "dense"), *(text(group, "format", "dense") for group in groups)]
        strange = [name for name in names if name not in READ_FORMATS]
        if strange or table(settings, "sparsity_config").get("format", "dense") not in ("dense", None):
            kind = strange[0] if strange else str(table(settings, "sparsity_config").get("format"))
            raise not_supported(
                f"This model is packed in a way that Snug does not read yet ({kind[:40]})",
                "Choose its original weights, or another quantisation of it.",
            )
        self._weights = [table(group, "weights") for group in groups]

    @classmethod
    def recognises(cls, config: Config, tensor_names: Collection[str]) -> bool:
        return method(config) in ("compressed-tensors", "sparseml") or "compression_config" in config

    def packed_weights(self) -> Iterable[tuple[str, Weight]]:
        declared = [group.get("num_bits") for group in self._weights if group.get("type", "int") == "int"]
        for name in with_ending(self.files.tensors, ".weight_packed"):
            weight = f"{name}.weight"
            if self.files.info(f"{weight}_packed").kind.name == "U8":
                yield weight, self._float4(weight)
            else:
                packed = PackedWeight(self.files, weight)
                packed.choose_bits(declared)
                yield weight, packed
        yield from self._scaled_weights()

    def _float4(self, weight: str) -> Weight:
        common = f"{weight}_global_scale"
        return Float4Weight(
            self.files, f"{weight}_packed", f"{weight}_scale", (common, True) if common in self.files else None
        )

    def _scaled_weights(self) -> Iterator[tuple[str, Weight]]:
        blocks = [_block(group.get("block_structure")) for group in self._weights]
        block = next((size for size in blocks if size), None)
        for layer in with_ending(self.files.tensors, ".weight_scale"):
            weight = f"{layer}.weight"
            if weight in self.files:
                zeros = f"{weight}_zero_point"
                yield (
                    weight,
                    ScaledWeight(
                        self.files, weight, f"{weight}_scale", zeros=zeros if zeros in self.files else None, block=block
                    ),
                )


def _block(value: object) -> Block | None:
    if isinstance(value, list) and len(value) == 2 and all(type(side) is int and side > 0 for side in value):
        return value[0], value[1]
    return None


class ModelOptFloat4(CheckpointFormat):
    """NVFP4 as NVIDIA's ModelOpt writes it, FP8 layers among them too.

    Layout, from TensorRT-Model-Optimizer: `weight` U8 (outputs, inputs / 2), `weight_scale` F8_E4M3 (outputs,
    inputs / 16), `weight_scale_2` F32 that multiplies.
    """

    key = "modelopt-nvfp4"
    sentence = "Weights of 4 bits (NVFP4), made by NVIDIA's tools."
    ignored = (".input_scale", ".k_scale", ".v_scale", ".weight_scale_2")

    @classmethod
    def recognises(cls, config: Config, tensor_names: Collection[str]) -> bool:
        return method(config) == "modelopt" and "NVFP4" in text(quantisation(config), "quant_algo").upper()

    def packed_weights(self) -> Iterable[tuple[str, Weight]]:
        for layer in with_ending(self.files.tensors, ".weight_scale"):
            weight = f"{layer}.weight"
            if weight not in self.files:
                continue
            if self.files.info(weight).kind.name == "U8":
                yield weight, Float4Weight(self.files, weight, f"{weight}_scale", (f"{weight}_scale_2", False))
            else:
                yield weight, ScaledWeight(self.files, weight, f"{weight}_scale")
