"""Snug's C++ module, built from native/ with the package."""

from typing import TypedDict

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
