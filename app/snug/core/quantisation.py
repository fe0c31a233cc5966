"""The sizes of quantisation types, for estimates where no file is at hand, and their names for people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileType:
    """`bits` a weight for the layers; `embedding_bits` for input embedding and output head. `rank`: fineness.

    K-type mixes spend more bits on some tensors: `bits` is the mix's mean over a Llama-shaped model's layers, from
    the sizes that llama.cpp's own `quantize` reports.
    """

    name: str
    bits: float
    embedding_bits: float
    rank: int
    group: str


FILE_TYPES: tuple[FileType, ...] = (
    FileType("F32", 32.0, 32.0, 160, "nearly_lossless"),
    FileType("BF16", 16.0, 16.0, 150, "nearly_lossless"),
    FileType("F16", 16.0, 16.0, 150, "nearly_lossless"),
    FileType("Q8_0", 8.5, 8.5, 140, "nearly_lossless"),
    FileType("Q6_K", 6.5625, 6.5625, 130, "nearly_lossless"),
    FileType("Q5_K_M", 5.67, 6.0, 120, "balanced"),
    FileType("Q5_K_S", 5.5, 6.0, 118, "balanced"),
    FileType("Q5_1", 6.0, 6.3, 116, "balanced"),
    FileType("Q5_0", 5.5, 6.0, 114, "balanced"),
    FileType("Q4_K_M", 4.83, 5.5, 110, "balanced"),
    FileType("Q4_K_S", 4.56, 5.5, 108, "balanced"),
    FileType("Q4_1", 5.0, 5.8, 106, "balanced"),
    FileType("IQ4_NL", 4.5, 5.5, 104, "balanced"),
    FileType("Q4_0", 4.5, 5.5, 102, "balanced"),
    FileType("IQ4_XS", 4.25, 5.5, 100, "balanced"),
    FileType("MXFP4", 4.25, 8.5, 100, "balanced"),
    FileType("NVFP4", 4.5, 8.5, 100, "balanced"),
    FileType("Q3_K_L", 4.22, 5.0, 90, "compact"),
    FileType("Q3_K_M", 3.89, 5.0, 88, "compact"),
    FileType("IQ3_M", 3.66, 5.0, 86, "compact"),
    FileType("Q3_K_S", 3.44, 5.0, 84, "compact"),
    FileType("IQ3_S", 3.44, 5.0, 82, "compact"),
    FileType("IQ3_XS", 3.3, 5.0, 80, "compact"),
    FileType("IQ3_XXS", 3.06, 4.8, 78, "compact"),
    FileType("Q2_K", 2.96, 4.6, 70, "compact"),
    FileType("Q2_K_S", 2.75, 4.6, 68, "compact"),
    FileType("IQ2_M", 2.7, 4.6, 66, "compact"),
    FileType("IQ2_S", 2.5, 4.6, 64, "compact"),
    FileType("IQ2_XS", 2.31, 4.6, 62, "compact"),
    FileType("IQ2_XXS", 2.06, 4.6, 60, "compact"),
    FileType("TQ2_0", 2.06, 4.5, 60, "compact"),
    FileType("TQ1_0", 1.69, 4.5, 58, "compact"),
    FileType("IQ1_M", 1.75, 4.6, 52, "compact"),
    FileType("IQ1_S", 1.56, 4.6, 50, "compact"),
)

KV_BITS = {"f32": 32.0, "f16": 16.0, "bf16": 16.0, "q8_0": 8.5, "q5_1": 6.0, "q5_0": 5.5, "q4_1": 5.0,
           "q4_0": 4.5, "iq4_nl": 4.5}  # fmt: skip
"""Bits an element of the KV cache takes, for the types that the engine accepts there."""

GROUP_WORDS = {"compact": "Compact", "balanced": "Balanced", "nearly_lossless": "Nearly lossless"}

_BY_NAME = {kind.name: kind for kind in FILE_TYPES}


def file_type_named(name: str) -> FileType | None:
    """The type with that name in any case; "UD-Q4_K_XL" and other variants count as the type they vary."""
    wanted = name.strip().upper().replace("-", "_").removeprefix("UD_")
    if wanted in _BY_NAME:
        return _BY_NAME[wanted]
    if wanted.startswith("MXFP4"):
        return _BY_NAME["MXFP4"]
    for suffix, replacement in (("_K_XL", "_K_M"), ("_K_L", "_K_M"), ("_XL", "_K_M"), ("_K", "_K_M")):
        if wanted.endswith(suffix):
            stem = wanted.removesuffix(suffix)
            for candidate in (stem + replacement, stem + "_K", stem + "_0"):
                if candidate in _BY_NAME:
                    return _BY_NAME[candidate]
    return None


def group_of(name: str) -> str:
    """ "compact", "balanced", "nearly_lossless", or "other" for a type that is not known."""
    kind = file_type_named(name)
    return "other" if kind is None else kind.group
