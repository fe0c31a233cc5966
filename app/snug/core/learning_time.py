"""How long better bits take: reading a text with the original, then rounding every weight by what it taught.

Rates of one core of an AMD EPYC (Zen 3, AVX2), from processor time: reading and rounding by importance measured with a
random-weight model of 268 million weights (6,144 tokens in 145 s, rounding in 45 s), feedback by the pace of its kernel
at 2,048 columns (9.5 million weights/s) with what stands around it. Rough elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection

NEUTRAL_TOKENS = 10_000
"""What the text that comes with Snug is for most vocabularies."""

READING_PER_S = 14e9
"""Weights times tokens that the original in 16 bits reads in a second and core."""
PRODUCTS_SHARE = 0.25
"""Of reading: what collecting the products of the inputs adds."""
WEIGHED_PER_S = 6e6
FED_BACK_PER_S = 5e6
"""Weights a second and core that are rounded by importance, and with error feedback."""
SCALING_PER_S = 10e6
TRYING_TOKENS = 40e12
"""Weights times tokens that trying each part of a model takes at most (convert.better_bits.sensitivity)."""
PARTS_A_LAYER = 7
TRIED_TOKENS = 1536
FEWEST_LAYERS, FEWEST_TOKENS = 4, 512
"""Of a small model every part is tried with more text, of a large one those of a few layers with less."""


USUAL_METHODS = ("importance", "feedback", "scaling")
"""What is tried with a text where nothing else is asked for."""


def learning_seconds(
    weights: int, layers: int, cores: int, methods: Collection[str], tokens: int = NEUTRAL_TOKENS
) -> float:
    """Seconds that these methods (names of `convert.better_bits.options.METHODS`) add to a conversion."""
    wants_products = bool({"feedback", "scaling", "mix"} & set(methods))
    spent = weights * tokens / READING_PER_S * (1 + PRODUCTS_SHARE * wants_products)
    spent += weights / (FED_BACK_PER_S if "feedback" in methods else WEIGHED_PER_S)
    if "scaling" in methods:
        spent += weights / SCALING_PER_S
    if "mix" in methods:
        all_parts = weights * PARTS_A_LAYER * max(1, layers) * TRIED_TOKENS
        few_parts = weights * PARTS_A_LAYER * FEWEST_LAYERS * FEWEST_TOKENS
        spent += min(all_parts, max(TRYING_TOKENS, few_parts)) / READING_PER_S
    return spent / max(1, cores)
