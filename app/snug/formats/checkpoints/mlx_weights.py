"""Weights as MLX quantises them: whole numbers with a scale and a bias for each group, or small floats with a scale.

Layouts, from ml-explore/mlx (`mlx.core.quantize`). All have `weight` U32 (..., outputs, inputs * bits / 32), numbers
one after the other along each row, lowest bits first, and `scales` (..., outputs, groups):
- affine: numbers of 1, 2, 3, 4, 5, 6 or 8 bits, and `biases` like the scales; weight = number * scale + bias;
- mxfp4 and mxfp8: E2M1 or E4M3, and scales of E8M0 for groups of 32;
- nvfp4: E2M1, and scales of E4M3 for groups of 16.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from snug.formats.checkpoints.bit_strings import unpack_columns, words_needed
from snug.formats.checkpoints.errors import bad_checkpoint
from snug.formats.checkpoints.json_text import text, whole
from snug.formats.checkpoints.number_types import E2M1, E4M3, E8M0, Floats, nibbles, to_float32
from snug.formats.checkpoints.tensor_files import TensorFiles

AFFINE_BITS = (1, 2, 3, 4, 5, 6, 8)
USUAL = {"affine": (64, 4), "mxfp4": (32, 4), "mxfp8": (32, 8), "nvfp4": (16, 4)}
"""Group size and bits of each mode where the settings do not say; the float modes have no others."""


@dataclass(frozen=True, slots=True)
class Packing:
    """How the numbers of a layer are packed: its mode, so many neighbours with one scale, so many bits each."""

    mode: str
    group: int
    bits: int


def packing(settings: Mapping[str, Any]) -> Packing:
    """The packing that settings of a model or of a layer ask for. Raises UserError for numbers that are none."""
    mode = text(settings, "mode", "affine")
    group, bits = USUAL.get(mode, (0, 0))
    return Packing(mode, whole(settings, "group_size", group) or 0, whole(settings, "bits", bits) or 0)


class MlxWeight:
    """One linear layer or embedding, or the experts of a layer in one tensor."""

    def __init__(self, files: TensorFiles, layer: str, packed: Packing) -> None:
        self._files = files
        self._packed = packed
        names = ("weight", "scales", "biases") if packed.mode == "affine" else ("weight", "scales")
        self.parts = tuple(f"{layer}.{part}" for part in names)
        self._kinds = tuple(files.info(name).kind for name in self.parts)
        shapes = [files.info(name).shape for name in self.parts]
        details = f"{packed}: " + ", ".join(
            f"{kind.name} {shape}" for kind, shape in zip(self._kinds, shapes, strict=True)
        )
        disagreement = bad_checkpoint(f"the parts of {layer[:120]} disagree", details)
        words, scales = shapes[:2]
        if len(scales) < 2 or not math.prod(scales) or any(shape != scales for shape in shapes[2:]):
            raise disagreement
        if packed.mode == "affine":
            is_possible = packed.bits in AFFINE_BITS and packed.group > 0
            is_possible = is_possible and all(kind.is_float for kind in self._kinds[1:])
        else:
            is_possible = (packed.group, packed.bits) == USUAL[packed.mode] and self._kinds[1].name == "U8"
        self.shape = (*scales[:-1], scales[-1] * packed.group)
        if self._kinds[0].name != "U32" or not is_possible:
            raise disagreement
        if words != (*scales[:-1], words_needed(self.shape[-1], packed.bits)):
            raise disagreement

    @property
    def is_mxfp4(self) -> bool:
        """Whether its bytes are those of MXFP4 as other checkpoints have it."""
        return self._packed.mode == "mxfp4"

    def rows(self, first: int, last: int) -> Floats:
        columns = self.shape[-1]
        groups = columns // self._packed.group
        count = words_needed(columns, self._packed.bits)
        words = self._files.stored_span(self.parts[0], first * count, last * count).reshape(last - first, count)
        spans = [self._files.stored_span(name, first * groups, last * groups) for name in self.parts[1:]]
        if self._packed.mode == "affine":
            scales, biases = (to_float32(span, kind) for span, kind in zip(spans, self._kinds[1:], strict=True))
            weight = unpack_columns(words, self._packed.bits, columns).astype(np.float32)
            weight = weight.reshape(-1, groups, self._packed.group)
            weight *= scales.reshape(-1, groups, 1)
            weight += biases.reshape(-1, groups, 1)
            return weight.reshape(last - first, columns)
        codes = np.ascontiguousarray(words).view(np.uint8)
        weight = E2M1[nibbles(codes)] if self._packed.bits == 4 else E4M3[codes]
        scales = (E4M3 if self._packed.mode == "nvfp4" else E8M0)[spans[0]]
        weight = weight.reshape(-1, groups, self._packed.group) * scales.reshape(-1, groups, 1)
        return weight.reshape(last - first, columns)
