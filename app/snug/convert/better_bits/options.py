"""What may be done for better bits, and what comes of it: the interface between a conversion and this package."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from snug.convert.plan import ModelPlan, OutputTensor
from snug.core.errors import UserError

Floats = NDArray[np.float32]

Quantiser = Callable[[OutputTensor, Floats, str, int], bytes]
"""Bytes of some rows of a tensor: the tensor, rows (count, columns), the type's name, the first row's number."""

METHODS: dict[str, str] = {
    "importance": "round with care where your text needs it",
    "feedback": "let later weights make up for the errors of earlier ones",
    "scaling": "scale columns so that the important ones lose less",
    "mix": "give each tensor the type that it needs",
}
"""The methods by name, as `--methods` and the Convert message name them, with words for people."""


@dataclass(frozen=True, slots=True)
class BetterBits:
    """Which methods may be used. Feedback and scaling are kept only where they lower the error of a tensor's output on
    text that they were not fitted to. `mix` lets the types differ from the given ones within the same size, or within
    `budget_bytes` for the whole file where that is not 0."""

    importance: bool = True
    feedback: bool = True
    scaling: bool = True
    mix: bool = False
    budget_bytes: int = 0

    @property
    def needs_calibration(self) -> bool:
        return self.importance or self.feedback or self.scaling or self.mix or self.budget_bytes > 0


def options_of(methods: Iterable[str], budget_bytes: int = 0) -> BetterBits:
    """The options that these methods stand for. Raises UserError for a name that is none."""
    names = set(methods)
    unknown = sorted(names - set(METHODS))
    if unknown:
        raise UserError(
            f"There is no method “{unknown[0][:40]}”.",
            f"Methods: {', '.join(METHODS)}.",
            kind="unknown-method",
            bad_input=True,
        )
    return BetterBits(
        importance="importance" in names,
        feedback="feedback" in names,
        scaling="scaling" in names,
        mix="mix" in names or budget_bytes > 0,
        budget_bytes=budget_bytes,
    )


@dataclass(frozen=True, slots=True)
class Improved:
    """What a conversion takes instead of what it had: the plan (scales folded in), each tensor's type, importance of
    the columns by tensor (matrices, columns), and what quantises rows. `details` are sentences for experts;
    `predicted_divergence` is the mean KL divergence that the choice of types promises, -1 where none was measured."""

    plan: ModelPlan
    types: dict[str, str]
    importance: Mapping[str, Floats] = field(default_factory=dict)
    quantiser: Quantiser | None = None
    details: tuple[str, ...] = ()
    predicted_divergence: float = -1.0
