"""Every number type becomes float32 as its specification says, value by value."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest

from snug.core.errors import UserError
from snug.formats.checkpoints.number_types import E2M1, E4M3, E5M2, E8M0, TYPE_BY_NAME, TYPES, nibbles, to_float32


def small_float(code: int, exponent_bits: int, mantissa_bits: int, bias: int) -> float:
    """A sign, an exponent, a mantissa: as the papers define it, without infinities and NaN."""
    sign = -1 if code >> (exponent_bits + mantissa_bits) else 1
    exponent = code >> mantissa_bits & (2**exponent_bits - 1)
    mantissa = code & (2**mantissa_bits - 1)
    if exponent == 0:
        return sign * 2 ** (1 - bias) * mantissa / 2**mantissa_bits
    return sign * 2 ** (exponent - bias) * (1 + mantissa / 2**mantissa_bits)


def test_e4m3_is_right_for_all_256_codes() -> None:
    for code in range(256):
        if code & 127 == 127:
            assert math.isnan(E4M3[code])
        else:
            assert E4M3[code] == small_float(code, 4, 3, 7)
    assert E4M3[0x7E] == 448


def test_e5m2_is_right_for_all_256_codes() -> None:
    for code in range(256):
        exponent, mantissa = code >> 2 & 31, code & 3
        if exponent == 31:
            assert math.isnan(E5M2[code]) if mantissa else math.isinf(E5M2[code])
        else:
            assert E5M2[code] == small_float(code, 5, 2, 15)


def test_e2m1_is_right_for_all_16_codes() -> None:
    assert E2M1.tolist() == [small_float(code, 2, 1, 1) for code in range(16)]


def test_e8m0_is_right_for_all_256_codes() -> None:
    assert [float(E8M0[code]) for code in range(255)] == [2.0 ** (code - 127) for code in range(255)]
    assert math.isnan(E8M0[255])


def test_bf16_is_the_upper_half_of_float32() -> None:
    codes = np.arange(65536, dtype=np.uint16)
    values = to_float32(codes, TYPE_BY_NAME["BF16"])
    for code in range(0, 65536, 251):
        (expected,) = struct.unpack(">f", struct.pack(">HH", code, 0))
        assert values[code] == expected or math.isnan(expected)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("BOOL", np.array([0, 1, 1], np.uint8)),
        ("U8", np.array([0, 255], np.uint8)),
        ("I8", np.array([-128, 127], np.int8)),
        ("I16", np.array([-32768, 3], np.int16)),
        ("U16", np.array([65535, 3], np.uint16)),
        ("I32", np.array([-5, 3], np.int32)),
        ("U32", np.array([2**31, 3], np.uint32)),
        ("I64", np.array([-5, 3], np.int64)),
        ("U64", np.array([2**40, 3], np.uint64)),
        ("F16", np.array([0.5, -65504, 6e-8], np.float16)),
        ("F32", np.array([0.1, -3e38], np.float32)),
        ("F64", np.array([0.1, -3e38], np.float64)),
    ],
)
def test_numbers_that_numpy_knows_keep_their_value(name: str, array: np.ndarray) -> None:
    assert to_float32(array, TYPE_BY_NAME[name]).tolist() == array.astype(np.float32).tolist()


def test_the_lower_half_of_a_byte_comes_first() -> None:
    assert nibbles(np.array([[0x21, 0x43]], np.uint8)).tolist() == [[1, 2, 3, 4]]
    assert to_float32(np.array([0x21], np.uint8), TYPE_BY_NAME["F4"]).tolist() == [0.5, 1.0]


def test_types_without_a_rule_are_refused_with_words() -> None:
    for name in ("F6_E2M3", "F6_E3M2", "C64"):
        with pytest.raises(UserError, match=name):
            to_float32(np.zeros(3, np.uint8), TYPE_BY_NAME[name])


def test_sizes_agree_with_what_numpy_stores() -> None:
    for kind in TYPES:
        assert np.dtype(kind.storage).itemsize * 8 == max(8, kind.bits)
