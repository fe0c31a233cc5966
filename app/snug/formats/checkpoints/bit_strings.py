"""Small whole numbers packed into 32-bit words, lowest bits first, without padding between them.

GPTQ packs so (`qlinear_cuda.py` of AutoGPTQ, whose case of 3 bits is this very stream), and compressed-tensors today
(`pack_quantized/helpers.py`); `padded` is the older way of compressed-tensors, where no number crosses words.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from snug.formats.checkpoints.number_types import Array

Words = NDArray[np.uint32]
Small = NDArray[np.uint8]


def words_needed(count: int, bits: int, *, padded: bool = False) -> int:
    """The words that `count` numbers take."""
    return -(-count // (32 // bits)) if padded else -(-count * bits // 32)


def unpack_rows(words: Array, bits: int, count: int, *, padded: bool = False) -> Small:
    """`count` numbers of `bits` bits (1 to 8) down each column of `words`: (words, m) becomes (count, m)."""
    unsigned = np.ascontiguousarray(words).view(np.uint32)
    period = 1 if padded or 32 % bits == 0 else bits // math.gcd(bits, 32)
    per_period = 32 // bits if period == 1 else 32 * period // bits
    missing = -len(unsigned) % period
    if missing:
        unsigned = np.concatenate([unsigned, np.zeros((missing, unsigned.shape[1]), np.uint32)])
    mask = np.uint32(2**bits - 1)
    groups = len(unsigned) // period
    values = np.empty((groups, per_period, unsigned.shape[1]), np.uint8)
    for number in range(per_period):
        word, offset = divmod(number * bits, 32)
        part = unsigned[word::period] >> np.uint32(offset)
        if offset + bits > 32:
            part = part | unsigned[word + 1 :: period] << np.uint32(32 - offset)
        values[:, number] = part & mask
    return values.reshape(groups * per_period, -1)[:count]


def unpack_columns(words: Array, bits: int, count: int, *, padded: bool = False) -> Small:
    """`count` numbers of `bits` bits along each row of `words`: (m, words) becomes (m, count)."""
    return unpack_rows(np.ascontiguousarray(words.T), bits, count, padded=padded).T
