"""How much a quantised model is expected to differ from its original, before anything was measured.

The divergences are those that llama.cpp's own project measured on Llama 3 8B with Wikitext-2
(`tools/perplexity/README.md`, revision f364eb6f: mean KL divergence in nats a token, without importance weights where
it lists both). There, on Llama 2 7B and on Pip, the share of likeliest tokens that differ is close to 0.46 times the
divergence's square root. Smaller models lose more: a rule of thumb, held within narrow bounds.
"""

from __future__ import annotations

import math

REFERENCE_PARAMETERS = 8.0e9
WORDS_PER_ROOT = 460.0

DIVERGENCE: dict[str, float] = {
    "F32": 0.0, "F16": 0.0002, "BF16": 0.0002, "Q8_0": 0.0014, "Q6_K": 0.0055, "Q5_K_M": 0.0108, "Q5_K_S": 0.0166,
    "Q5_1": 0.0180, "Q5_0": 0.0222, "Q4_K_M": 0.0313, "Q4_K_S": 0.0431, "IQ4_NL": 0.0430, "IQ4_XS": 0.0437,
    "MXFP4_MOE": 0.0500, "Q4_1": 0.0717, "Q4_0": 0.0719, "Q3_K_L": 0.0872, "Q3_K_M": 0.1019, "IQ3_M": 0.1240,
    "IQ3_S": 0.1340, "IQ3_XS": 0.1670, "IQ3_XXS": 0.1836, "Q3_K_S": 0.2282, "IQ2_M": 0.3260, "Q2_K_S": 0.4034,
    "IQ2_S": 0.4392, "Q2_K": 0.4451, "IQ2_XS": 0.5463, "IQ2_XXS": 0.8120, "IQ1_M": 1.3931, "IQ1_S": 2.2545,
}  # fmt: skip
"""By mix. IQ4_NL, IQ4_XS and IQ3 were measured with importance weights only: a fifth is added to those figures."""


def expected_divergence(type_name: str, parameters: int) -> float | None:
    """The KL divergence in nats a token that `type_name` is expected to cost; None for a type that nobody measured."""
    known = DIVERGENCE.get(type_name)
    if known is None or parameters <= 0:
        return None
    scale: float = math.pow(REFERENCE_PARAMETERS / parameters, 0.2)
    return known * min(2.0, max(0.6, scale))


def words_changed(divergence: float) -> float:
    """How many of 1,000 likeliest next tokens are another one at this divergence."""
    return min(1000.0, WORDS_PER_ROOT * math.sqrt(max(0.0, divergence)))
