"""Which type of conversation memory suits the new file on this computer."""

from __future__ import annotations

from snug.convert.checks.report import Check
from snug.core.fit import FitSettings, Verdict
from snug.core.machine import Machine
from snug.core.memory_fit import LARGEST_DEFAULT_CONTEXT, fit
from snug.core.model_facts import ModelFacts
from snug.core.words import pages_text

NAME = "memory"
WORTH_IT = 1.3
"""The compact type is worth its rounding where it makes room for so many times the conversation."""
_BLOCK = 32


def check_conversation_memory(facts: ModelFacts, machine: Machine | None) -> tuple[Check, str]:
    """What to keep a conversation in, and that type's name; "" where nothing can be said.

    "f16" where as much as is useful fits, "q8_0" where that makes clearly more fit and the heads are whole blocks.
    """
    if machine is None or facts.kind != "model" or not facts.layers:
        return Check(NAME, True, "How much conversation fits was not looked at.", is_done=False), ""
    full = fit(facts, FitSettings(kv_type="f16"), machine)
    if full.verdict is Verdict.TOO_BIG and not _takes_blocks(facts):
        return Check(NAME, True, f"The new file does not fit this computer: {full.why}"), "f16"
    useful = min(facts.context_max or LARGEST_DEFAULT_CONTEXT, LARGEST_DEFAULT_CONTEXT)
    if full.verdict is not Verdict.TOO_BIG and (full.context >= useful or not _takes_blocks(facts)):
        words = _full_words(full.context)
        return Check(NAME, True, words, f"f16, {full.context} tokens, heads of {_head(facts)}"), "f16"
    compact = fit(facts, FitSettings(kv_type="q8_0"), machine)
    details = f"f16: {full.context} tokens ({full.verdict}), q8_0: {compact.context} tokens ({compact.verdict})"
    if compact.verdict is Verdict.TOO_BIG:
        return Check(NAME, True, f"The new file does not fit this computer: {compact.why}", details), "f16"
    if full.verdict is Verdict.TOO_BIG or compact.context >= WORTH_IT * full.context:
        before = "none" if full.verdict is Verdict.TOO_BIG else pages_text(full.context)
        words = (
            f"With compact conversation memory this computer holds {pages_text(compact.context)} "
            f"of conversation instead of {before}."
        )
        return Check(NAME, True, words, details), "q8_0"
    words = _full_words(full.context)
    return Check(NAME, True, words, details), "f16"


def _full_words(context: int) -> str:
    return f"This computer keeps {pages_text(context)} of conversation with it in full precision."


def _head(facts: ModelFacts) -> int:
    return max((*facts.head_dims_k, *facts.head_dims_v), default=0)


def _takes_blocks(facts: ModelFacts) -> bool:
    """Whether the rows of the memory are whole blocks of q8_0, which has 32 values a block."""
    sizes = [size for size in (*facts.head_dims_k, *facts.head_dims_v) if size]
    return bool(sizes) and all(size % _BLOCK == 0 for size in sizes)
