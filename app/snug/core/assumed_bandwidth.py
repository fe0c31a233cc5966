"""The bandwidth that is assumed of a graphics card nobody knows: that of the slowest of today's cards of its size.

Estimates from it say so. A card is never left unused because its speed is not known.
"""

from __future__ import annotations

GIB = 2**30
_SLOWEST: tuple[tuple[int, float], ...] = ((4, 96), (6, 168), (8, 224), (24, 300), (32, 576), (48, 672), (64, 1638))
"""From so many GiB on, GB a second, each a row of `gpu_bandwidths`: GTX 1630, RTX 3050 of 6 GB, RTX 3050, L4,
RTX 5000 Ada, RTX 8000, Instinct MI210. More memory never means less, so that more memory never makes a plan slower."""
_LEAST = 64.0
"""GB a second of a card with less memory than any of today."""
_DRIVERS_SHARE = 0.92
"""Drivers show at least this much of a card's memory."""
BELOW, ABOVE = 0.6, 4.0
"""How far a card can be from what is assumed of it, as factors of its speed."""


def assumed_bandwidth(memory_bytes: int) -> float:
    """Bytes a second of a card with so much memory, cautiously."""
    fitting = (figure for gigabytes, figure in _SLOWEST if memory_bytes >= _DRIVERS_SHARE * gigabytes * GIB)
    return 1e9 * max(fitting, default=_LEAST)
