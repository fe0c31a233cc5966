"""bitsandbytes: NF4, FP4 and LLM.int8().

4 bits, from bitsandbytes (`functional.py`: QuantState, dequantize_4bit; QLoRA, arXiv:2305.14314): `X.weight` holds the
codes of the weight's elements in their flat order, two in a byte, the upper half first. Beside it lie
`X.weight.absmax`, a scale for each block (of 64) of the flat order; `X.weight.quant_map`, the 16 values; and
`X.weight.quant_state.bitsandbytes__nf4` (or fp4), JSON with the shape and the block's size. With double quantisation
absmax is U8 and the scale is nested_quant_map[absmax] * nested_absmax[block / nested_blocksize] + nested_offset.

8 bits, from `nn/modules.py` (Linear8bitLt; LLM.int8(), arXiv:2208.07339): `X.weight` I8 (outputs, inputs) and `X.SCB`
F32 (outputs); weight = number * SCB / 127. `X.weight_format` 0 says that rows are stored as they are.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from snug.core.errors import UserError
from snug.formats.checkpoints.checkpoint_format import CheckpointFormat, Config, Weight, method, row_count, with_ending
from snug.formats.checkpoints.errors import bad_checkpoint, not_supported
from snug.formats.checkpoints.json_text import parse_object, whole
from snug.formats.checkpoints.number_types import Floats
from snug.formats.checkpoints.scaled_weight import ScaledWeight
from snug.formats.checkpoints.tensor_files import TensorFiles

STATE = ".quant_state.bitsandbytes__"
KINDS = ("nf4", "fp4")
MOST_STATE_BYTES = 4096


class FourBitWeight:
    """One weight of NF4 or FP4; `name` is that of the weight, `kind` one of KINDS."""

    def __init__(self, files: TensorFiles, name: str, kind: str) -> None:
        self._files = files
        self._name = name
        state = f"{name}{STATE}{kind}"
        if files.info(state).size_bytes > MOST_STATE_BYTES:
            raise _disagree(name, "its description is impossibly long")
        settings = parse_object(files.stored_bytes(state).tobytes(), f"the description of {name[:120]}")
        self.shape = _shape(settings.get("shape"), name)
        self._block = whole(settings, "blocksize", 64) or 0
        self._nested_block = whole(settings, "nested_blocksize", 256) or 0
        offset = settings.get("nested_offset", 0.0)
        if not isinstance(offset, int | float) or not math.isfinite(offset):
            raise _disagree(name, f"nested_offset {offset!r}")
        self._nested_offset = np.float32(offset)
        self._is_nested = f"{name}.nested_absmax" in files
        parts = ["", ".absmax", ".quant_map"] + [".nested_absmax", ".nested_quant_map"] * self._is_nested
        self.parts = (*(name + part for part in parts), state)
        self._check_sizes()

    def _check_sizes(self) -> None:
        elements = math.prod(self.shape)
        if self._block < 1 or self._nested_block < 1 or self._files.info(self._name).size_bytes != -(-elements // 2):
            raise _disagree(self._name, f"{self._files.info(self._name).size_bytes} bytes for {self.shape}")
        blocks = -(-elements // self._block)
        wanted = {".absmax": (blocks, "U8" if self._is_nested else "F32"), ".quant_map": (16, "F32")}
        if self._is_nested:
            wanted |= {".nested_absmax": (-(-blocks // self._nested_block), "F32"), ".nested_quant_map": (256, "F32")}
        for part, (count, kind) in wanted.items():
            info = self._files.info(self._name + part)
            if math.prod(info.shape) != count or info.kind.name != kind:
                raise _disagree(self._name, f"{part[1:]} {info.kind.name} {info.shape}, not {kind} ({count})")

    def rows(self, first: int, last: int) -> Floats:
        columns = self.shape[-1]
        start, end = first * columns, last * columns
        packed = self._files.stored_bytes(self._name, start // 2, -(-end // 2))
        codes = np.empty((len(packed), 2), np.uint8)
        codes[:, 0], codes[:, 1] = packed >> 4, packed & 15
        values = self._files.floats(f"{self._name}.quant_map").reshape(-1)
        weight = values[codes.reshape(-1)[start % 2 : start % 2 + end - start]]
        base = start // self._block
        scales = np.repeat(self._scales(base, -(-end // self._block)), self._block)
        weight *= scales[start - base * self._block :][: end - start]
        return weight.reshape(last - first, columns)

    def _scales(self, first: int, last: int) -> Floats:
        """The scales of blocks `first` to `last`."""
        stored = self._files.stored_span(f"{self._name}.absmax", first, last)
        if not self._is_nested:
            return stored.astype(np.float32)
        base = first // self._nested_block
        outer = self._files.stored_span(f"{self._name}.nested_absmax", base, -(-last // self._nested_block))
        spread = np.repeat(outer, self._nested_block)[first - base * self._nested_block :][: last - first]
        values = self._files.floats(f"{self._name}.nested_quant_map").reshape(-1)
        nested: Floats = values[stored] * spread + self._nested_offset
        return nested


def _shape(value: Any, name: str) -> tuple[int, ...]:
    is_shape = isinstance(value, list) and value and all(type(size) is int and 0 < size < 2**40 for size in value)
    if not is_shape or len(value) > 8 or math.prod(value) > 2**50:
        raise _disagree(name, f"shape {repr(value)[:80]}")
    return tuple(value)


def _disagree(name: str, details: str) -> UserError:
    return bad_checkpoint(f"the parts of {name[:120]} disagree", details)


class EightBitWeight(ScaledWeight):
    """One linear layer of LLM.int8()."""

    def __init__(self, files: TensorFiles, layer: str) -> None:
        super().__init__(files, f"{layer}.weight", f"{layer}.SCB")
        if files.info(f"{layer}.weight").kind.name != "I8" or math.prod(files.info(f"{layer}.SCB").shape) != row_count(
            self.shape
        ):
            raise _disagree(layer, f"{files.info(f'{layer}.weight').kind.name}, SCB {files.info(f'{layer}.SCB').shape}")
        name = f"{layer}.weight_format"
        if name in files and files.stored_bytes(name).any():
            raise not_supported(
                "This model's 8-bit weights are ordered for one kind of graphics card",
                "Choose its original weights, or save it again with a newer bitsandbytes.",
            )

    def rows(self, first: int, last: int) -> Floats:
        return super().rows(first, last) / np.float32(127)


class BitsAndBytes(CheckpointFormat):
    """QLoRA's 4 bits, with or without double quantisation, and LLM.int8()."""

    key = "bitsandbytes"
    sentence = "Weights of 4 or 8 bits, made with bitsandbytes."
    ignored = (".weight_format",)

    @classmethod
    def recognises(cls, config: Config, tensor_names: Collection[str]) -> bool:
        return method(config) == "bitsandbytes" or any(STATE in name for name in tensor_names)

    def packed_weights(self) -> Iterable[tuple[str, Weight]]:
        yield from _four_bit_weights(self.files)
        for layer in with_ending(self.files.tensors, ".SCB"):
            yield f"{layer}.weight", EightBitWeight(self.files, layer)


def _four_bit_weights(files: TensorFiles) -> Iterable[tuple[str, Weight]]:
    names: Mapping[str, Any] = files.tensors
    for kind in KINDS:
        for name in with_ending(names, f"{STATE}{kind}"):
            yield name, FourBitWeight(files, name, kind)
