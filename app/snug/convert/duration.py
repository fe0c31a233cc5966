"""How long a conversion will take on this computer, from short measurements of the kernels that it will use."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median

import numpy as np

from snug.convert.quantize import TYPES, quantize_rows
from snug.convert.source import Source

PLAIN_VALUES_PER_S = 270e6
PACKED_VALUES_PER_S = 75e6
"""Weights a second that one thread reads and widens: those stored as they are, and those stored in few bits."""
WRITTEN_BYTES_PER_S = 1.2e9
PROVEN_BYTES_PER_S = 0.85e9
"""Bytes a second that are summed and written, and read again at the end to be proven. All four as measured on one core
of an AMD EPYC (Zen 3)."""
_PLAIN = ("F64", "F32", "F16", "BF16")
_SAMPLE = (64, 4096)
_TURNS = 3

SHARE_OF_PORTABLE = {
    "IQ3_S": 0.147, "IQ3_XXS": 0.110, "IQ2_S": 0.186, "IQ2_XS": 0.064, "IQ2_XXS": 0.108, "IQ1_M": 0.354,
    "IQ1_S": 0.320, "MXFP4": 3.17,
}  # fmt: skip
"""What ggml's functions do of the pace of the portable Q4_K kernel, both measured on one core of an AMD EPYC (Zen 3):
they prepare tables for seconds before the first row, so that measuring them would take longer than it is worth."""


class Stopwatch:
    """Predicts conversions; each type is measured once, when it is first asked for."""

    def __init__(self, threads: int) -> None:
        self._threads = max(1, threads)
        self._rates: dict[str, float] = {}

    def seconds(self, source: Source, types: Mapping[str, str], file_bytes: int) -> float:
        """Seconds from the first tensor to the proven file, without what has to be fetched.

        One thread reads, all quantise: whichever takes longer is the time, and then the file is read once more.
        """
        reading = work = 0.0
        for tensor in source.tensors:
            values, target = tensor.rows * tensor.columns, types[tensor.name]
            if tensor.is_copied_as(target):
                continue
            plain = tensor.stored_type in _PLAIN
            reading += values / (PLAIN_VALUES_PER_S if plain else PACKED_VALUES_PER_S)
            work += values / self._rate(target)
        work += reading + file_bytes / WRITTEN_BYTES_PER_S
        return max(reading, work / self._threads) + file_bytes / PROVEN_BYTES_PER_S

    def _rate(self, type_name: str) -> float:
        """Weights a second and thread that become this type."""
        if type_name not in self._rates:
            self._rates[type_name] = self._measured(type_name)
        return self._rates[type_name]

    def _measured(self, type_name: str) -> float:
        from snug import _native

        sample = np.random.default_rng(1).standard_normal(_SAMPLE, dtype=np.float32)
        if TYPES[type_name].by == "ggml":
            few = sample[:16]
            portable = _pace(few.size, lambda: _native.quantize_blocks(few, "Q4_K", path="portable"))
            return SHARE_OF_PORTABLE[type_name] * portable
        return _pace(sample.size, lambda: quantize_rows(sample, type_name))


def _pace(values: int, work: Callable[[], object]) -> float:
    """Values a second, the middle of a few turns after one to get going."""
    work()
    took = []
    for _ in range(_TURNS):
        started = time.perf_counter()
        work()
        took.append(time.perf_counter() - started)
    return values / max(1e-9, median(took))
