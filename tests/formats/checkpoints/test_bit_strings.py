"""Small numbers come out of words as a slow reading of the bits says."""

from __future__ import annotations

import numpy as np
import pytest

from snug.formats.checkpoints.bit_strings import unpack_columns, unpack_rows, words_needed


def pack_bits(values: list[int], bits: int, *, padded: bool = False) -> list[int]:
    """Words of the numbers, written bit by bit."""
    words = [0] * words_needed(len(values), bits, padded=padded)
    for number, value in enumerate(values):
        for bit in range(bits):
            place = number // (32 // bits) * 32 + number % (32 // bits) * bits + bit if padded else number * bits + bit
            words[place // 32] |= (value >> bit & 1) << place % 32
    return words


@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("count", [1, 10, 32, 33, 96, 101])
def test_numbers_of_every_width_come_back(bits: int, padded: bool, count: int) -> None:
    rng = np.random.default_rng(bits * count)
    values = rng.integers(0, 2**bits, (count, 5))
    words = np.array([pack_bits(values[:, column].tolist(), bits, padded=padded) for column in range(5)], np.uint32)
    signed = words.view(np.int32)
    assert unpack_rows(signed.T, bits, count, padded=padded).tolist() == values.tolist()
    assert unpack_columns(signed, bits, count, padded=padded).tolist() == values.T.tolist()
