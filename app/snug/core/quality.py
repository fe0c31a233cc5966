"""How good a model is for a use, as far as is known: a level, in doublings of effective size (0: one billion).

Where public figures speak for the use they count, drawn towards what size and age let expect; without any, that
expectation stands alone: parameters, a mixture of experts as the geometric mean of its whole and its active size, and
one doubling for each year (Xiao et al., "Densing law of LLMs", Nature Machine Intelligence 2025, measured a doubling
every 3.5 months on benchmarks; a year is the careful side).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date

from snug.core.catalogue import CatalogueEntry
from snug.core.evidence import level_by_evidence
from snug.core.expected_loss import expected_divergence

EXPECTATION_WEIGHT = 1.0
"""What size and age let expect counts like one benchmark of weight 1."""
WIDEST_STEP = 2.5
"""Figures move a level by at most so many doublings: a benchmark can be learned by heart."""
DOUBLINGS_PER_NAT = 3.0
"""What quantisation costs: a divergence of a third of a nat counts like half the size.

Llama 3 8B at Q2_K (0.45 nats) is then worth 3B, which fits the perplexities that llama.cpp's project lists.
"""
TRAINED_FOR_ITS_TYPE = 0.46
"""The share of the loss that is left where a model was trained for its type: Google states 54 % less for Gemma 3 QAT
(developers.googleblog.com, "Gemma 3 QAT Models", 2025-04-18)."""

Measured = Mapping[tuple[str, str], float]
"""Divergences measured here, in nats a token, by catalogue key (or lower-case repository) and type."""


def expected_level(entry: CatalogueEntry) -> float:
    """What size and age let expect."""
    active = entry.active_parameters or entry.parameters
    return math.log2(math.sqrt(entry.parameters * active) / 1e9) + years_after_2024(entry.released)


def level_of(entry: CatalogueEntry, use: str = "chat") -> float:
    """The model's level for a use, before any quantisation."""
    expected = expected_level(entry)
    known = level_by_evidence(entry.figures, use)
    if known is None:
        return expected
    level, weight = known
    seen = min(expected + WIDEST_STEP, max(expected - WIDEST_STEP, level))
    return (EXPECTATION_WEIGHT * expected + weight * seen) / (EXPECTATION_WEIGHT + weight)


def has_evidence(entry: CatalogueEntry, use: str) -> bool:
    """Whether any public figure ranks this model for the use."""
    return level_by_evidence(entry.figures, use) is not None


def quantisation_loss(entry: CatalogueEntry, file_type: str, measured: Measured | None = None) -> float:
    """Doublings that this type costs: as measured here, else as its makers trained it, else by the published tables."""
    for key in (entry.key, entry.repo.lower()):
        if measured and (key, file_type) in measured:
            return DOUBLINGS_PER_NAT * max(0.0, measured[key, file_type])
    if file_type == entry.native_type and not file_type.startswith("Q"):
        return 0.0
    expected = expected_divergence("MXFP4_MOE" if file_type == "MXFP4" else file_type, entry.parameters)
    loss = DOUBLINGS_PER_NAT * (expected if expected is not None else 0.1)
    return loss * TRAINED_FOR_ITS_TYPE if file_type == entry.native_type else loss


def years_after_2024(released: str) -> float:
    """Years since the start of 2024, from "YYYY-MM-DD"; a model without a date counts as old."""
    try:
        day = date.fromisoformat(released[:10])
    except ValueError:
        return 0.0
    return max(0.0, min(10.0, (day - date(2024, 1, 1)).days / 365.25))
