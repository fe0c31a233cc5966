"""How large a file of a model may be so that it fits this computer with a conversation of so many pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from snug.core.fit import FitSettings, Verdict
from snug.core.machine import Machine
from snug.core.memory_fit import fit
from snug.core.model_facts import ModelFacts
from snug.core.words import TOKENS_PER_PAGE

_STEPS = 24


def scaled(facts: ModelFacts, file_bytes: int) -> ModelFacts:
    """The same model in a file of that size: every tensor takes its share more or less."""
    share = file_bytes / max(1, facts.file_bytes)

    def part(size: int) -> int:
        return round(size * share)

    return replace(
        facts,
        file_bytes=file_bytes,
        weight_bytes=part(facts.weight_bytes),
        input_embedding_bytes=part(facts.input_embedding_bytes),
        output_bytes=part(facts.output_bytes),
        lookup_bytes=part(facts.lookup_bytes),
        expert_bytes=part(facts.expert_bytes),
        layer_bytes=tuple(map(part, facts.layer_bytes)),
        layer_expert_bytes=tuple(map(part, facts.layer_expert_bytes)),
        tensor_bytes_by_type={kind: part(size) for kind, size in facts.tensor_bytes_by_type.items()},
        matrix_bytes_by_type={kind: part(size) for kind, size in facts.matrix_bytes_by_type.items()},
    )


def largest_that_fits(files: Sequence[ModelFacts], machine: Machine, pages: int) -> int:
    """Bytes of the largest file of the model that fits well with so many pages (of what its context allows), between
    the smallest and the largest of `files`; 0 where not even the smallest does."""
    known = sorted(files, key=lambda facts: facts.file_bytes)
    context = min(pages * TOKENS_PER_PAGE, known[0].context_max or pages * TOKENS_PER_PAGE)

    def fits(size: int) -> bool:
        nearest = max((facts for facts in known if facts.file_bytes <= size), key=lambda facts: facts.file_bytes)
        return fit(scaled(nearest, size), FitSettings(context=context), machine).verdict is Verdict.FITS_WELL

    low, high = known[0].file_bytes, known[-1].file_bytes
    if not fits(low):
        return 0
    if fits(high):
        return high
    for _ in range(_STEPS):
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
