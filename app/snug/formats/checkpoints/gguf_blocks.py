"""The blocks of GGUF's quantised types as float32, for GGUF files that are converted further.

Layouts, from ggml (`ggml-common.h`, block_q4_0 and its fellows; `ggml-quants.c`, dequantize_row_*). Each function takes
blocks as bytes, (n, bytes of a block), and gives (n, values of a block).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from snug.formats.checkpoints.number_types import E2M1, E8M0, Array, Floats

Bytes = Array
IQ4_VALUES = np.array(
    [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], np.float32
)  # kvalues_iq4nl of ggml-common.h


def _half(blocks: Bytes, at: int) -> Floats:
    """The half-precision number at byte `at` of each block, (n, 1)."""
    return np.ascontiguousarray(blocks[:, at : at + 2]).view("<f2").astype(np.float32)


def _halves(codes: Bytes) -> Bytes:
    """(…, m) bytes as 4-bit numbers (…, 2m): all lower halves first, then the upper ones."""
    return np.concatenate([codes & 15, codes >> 4], axis=-1)


def _fifth_bits(blocks: Bytes, at: int) -> Bytes:
    """The 32 bits at byte `at`, each where the fifth bit of a number stands."""
    return np.unpackbits(blocks[:, at : at + 4], axis=1, bitorder="little") << 4


def q4_0(blocks: Bytes) -> Floats:
    return _half(blocks, 0) * (_halves(blocks[:, 2:]).astype(np.float32) - 8)


def q4_1(blocks: Bytes) -> Floats:
    return _half(blocks, 0) * _halves(blocks[:, 4:]) + _half(blocks, 2)


def q5_0(blocks: Bytes) -> Floats:
    return _half(blocks, 0) * ((_halves(blocks[:, 6:]) | _fifth_bits(blocks, 2)).astype(np.float32) - 16)


def q5_1(blocks: Bytes) -> Floats:
    return _half(blocks, 0) * (_halves(blocks[:, 8:]) | _fifth_bits(blocks, 4)) + _half(blocks, 2)


def q8_0(blocks: Bytes) -> Floats:
    return _half(blocks, 0) * np.ascontiguousarray(blocks[:, 2:]).view(np.int8)


def _pairs_of_bits(codes: Bytes) -> Bytes:
    """(n, 32 k) bytes as 2-bit numbers (n, k, 4, 32): the lowest pairs of 32 bytes first."""
    shifts = np.array([0, 2, 4, 6], np.uint8)[:, None]
    return codes.reshape(len(codes), -1, 1, 32) >> shifts & 3


def _by_16(scales: Floats, numbers: Array) -> Floats:
    """256 numbers of a block times their 16 scales."""
    weight: Floats = scales[:, :, None] * numbers.reshape(-1, 16, 16)
    return weight.reshape(-1, 256)


def q2_k(blocks: Bytes) -> Floats:
    scales = blocks[:, :16]
    minima: Floats = np.repeat(_half(blocks, 82) * (scales >> 4), 16, axis=1)
    return _by_16(_half(blocks, 80) * (scales & 15), _pairs_of_bits(blocks[:, 16:80])) - minima


def q3_k(blocks: Bytes) -> Floats:
    packed = blocks[:, 96:108]
    upper = _pairs_across_bytes(packed[:, 8:])
    scales = (_halves(packed[:, :8]) | upper << 4).astype(np.float32) - 32
    high = np.unpackbits(blocks[:, None, :32], axis=1, bitorder="little").reshape(-1, 2, 4, 32)
    numbers = (_pairs_of_bits(blocks[:, 32:96]) | high << 2).astype(np.float32) - 4
    return _by_16(_half(blocks, 108) * scales, numbers)


def _pairs_across_bytes(codes: Bytes) -> Bytes:
    """(n, 4) bytes as 2-bit numbers (n, 16): the lowest pairs of all four first."""
    return (codes[:, None, :] >> np.array([0, 2, 4, 6], np.uint8)[:, None] & 3).reshape(-1, 16)


def _six_bits(packed: Bytes) -> tuple[Bytes, Bytes]:
    """Scales and minima of the 8 sub-blocks, from the 12 bytes of Q4_K and Q5_K."""
    first, second, last = packed[:, :4], packed[:, 4:8], packed[:, 8:]
    scales = np.concatenate([first & 63, last & 15 | first >> 6 << 4], axis=1)
    minima = np.concatenate([second & 63, last >> 4 | second >> 6 << 4], axis=1)
    return scales, minima


def _with_minima(blocks: Bytes, numbers: Bytes) -> Floats:
    """Numbers (n, 8, 32) of Q4_K or Q5_K times their scales, less their minima."""
    scales, minima = _six_bits(blocks[:, 4:16])
    weight = (_half(blocks, 0) * scales)[:, :, None] * numbers - (_half(blocks, 2) * minima)[:, :, None]
    return weight.reshape(-1, 256)


def q4_k(blocks: Bytes) -> Floats:
    return _with_minima(blocks, _halves(blocks[:, 16:].reshape(-1, 4, 32)).reshape(-1, 8, 32))


def q5_k(blocks: Bytes) -> Floats:
    high = np.unpackbits(blocks[:, None, 16:48], axis=1, bitorder="little")
    return _with_minima(blocks, _halves(blocks[:, 48:].reshape(-1, 4, 32)).reshape(-1, 8, 32) | high << 4)


def q6_k(blocks: Bytes) -> Floats:
    lower = _halves(blocks[:, :128].reshape(-1, 2, 64)).reshape(-1, 2, 4, 32)
    numbers = (lower | _pairs_of_bits(blocks[:, 128:192]) << 4).astype(np.float32) - 32
    return _by_16(_half(blocks, 208) * np.ascontiguousarray(blocks[:, 192:208]).view(np.int8), numbers)


def iq4_nl(blocks: Bytes) -> Floats:
    return _half(blocks, 0) * IQ4_VALUES[_halves(blocks[:, 2:])]


def iq4_xs(blocks: Bytes) -> Floats:
    upper = _pairs_byte_by_byte(blocks[:, 2:4]) << 4
    lower = np.stack([blocks[:, 4:8] & 15, blocks[:, 4:8] >> 4], axis=2).reshape(-1, 8)
    scales = _half(blocks, 0) * ((lower | upper).astype(np.float32) - 32)
    weight: Floats = scales[:, :, None] * IQ4_VALUES[_halves(blocks[:, 8:].reshape(-1, 8, 16))]
    return weight.reshape(-1, 256)


def _pairs_byte_by_byte(codes: Bytes) -> Bytes:
    """(n, m) bytes as 2-bit numbers (n, 4m), each byte's lowest pair first."""
    return (codes[:, :, None] >> np.array([0, 2, 4, 6], np.uint8) & 3).reshape(len(codes), -1)


def mxfp4(blocks: Bytes) -> Floats:
    return E8M0[blocks[:, :1]] * E2M1[_halves(blocks[:, 1:])]


BLOCKS: dict[str, Callable[[Bytes], Floats]] = {
    "Q4_0": q4_0, "Q4_1": q4_1, "Q5_0": q5_0, "Q5_1": q5_1, "Q8_0": q8_0, "Q2_K": q2_k, "Q3_K": q3_k, "Q4_K": q4_k,
    "Q5_K": q5_k, "Q6_K": q6_k, "IQ4_NL": iq4_nl, "IQ4_XS": iq4_xs, "MXFP4": mxfp4,
}  # fmt: skip
"""The types that can be converted further, by name."""
