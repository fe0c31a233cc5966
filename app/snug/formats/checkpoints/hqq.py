"""HQQ: half-quadratic quantisation, with scales and zero points of half precision.

Layout, from mobiusml/hqq (`core/quantize.py`, `core/bitpack.py`, `core/utils.py`: encode_safetensor_type): a weight of
shape `shape` is seen as rows of a matrix, (groups, group_size) for axis 1 and (group_size, groups) for axis 0, or as it
is where the group size is none. `W_q` holds that matrix with its rows packed: of k numbers in a word, the first k-th of
all rows lies in the uppermost bits, the last in the lowest. weight = (number - zero) * scale. Settings lie beside it as
tensors: whole numbers and flags as one number, texts as their bytes.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

import numpy as np

from snug.core.errors import UserError
from snug.formats.checkpoints.checkpoint_format import CheckpointFormat, Config, Weight, method, with_ending
from snug.formats.checkpoints.errors import bad_checkpoint, not_supported
from snug.formats.checkpoints.number_types import Floats
from snug.formats.checkpoints.tensor_files import TensorFiles

PACKINGS = {"8bit_u8": (8, 1, "u1"), "4bit_u8": (4, 2, "u1"), "3bit_32": (3, 10, "<i4"), "2bit_u8": (2, 4, "u1"),
            "1bit_u8": (1, 8, "u1")}  # fmt: skip
"""The bits of a number, the numbers in a word, and the word."""
SETTINGS = ("nbits", "group_size", "shape", "axis", "packing", "unpack_view_dtype", "view_as_float", "quant_scale",
            "quant_zero", "compute_dtype", "offload_meta", "encoded_state_dict", "stores_quant_config",
            "channel_wise", "optimize", "round_zero")  # fmt: skip
MOST_SETTING_BYTES = 256


class HqqWeight:
    """One linear layer."""

    def __init__(self, files: TensorFiles, layer: str) -> None:
        self._files = files
        self._layer = layer
        shape = self._numbers("shape")
        if len(shape) != 2 or not all(0 < size < 2**40 for size in shape):
            raise self._disagree(f"shape {shape}")
        self.shape = tuple(shape)
        if self._number("quant_scale") or self._number("quant_zero"):
            raise not_supported(
                "This HQQ model has its scales quantised too, which Snug does not read",
                "Choose its original weights, or another quantisation of it.",
            )
        packing = self._text("packing")
        if packing not in PACKINGS:
            raise self._disagree(f"packing {packing!r}")
        self._bits, self._share, self._word = PACKINGS[packing]
        elements, axis = math.prod(self.shape), self._number("axis")
        size = self._number("group_size") or self.shape[1 if axis else 0]
        if axis not in (0, 1) or size < 1 or elements % size:
            raise self._disagree(f"axis {axis}, groups of {size}")
        groups = elements // size
        self._rows, self._columns = (groups, size) if axis == 1 else (size, groups)
        self._scales_shape = (groups, 1) if axis == 1 else (1, groups)
        self._step = -(-self._rows // self._share)
        self._check_sizes()
        present = (f"{layer}.{setting}" for setting in SETTINGS)
        self.parts = (*(f"{layer}.{part}" for part in ("W_q", "scale", "zero")), *(n for n in present if n in files))

    def _check_sizes(self) -> None:
        stored = self._files.info(f"{self._layer}.W_q")
        if stored.size_bytes != self._step * self._columns * np.dtype(self._word).itemsize:
            raise self._disagree(f"W_q {stored.kind.name} {stored.shape}")
        for part in ("scale", "zero"):
            info = self._files.info(f"{self._layer}.{part}")
            count = math.prod(info.shape)
            if not info.kind.is_float or count not in (1, math.prod(self._scales_shape)):
                raise self._disagree(f"{part} {info.kind.name} {info.shape}")

    def rows(self, first: int, last: int) -> Floats:
        start, end = first * self.shape[1], last * self.shape[1]
        top, bottom = start // self._columns, -(-end // self._columns)
        weight = self._unpack(top, bottom).astype(np.float32)
        weight -= self._factors("zero", top, bottom)
        weight *= self._factors("scale", top, bottom)
        base = top * self._columns
        return weight.reshape(-1)[start - base : end - base].reshape(last - first, self.shape[1])

    def _unpack(self, top: int, bottom: int) -> np.ndarray:
        """Rows `top` to `bottom` of the matrix, from each of the parts of the words that they cross."""
        values = np.empty((bottom - top, self._columns), np.uint8)
        line_bytes = self._columns * np.dtype(self._word).itemsize
        for place in range(self._share):
            origin = place * self._step
            start, end = max(top, origin), min(bottom, origin + self._step)
            if start >= end:
                continue
            raw = self._files.stored_bytes(
                f"{self._layer}.W_q", (start - origin) * line_bytes, (end - origin) * line_bytes
            )
            words = raw.view(self._word).reshape(-1, self._columns)
            shift = self._bits * (self._share - 1 - place)
            values[start - top : end - top] = words >> shift & (2**self._bits - 1)
        return values

    def _factors(self, part: str, top: int, bottom: int) -> Floats:
        """The scales or zero points that belong to rows `top` to `bottom` of the matrix."""
        values = self._files.floats(f"{self._layer}.{part}")
        if values.size == 1:
            return values.reshape(1, 1)
        values = values.reshape(self._scales_shape)
        return values[top:bottom] if self._scales_shape[1] == 1 else values

    def _numbers(self, setting: str) -> list[int]:
        info = self._files.info(f"{self._layer}.{setting}")
        if info.size_bytes > MOST_SETTING_BYTES or info.kind.is_float:
            raise self._disagree(f"{setting} {info.kind.name} {info.shape}")
        return [int(value) for value in self._files.stored(info.name).reshape(-1)]

    def _number(self, setting: str) -> int:
        if f"{self._layer}.{setting}" not in self._files:
            return 0
        numbers = self._numbers(setting)
        if len(numbers) != 1:
            raise self._disagree(f"{setting} has {len(numbers)} values")
        return numbers[0]

    def _text(self, setting: str) -> str:
        return "".join(chr(code) for code in self._numbers(setting) if 32 <= code < 127)

    def _disagree(self, details: str) -> UserError:
        return bad_checkpoint(f"the parts of {self._layer[:120]} disagree", details)


class Hqq(CheckpointFormat):
    """HQQ of 1 to 8 bits, as transformers saves it to safetensors."""

    key = "hqq"
    sentence = "Weights of 1 to 8 bits, made with HQQ."

    @classmethod
    def recognises(cls, config: Config, tensor_names: Collection[str]) -> bool:
        return method(config) in ("hqq", "hqq-hf") or any(name.endswith(".W_q") for name in tensor_names)

    def packed_weights(self) -> Iterable[tuple[str, Weight]]:
        for layer in with_ending(self.files.tensors, ".W_q"):
            yield f"{layer}.weight", HqqWeight(self.files, layer)
