"""Snug's C++ module, built from native/ with the package."""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

class Rate(TypedDict):
    """Bytes/s over repeated short passes: the median, the slowest pass, and the rate that one in twenty beats.

    `high` is what the memory can do: on a busy computer most passes also tell what else was running.
    """

    median: float
    low: float
    high: float
    passes: int

class Bandwidth(TypedDict):
    """What main memory moves. `copy` counts the bytes read and the bytes written."""

    read: Rate
    write: Rate
    copy: Rate
    buffer_bytes: int
    threads: int

def last_level_cache_bytes() -> int:
    """Bytes of all last-level caches together; 0 where the system does not say."""

def memory_bandwidth(
    threads: int,
    *,
    seconds: float = 1.0,
    buffer_bytes: int = 0,
    cache_bytes: int = 0,
    available_bytes: int = 0,
) -> Bandwidth:
    """Read, write and copy rates of main memory with that many threads, in about `seconds`.

    `buffer_bytes` 0 picks a buffer well above the cache (`cache_bytes`, 0: asked of the system). The buffer is
    never more than a quarter of `available_bytes` where that is given. The interpreter lock is released.
    Raises ValueError on a figure out of range and MemoryError where the buffer cannot be had.
    """

def block_types() -> dict[str, tuple[int, int]]:
    """Values and bytes of a block of each type that the kernels write, by name."""

def simd_paths() -> list[str]:
    """The kernel paths that this processor can run, slowest first: "portable", then "avx2", "avx512" or "neon"."""

def first_not_finite(weights: NDArray[np.float32]) -> int:
    """Index of the first infinite value or NaN in the flattened rows x columns; -1 where there is none."""

def quantize_blocks(
    weights: NDArray[np.float32],
    type_name: str,
    *,
    importance: NDArray[np.float32] | None = None,
    threads: int = 1,
    path: str = "",
) -> bytes:
    """The blocks of finite float32 rows x columns, row after row; the interpreter lock is released.

    `importance` holds one figure above zero for each column. `path` is one of `simd_paths()`; "" takes SNUG_SIMD, or
    the fastest. Raises ValueError for a path, type or shape that does not fit.
    """

class FeedbackTables:
    """What error feedback needs of the inputs of some columns: H, R with H = R R^T (upper triangular), and R^-1.

    All are float32 (columns, columns), columns a multiple of 32; ValueError for others.
    """

    def __init__(
        self, table: NDArray[np.float32], factor: NDArray[np.float32], inverse: NDArray[np.float32]
    ) -> None: ...
    @property
    def columns(self) -> int: ...
    def round(
        self,
        weights: NDArray[np.float32],
        type_name: str,
        blocks: NDArray[np.uint8],
        values: NDArray[np.float32],
        *,
        sweeps: int = 2,
        threads: int = 1,
        path: str = "",
    ) -> None:
        """Round finite float32 rows x columns into `blocks` (rows, bytes of a row) and the `values` that they mean.

        Rows may lie apart, the values of a row may not. The interpreter lock is released; the result does not depend
        on `threads`. Raises ValueError for a path, type or shape that does not fit.
        """
