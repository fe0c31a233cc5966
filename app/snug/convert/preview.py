"""Before a conversion: what the source is, and for each type the size, the time and the loss to expect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from snug.convert.conversion import QUANTISATION_VERSION
from snug.convert.duration import Stopwatch
from snug.convert.mixes import MIXES, Mix, missing_importance, tensor_types
from snug.convert.source import Source
from snug.core.errors import UserError
from snug.core.expected_loss import expected_divergence, words_changed
from snug.core.model_facts import ModelFacts
from snug.formats.ggml_types import TYPES as GGML_TYPES
from snug.formats.gguf_facts import facts_from_header
from snug.formats.gguf_header import GgufHeader, TensorInfo, read_header
from snug.formats.gguf_writer import GgufLayout, plan_layout

SHOWN = ("F32", "F16", "BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q5_K_S", "Q4_K_M", "Q4_K_S", "IQ4_XS", "Q3_K_L", "Q3_K_M",
         "Q3_K_S", "IQ3_M", "IQ3_XXS", "Q2_K", "IQ2_M", "IQ2_XS", "IQ2_XXS", "IQ1_M")  # fmt: skip
"""The mixes that a person is offered; the others can be asked for by name."""
_MIX_LIKE = {"Q2_K": "Q2_K_S", "Q3_K": "Q3_K_S", "Q4_K": "Q4_K_S", "Q5_K": "Q5_K_S", "MXFP4": "MXFP4_MOE"}
"""The mix that is nearly all of that tensor type, where it has another name."""
_KIND_BY_NAME = {kind.name: kind for kind in GGML_TYPES}


@dataclass(frozen=True, slots=True)
class Choice:
    """One type that the source can be made into; see `conversion_messages.ConversionChoice`."""

    type_name: str
    size_bytes: int
    facts: ModelFacts
    seconds: float
    words_changed: float
    tensor_types: Mapping[str, int]
    needs_importance: bool = False


def choices(source: Source, threads: int, names: tuple[str, ...] = SHOWN) -> list[Choice]:
    """What each type would give, smallest first. Types that keep more bits than the source has are left out."""
    stopwatch = Stopwatch(threads)
    found = []
    header: tuple[GgufLayout, GgufHeader] | None = None
    for name in names:
        if name not in _useful(source, names):
            continue
        mix = MIXES[name]
        types = tensor_types(mix, source.tensors, _plain(source), importance=bool(_imported(name)))
        try:
            source.check_types(types)
        except UserError:
            continue
        layout = _layout(source, mix, types, header)
        if header is None:
            header = (layout, read_header(_HeaderOnly(layout)))
        facts = facts_from_header(_with_types(header[1], layout, mix), layout.file_bytes, source.title)
        divergence = 0.0 if name == source.original_type else _expected(name, source, types)
        found.append(
            Choice(
                type_name=name,
                size_bytes=layout.file_bytes,
                facts=facts,
                seconds=stopwatch.seconds(source, types, layout.file_bytes),
                words_changed=-1.0 if divergence is None else words_changed(divergence),
                tensor_types=dict(Counter(types.values())),
                needs_importance=bool(missing_importance(mix, types)),
            )
        )
    return sorted(found, key=lambda choice: choice.size_bytes)


def _expected(name: str, source: Source, types: Mapping[str, str]) -> float | None:
    """The divergence to expect; where rows are no multiple of 256, by the finer types that stand in for the usual."""
    usual = expected_divergence(name, source.parameters)
    matrices = [tensor for tensor in source.tensors if len(tensor.shape) > 1]
    if usual is None or all(tensor.columns % 256 == 0 for tensor in matrices):
        return usual
    weights = total = 0.0
    for tensor in matrices:
        kind = types[tensor.name]
        share = expected_divergence(_MIX_LIKE.get(kind, kind), source.parameters)
        weights += tensor.rows * tensor.columns
        total += tensor.rows * tensor.columns * (usual if share is None else share)
    return min(usual, total / max(1.0, weights))


def warnings(source: Source) -> list[str]:
    """What a person should know before the start."""
    found = []
    if source.loses_bits:
        found.append(
            "These weights were rounded to few bits before: bits that were lost are not regained. "
            "The original weights, where they can be had, give a better result."
        )
    if not source.has_chat_template and source.kind != "lora":
        found.append("The model says nothing of how a conversation with it is written: it may be no chat model.")
    narrow = Counter(tensor.columns for tensor in source.tensors if len(tensor.shape) > 1 and tensor.columns % 256)
    if narrow and source.kind != "lora":
        width = narrow.most_common(1)[0][0]
        found.append(
            f"Rows of {width:,} weights cannot be divided into blocks of 256: types of few bits keep more bits there, "
            "so their files are larger than usual."
        )
    return found


def _useful(source: Source, names: tuple[str, ...]) -> tuple[str, ...]:
    """Not the float types beside the one that keeps every bit."""
    if source.offered:
        return source.offered
    return tuple(name for name in names if name not in ("F32", "F16", "BF16") or name == source.original_type)


def _imported(name: str) -> bool:
    """Whether a mix is only ever made with importance weights, so that its types are chosen with them."""
    return name.startswith(("IQ1", "IQ2")) or name == "IQ3_XXS"


def _plain(source: Source) -> dict[str, object]:
    return {meta.key: meta.value for meta in source.metadata} | dict(source.values)


def _layout(
    source: Source, mix: Mix, types: Mapping[str, str], known: tuple[GgufLayout, GgufHeader] | None
) -> GgufLayout:
    """The layout; the metadata, which may be megabytes of vocabulary, are encoded only the first time."""
    shapes = [(tensor.name, tensor.shape, types[tensor.name]) for tensor in source.tensors]
    if known is None:
        return plan_layout(source.entries(mix.file_type, QUANTISATION_VERSION), shapes)
    bare = plan_layout([], shapes)
    start = len(known[0].header)
    shift = start - len(bare.header)
    moved = tuple(replace(place, offset=place.offset + shift) for place in bare.tensors)
    return GgufLayout(known[0].header, moved, bare.file_bytes + shift)


def _with_types(header: GgufHeader, layout: GgufLayout, mix: Mix) -> GgufHeader:
    tensors = tuple(
        TensorInfo(
            place.name,
            tuple(reversed(place.shape)) or (1,),
            _KIND_BY_NAME[place.type_name],
            place.offset - header.data_offset,
            place.size_bytes,
        )
        for place in layout.tensors
    )
    values = {**header.values, "general.file_type": mix.file_type}
    return replace(header, tensors=tensors, values=values, file_bytes=layout.file_bytes)


class _HeaderOnly:
    """The beginning of a file that is not written yet, as a source of bytes."""

    def __init__(self, layout: GgufLayout) -> None:
        self._layout = layout

    @property
    def size(self) -> int:
        return self._layout.file_bytes

    def read(self, offset: int, length: int) -> bytes:
        return self._layout.header[offset : offset + length]
