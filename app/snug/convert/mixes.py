"""Every mix by name, such as Q4_K_M, and which type each tensor of a model gets in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from snug.convert.mix_rules import EMBEDDINGS, FLOAT_TYPES, Mix, MixTensor, choose_types, may_quantise
from snug.core.errors import UserError

__all__ = ["FLOAT_TYPES", "MIXES", "Mix", "may_quantise", "missing_importance", "mix_named", "tensor_types"]

MIXES: dict[str, Mix] = {
    mix.name: mix
    for mix in (
        Mix("F32", 0, "F32"),
        Mix("F16", 1, "F16"),
        Mix("BF16", 32, "BF16"),
        Mix("Q8_0", 7, "Q8_0"),
        Mix("Q6_K", 18, "Q6_K"),
        Mix("Q5_K_M", 17, "Q5_K"),
        Mix("Q5_K_S", 16, "Q5_K"),
        Mix("Q5_1", 9, "Q5_1"),
        Mix("Q5_0", 8, "Q5_0"),
        Mix("Q4_K_M", 15, "Q4_K"),
        Mix("Q4_K_S", 14, "Q4_K"),
        Mix("Q4_1", 3, "Q4_1"),
        Mix("Q4_0", 2, "Q4_0"),
        Mix("IQ4_NL", 25, "IQ4_NL"),
        Mix("IQ4_XS", 30, "IQ4_XS"),
        Mix("MXFP4_MOE", 38, "MXFP4"),
        Mix("Q3_K_L", 13, "Q3_K"),
        Mix("Q3_K_M", 12, "Q3_K"),
        Mix("Q3_K_S", 11, "Q3_K"),
        Mix("IQ3_M", 27, "IQ3_S"),
        Mix("IQ3_S", 26, "IQ3_S"),
        Mix("IQ3_XS", 22, "IQ3_S"),
        Mix("IQ3_XXS", 23, "IQ3_XXS"),
        Mix("Q2_K", 10, "Q2_K"),
        Mix("Q2_K_S", 21, "Q2_K"),
        Mix("IQ2_M", 29, "IQ2_S"),
        Mix("IQ2_S", 28, "IQ2_XS"),
        Mix("IQ2_XS", 20, "IQ2_XS"),
        Mix("IQ2_XXS", 19, "IQ2_XXS"),
        Mix("IQ1_M", 31, "IQ1_M"),
        Mix("IQ1_S", 24, "IQ1_S"),
    )
}
"""Every mix that Snug writes, from the largest to the smallest."""

ALIASES = {"Q2": "Q2_K", "Q3_K": "Q3_K_M", "Q4_K": "Q4_K_M", "Q5_K": "Q5_K_M", "MXFP4": "MXFP4_MOE"}

_NEEDS_IMPORTANCE = ("IQ3_XXS", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ1_M", "IQ1_S")


def mix_named(name: str) -> Mix:
    """The mix of that name in any case. Raises UserError (bad_input) with the names that there are."""
    wanted = name.strip().upper().replace("-", "_")
    mix = MIXES.get(ALIASES.get(wanted, wanted))
    if mix is None:
        raise UserError(
            f"“{name[:40]}” is not a type that Snug makes.",
            f"Choose one of {', '.join(MIXES)}.",
            kind="unknown-type",
            bad_input=True,
        )
    return mix


def tensor_types(
    mix: Mix | str, tensors: Iterable[MixTensor], metadata: Mapping[str, Any], importance: bool = False
) -> dict[str, str]:
    """The type of each tensor by its name. `metadata` is the GGUF's, as plain values by key.

    `importance` says that importance weights are at hand: some rules then trust small types more. A tensor with a
    `fixed_type` keeps it; one that may not be quantised stays in 16 bits.
    """
    chosen = mix_named(mix) if isinstance(mix, str) else mix
    return choose_types(chosen, tensors, metadata, importance)


def missing_importance(mix: Mix | str, types: Mapping[str, str]) -> str:
    """The name of a tensor that becomes garbage without importance weights, "" where there is none."""
    name = mix if isinstance(mix, str) else mix.name
    for tensor, kind in types.items():
        is_spared = tensor in EMBEDDINGS or tensor == "output.weight"
        if not is_spared and (kind in _NEEDS_IMPORTANCE or (name == "Q2_K_S" and kind == "Q2_K")):
            return tensor
    return ""
