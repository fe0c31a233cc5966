"""What this computer's own chats teach about its speed: a factor that moves the estimates of other models too.

There is one for each kind of plan: a processor that is slower than foretold says nothing of a card.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from snug.core.fit import Offload, SpeedRange

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
PLAN_KINDS = ("processor", "cards", "both")


@dataclass(frozen=True, slots=True)
class Corrections:
    """The corrections for models that the processor runs alone, cards (or a Mac's graphics) alone, and both together.

    While nothing was measured with both, that one lies between the other two, where both of those are known.
    """

    processor: Correction = UNCORRECTED
    cards: Correction = UNCORRECTED
    both: Correction = UNCORRECTED

    @property
    def main(self) -> Correction:
        """That of the kind of plan with the most measured models."""
        return max((self.processor, self.cards, self.both), key=lambda correction: correction.models)

    def of(self, kind: str) -> Correction:
        """The correction for that kind of plan, one of `PLAN_KINDS`."""
        if kind != "both" or self.both.models or not (self.processor.models and self.cards.models):
            return {"processor": self.processor, "cards": self.cards, "both": self.both}[kind]
        return Correction(
            math.sqrt(self.processor.factor * self.cards.factor),
            max(self.processor.spread, self.cards.spread),
            min(self.processor.models, self.cards.models),
        )


NO_CORRECTIONS = Corrections()


def plan_kind(offload: Offload, layers: int) -> str:
    """Which of `PLAN_KINDS` a layout of a model with so many layers is."""
    if not offload.gpu_layers:
        return "processor"
    return "cards" if offload.gpu_layers > max(1, layers) and not offload.cpu_experts else "both"


def reading_kind(offload: Offload) -> str:
    """The same for the reading of prompts, which a card does for the layers in main memory too."""
    return "cards" if offload.gpu_layers else "processor"


def corrections_of(seen: Mapping[str, Sequence[Observation]]) -> Corrections:
    """The corrections that observations by kind of plan teach."""
    return Corrections(*(correction_of(seen.get(kind, ())) for kind in PLAN_KINDS))


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
