"""What this computer's own chats teach about its speed: one factor that moves the estimates of other models too."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from snug.core.fit import SpeedRange

DOUBT = 1.0
"""The estimate itself counts as much as this many measured models."""
WIDEST = 2.5
"""A factor beyond this says that something else is wrong (a busy computer, another model): it counts as this."""
NARROWEST = 0.1
"""However many models were measured, another one may still differ by so much."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One model's chats here: the uncorrected estimate of its speed, and what was measured (tokens/s)."""

    estimated: float
    measured: float


@dataclass(frozen=True, slots=True)
class Correction:
    """`factor` for the middle of every estimate; `spread` (log) of the measured models around it; how many there are.

    `models` 0 leaves every estimate as it is.
    """

    factor: float = 1.0
    spread: float = 0.0
    models: int = 0


UNCORRECTED = Correction()


def correction_of(observations: Iterable[Observation]) -> Correction:
    """The factor that the observations agree on, drawn towards 1 while there are few.

    The middle of the logarithms counts, so that one chat beside a busy program does not move it.
    """
    ratios = [
        max(-math.log(WIDEST), min(math.log(WIDEST), math.log(item.measured / item.estimated)))
        for item in observations
        if _is_usable(item.measured) and _is_usable(item.estimated)
    ]
    if not ratios:
        return UNCORRECTED
    middle = median(ratios)
    count = len(ratios)
    spread = median(abs(ratio - middle) for ratio in ratios)
    return Correction(math.exp(middle * count / (count + DOUBT)), spread, count)


def corrected(speed: SpeedRange, correction: Correction) -> SpeedRange:
    """The estimate for another model on this computer: moved by the factor, and narrower the more models agree.

    The range never becomes wider than the estimate's own.
    """
    if not correction.models:
        return speed
    mid = speed.mid * correction.factor
    doubt = DOUBT / (correction.models + DOUBT)
    here = NARROWEST + 2 * correction.spread
    below = _blend(math.log(speed.mid / speed.low), here, doubt) if speed.low > 0 else 0.0
    above = _blend(math.log(speed.high / speed.mid), here, doubt)
    return SpeedRange(mid * math.exp(-below), mid, mid * math.exp(above))


def _blend(general: float, here: float, doubt: float) -> float:
    return min(general, doubt * general + (1 - doubt) * here)


def _is_usable(rate: float) -> bool:
    return math.isfinite(rate) and rate > 0
