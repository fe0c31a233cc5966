"""AQLM: each group of weights is a sum of entries of learned codebooks.

Layout, from Vahe1994/AQLM (`inference_lib/src/aqlm/utils.py`, `inference.py`; arXiv:2401.06118): `codes` I8 or I16
(out_groups, in_groups, codebooks), to be read without sign; `codebooks` (codebooks, entries, out_group, in_group);
`scales` (out_groups, 1, 1, 1). weight = scale * sum over c of codebooks[c, codes[..., c]].
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np

from snug.formats.checkpoints.checkpoint_format import CheckpointFormat, Config, Weight, method, with_ending
from snug.formats.checkpoints.errors import bad_checkpoint
from snug.formats.checkpoints.number_types import Floats
from snug.formats.checkpoints.tensor_files import TensorFiles

MOST_ENTRIES = 65_536
MOST_GROUP = 1024
"""A group has 8 weights as a rule; without a limit a small file could claim any size."""


class AqlmWeight:
    """One linear layer."""

    def __init__(self, files: TensorFiles, layer: str) -> None:
        self._files = files
        self.parts = tuple(f"{layer}.{part}" for part in ("codes", "codebooks", "scales"))
        codes, books, scales = (files.info(name) for name in self.parts)
        details = f"codes {codes.kind.name} {codes.shape}, codebooks {books.shape}, scales {scales.shape}"
        disagreement = bad_checkpoint(f"the parts of {layer[:120]} disagree", details)
        if len(codes.shape) != 3 or len(books.shape) != 4 or not all(codes.shape + books.shape):
            raise disagreement
        out_groups, in_groups, count = codes.shape
        if books.shape[0] != count or scales.shape != (out_groups, 1, 1, 1) or not books.kind.is_float:
            raise disagreement
        if codes.kind.name not in ("I8", "U8", "I16", "U16") or not 1 < books.shape[1] <= MOST_ENTRIES:
            raise disagreement
        self._entries, self._out_group, self._in_group = books.shape[1:]
        if self._out_group * self._in_group > MOST_GROUP:
            raise disagreement
        self.shape = (out_groups * self._out_group, in_groups * self._in_group)

    def rows(self, first: int, last: int) -> Floats:
        start, end = first // self._out_group, -(-last // self._out_group)
        books = self._files.floats(self.parts[1])
        codes = self._files.stored(self.parts[0], start, end).astype(np.int32) % self._modulus()
        if codes.size and int(codes.max()) >= self._entries:
            raise bad_checkpoint(f"{self.parts[0][:120]} names entries that are not there")
        weight = np.zeros((*codes.shape[:2], self._out_group, self._in_group), np.float32)
        for number, book in enumerate(books):
            weight += book[codes[:, :, number]]
        weight *= self._files.floats(self.parts[2], start, end)
        whole = weight.swapaxes(1, 2).reshape(-1, self.shape[1])
        return whole[first - start * self._out_group : last - start * self._out_group]

    def _modulus(self) -> int:
        """The power of two that codes count up to: negative ones stand for the upper half."""
        return 1 << (self._entries - 1).bit_length()


class Aqlm(CheckpointFormat):
    """AQLM of any number of codebooks: 1x16 and 2x8 are the usual ones."""

    key = "aqlm"
    sentence = "Weights of about 2 bits, made with AQLM."

    @classmethod
    def recognises(cls, config: Config, tensor_names: Collection[str]) -> bool:
        return method(config) == "aqlm" or any(name.endswith(".codebooks") for name in tensor_names)

    def packed_weights(self) -> Iterable[tuple[str, Weight]]:
        for layer in with_ending(self.files.tensors, ".codes"):
            yield f"{layer}.weight", AqlmWeight(self.files, layer)
