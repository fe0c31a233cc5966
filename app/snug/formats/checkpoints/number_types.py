"""The number types of safetensors files, and how their bytes become float32.

Sources: the safetensors format (`safetensors/src/tensor.rs`); for 8-bit floats "FP8 Formats for Deep Learning"
(arXiv:2209.05433); for F4 and F8_E8M0 the OCP Microscaling Formats (MX) specification, version 1.0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snug.formats.checkpoints.errors import not_supported

Floats = NDArray[np.float32]
Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class NumberType:
    """A type of `bits` bits; `storage` is the little-endian numpy type of its bytes, U8 where numpy has none."""

    name: str
    bits: int
    storage: str

    @property
    def is_float(self) -> bool:
        return self.name.startswith(("F", "BF"))


TYPES: tuple[NumberType, ...] = (
    NumberType("BOOL", 8, "|u1"),
    NumberType("F4", 4, "|u1"),
    NumberType("F6_E2M3", 6, "|u1"),
    NumberType("F6_E3M2", 6, "|u1"),
    NumberType("U8", 8, "|u1"),
    NumberType("I8", 8, "|i1"),
    NumberType("F8_E5M2", 8, "|u1"),
    NumberType("F8_E4M3", 8, "|u1"),
    NumberType("F8_E8M0", 8, "|u1"),
    NumberType("I16", 16, "<i2"),
    NumberType("U16", 16, "<u2"),
    NumberType("F16", 16, "<f2"),
    NumberType("BF16", 16, "<u2"),
    NumberType("I32", 32, "<i4"),
    NumberType("U32", 32, "<u4"),
    NumberType("F32", 32, "<f4"),
    NumberType("C64", 64, "<c8"),
    NumberType("F64", 64, "<f8"),
    NumberType("I64", 64, "<i8"),
    NumberType("U64", 64, "<u8"),
)
TYPE_BY_NAME = {kind.name: kind for kind in TYPES}


def _e4m3_table() -> Floats:
    """The values of the 256 codes of E4M3 (bias 7, no infinities, S.1111.111 is NaN)."""
    codes = np.arange(256)
    exponent, mantissa = codes >> 3 & 15, codes & 7
    value = np.where(exponent > 0, (8 + mantissa) * 2.0 ** (exponent - 10), mantissa * 2.0**-9)
    value = np.where(codes & 127 == 127, np.nan, value)
    return np.where(codes & 128, -value, value).astype(np.float32)


E4M3 = _e4m3_table()
E5M2: Floats = (np.arange(256, dtype=np.uint16) << 8).view(np.float16).astype(np.float32)
"""E5M2 is the upper byte of a half-precision number."""
E8M0: Floats = np.append(2.0 ** np.arange(-127.0, 128.0), np.nan).astype(np.float32)
"""A power of two with bias 127; 255 is NaN."""
E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6], np.float32)
"""The 16 values of a 4-bit float, by code."""


def nibbles(codes: Array) -> NDArray[np.uint8]:
    """The 4-bit values in bytes, the lower half of each byte first: the last axis doubles."""
    packed = codes.view(np.uint8)
    values = np.empty((*packed.shape, 2), np.uint8)
    np.bitwise_and(packed, 15, out=values[..., 0])
    np.right_shift(packed, 4, out=values[..., 1])
    return values.reshape(*packed.shape[:-1], -1)


def to_float32(stored: Array, kind: NumberType) -> Floats:
    """Stored numbers of type `kind` as float32; F4 doubles the last axis. Raises UserError for types without a rule."""
    name = kind.name
    if name == "BF16":
        return (stored.astype(np.uint32) << 16).view(np.float32)
    if name in ("F8_E4M3", "F8_E5M2", "F8_E8M0"):
        return {"F8_E4M3": E4M3, "F8_E5M2": E5M2, "F8_E8M0": E8M0}[name][stored.view(np.uint8)]
    if name == "F4":
        return E2M1[nibbles(stored)]
    if name in ("F6_E2M3", "F6_E3M2", "C64"):
        raise not_supported(
            f"This model holds numbers of the type {name}, which Snug does not read yet",
            "Choose a version of the model in BF16, F16 or one of the usual quantisations.",
        )
    with np.errstate(over="ignore"):
        return stored.astype(np.float32)
