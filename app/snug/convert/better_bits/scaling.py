"""Activation-aware scaling (AWQ, Lin et al. 2023), folded into what comes before, so that the model computes the same.

Columns whose inputs are large are multiplied by s before they are rounded, and what makes those inputs is divided by s:
the norm before query, key and value or before gate and up, the rows of value before the attention's output (heads that
share a value share its scale), or the rows of up before `ffn_down` (whose input is act(gate) * up). The scales are
powers of the inputs' size. A group is scaled only where that lowers the errors of its
outputs on inputs that neither the rounding nor the choice of the power has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from snug.convert.better_bits.feedback import FeedbackCache
from snug.convert.better_bits.inputs import InputTables
from snug.convert.better_bits.options import BetterBits
from snug.convert.better_bits.rounding import Rounder
from snug.convert.better_bits.sensitivity import relative_error
from snug.convert.plan import ModelPlan, OutputTensor
from snug.formats.checkpoints.number_types import Floats

ARCHITECTURES = ("llama", "mistral3", "qwen2", "qwen3", "gemma", "gemma2", "gemma3", "phi3", "smollm3", "granite")
"""Where a norm's output is read by nothing but these matrices, and the feed-forward part is gated."""

POWERS = (0.15, 0.3, 0.5)
LEAST_GAIN = 0.02
"""A group stays as it is unless its error falls by so much: below lies the noise of judging."""

_ROWS = 96
_NARROWEST, _WIDEST = 1 / 8, 8.0


@dataclass(frozen=True, slots=True)
class Group:
    """Matrices that read the same inputs, and the tensor that makes these: a norm, or a matrix, whose row
    `maker_rows[c]` makes column c (and whose bias, where it has one, belongs to it)."""

    maker: str
    readers: tuple[str, ...]
    maker_rows: NDArray[np.intp] | None = None

    def shared(self, size: Floats) -> Floats:
        """The size of each column as the root mean square of all that the same row makes."""
        if self.maker_rows is None:
            return size
        squares = np.bincount(self.maker_rows, np.square(size)) / np.maximum(1, np.bincount(self.maker_rows))
        means: Floats = np.sqrt(squares)[self.maker_rows].astype(np.float32)
        return means


def groups_of(plan: ModelPlan) -> list[Group]:
    """The groups that can be scaled exactly; none in architectures that are not known for it, or with experts."""
    if plan.architecture not in ARCHITECTURES:
        return []
    tensors = {tensor.name: tensor for tensor in plan.tensors}
    heads = next((meta.value for meta in plan.metadata if meta.key.endswith(".attention.head_count")), 0)
    found: list[Group] = []
    for layer in sorted({name.split(".")[1] for name in tensors if name.startswith("blk.")}, key=int):
        start = f"blk.{layer}."
        if any(name.startswith(start) and ("_exps" in name or "ffn_gate_inp" in name) for name in tensors):
            continue
        for maker, readers in (
            ("attn_norm", ("attn_q", "attn_k", "attn_v", "attn_qkv")),
            ("ffn_norm", ("ffn_gate", "ffn_up")),
        ):
            present = tuple(f"{start}{name}.weight" for name in readers if f"{start}{name}.weight" in tensors)
            if present and f"{start}{maker}.weight" in tensors and f"{start}{maker}.bias" not in tensors:
                found.append(Group(f"{start}{maker}.weight", present))
        found += _value_group(tensors, start, heads if isinstance(heads, int) else 0)
        found += _up_group(tensors, start)
    return found


def _value_group(tensors: Mapping[str, OutputTensor], start: str, heads: int) -> list[Group]:
    """The attention's output: column d of head h is made by row d of the value that the head reads."""
    reader = tensors.get(f"{start}attn_output.weight")
    value, fused = tensors.get(f"{start}attn_v.weight"), tensors.get(f"{start}attn_qkv.weight")
    maker = value or fused
    if reader is None or maker is None or heads <= 0 or reader.columns % heads:
        return []
    if any(f"{start}attn_{name}.weight" in tensors for name in ("sub_norm", "v_norm", "gate")):
        return []
    width = reader.columns // heads
    values = maker.rows if fused is None else (maker.rows - reader.columns) // 2  # query, key, value under each other
    if values % width or values <= 0 or heads % (values // width):
        return []
    head, place = np.divmod(np.arange(reader.columns), width)
    rows = head // (heads // (values // width)) * width + place
    return [Group(maker.name, (reader.name,), rows + maker.rows - values)]


def _up_group(tensors: Mapping[str, OutputTensor], start: str) -> list[Group]:
    """`ffn_down`: its column c is made by row c of up, which may lie below gate in one tensor."""
    up, down = tensors.get(f"{start}ffn_up.weight"), tensors.get(f"{start}ffn_down.weight")
    if up is None or down is None or f"{start}ffn_sub_norm.weight" in tensors:
        return []
    is_fused = f"{start}ffn_gate.weight" not in tensors
    if up.rows != down.columns * (2 if is_fused else 1):
        return []
    return [Group(up.name, (down.name,), np.arange(down.columns) + up.rows - down.columns)]


@dataclass(frozen=True, slots=True)
class Scaled:
    """The plan with scales folded in, what its inputs and importance then are, and the makers that were scaled."""

    plan: ModelPlan
    inputs: InputTables
    importance: Mapping[str, Floats]
    makers: tuple[str, ...]


def scale_plan(
    plan: ModelPlan,
    types: Mapping[str, str],
    inputs: InputTables,
    importance: Mapping[str, Floats],
    options: BetterBits,
    on_group: Callable[[int, int], None] = lambda done, total: None,
    threads: int = 1,
) -> Scaled:
    """Scale each group for which that lowers the error of its outputs with these types."""
    tensors = {tensor.name: tensor for tensor in plan.tensors}
    groups, scaled_makers = groups_of(plan), []
    known = dict(importance)
    for number, group in enumerate(groups):
        on_group(number, len(groups))
        scale = _best_scale(group, tensors, types, inputs, known, options, threads)
        if scale is None:
            continue
        scaled_makers.append(group.maker)
        fold(tensors, group, scale)
        inputs = inputs.scaled(group.readers, scale)
        known = _scaled_importance(known, group.readers, scale)
    ordered = tuple(tensors[tensor.name] for tensor in plan.tensors)
    return Scaled(replace(plan, tensors=ordered), inputs, known, tuple(scaled_makers))


def fold(tensors: dict[str, OutputTensor], group: Group, scale: Floats) -> None:
    """Multiply the readers' columns by `scale` and divide what their maker makes by it, in place."""
    for name in group.readers:
        tensors[name] = _with_columns(tensors[name], scale)
    maker = tensors[group.maker]
    if group.maker_rows is None:
        tensors[group.maker] = _with_columns(maker, np.reciprocal(scale))
        return
    factors = np.ones(maker.rows, np.float32)
    factors[group.maker_rows] = np.reciprocal(scale)
    tensors[group.maker] = _with_rows(maker, factors)
    bias = group.maker.removesuffix(".weight") + ".bias"
    if bias in tensors:
        tensors[bias] = _with_columns(tensors[bias], factors)


def _best_scale(
    group: Group,
    tensors: Mapping[str, OutputTensor],
    types: Mapping[str, str],
    inputs: InputTables,
    importance: Mapping[str, Floats],
    options: BetterBits,
    threads: int,
) -> Floats | None:
    """The scales of the group's columns, None where it had better stay as it is."""
    seen = inputs.find(group.readers[0])
    leaders = {known.leader for name in group.readers if (known := inputs.find(name)) is not None}
    is_ready = seen is not None and seen.samples is not None and len(seen.samples) >= 64 and len(leaders) == 1
    if not is_ready or any(types.get(name) in ("F32", "F16", "BF16") for name in group.readers):
        return None
    assert seen is not None
    assert seen.samples is not None
    size = group.shared(seen.sizes())
    if not (size > 0).all():
        return None
    choosing, judging = seen.samples[::2], seen.samples[1::2]
    cache, errors = FeedbackCache(keeps_factors=True), []
    scales: list[Floats] = [np.ones_like(size), *(_scale(size, power) for power in POWERS)]
    for scale in scales:
        figures = _scaled_importance(importance, group.readers, scale)
        rounder = Rounder(options, figures, inputs.scaled(group.readers, scale), threads, cache)
        errors.append(_errors(group, tensors, types, rounder, scale, (choosing, judging)))
    best = min(range(len(scales)), key=lambda index: errors[index][0])
    if best == 0 or errors[best][1] > (1 - LEAST_GAIN) * errors[0][1]:
        return None
    return scales[best]


def _scale(size: Floats, power: float) -> Floats:
    raw = size.astype(np.float64) ** power
    raw /= np.exp(np.log(raw).mean())
    return np.clip(raw, _NARROWEST, _WIDEST).astype(np.float32)


def _scaled_importance(importance: Mapping[str, Floats], names: Sequence[str], scale: Floats) -> dict[str, Floats]:
    """The importance of the columns of `names` once their inputs are divided by `scale`."""
    return dict(importance) | {name: importance[name] / scale**2 for name in names if name in importance}


def _errors(
    group: Group,
    tensors: Mapping[str, OutputTensor],
    types: Mapping[str, str],
    rounder: Rounder,
    scale: Floats,
    samples: tuple[Floats, Floats],
) -> tuple[float, float]:
    """The sums over the group of the outputs' relative errors on both kinds of samples, from some of the rows."""
    sums = [0.0, 0.0]
    for name in group.readers:
        tensor = tensors[name]
        step = max(1, tensor.rows // _ROWS)
        rows = np.concatenate([tensor.read_rows(row, row + 1) for row in range(0, tensor.rows, step)])
        rounded = rounder.round(name, rows.shape, rows * scale, types[name]).values / scale
        for index, some in enumerate(samples):
            sums[index] += relative_error(rows, rounded, some)
    return sums[0], sums[1]


def _with_columns(tensor: OutputTensor, scale: Floats) -> OutputTensor:
    def read(first: int, last: int) -> Floats:
        return np.multiply(tensor.read_rows(first, last), scale)

    return replace(tensor, read_rows=read, read_stored=None)


def _with_rows(tensor: OutputTensor, scale: Floats) -> OutputTensor:
    def read(first: int, last: int) -> Floats:
        return np.multiply(tensor.read_rows(first, last), scale[first:last, None])

    return replace(tensor, read_rows=read, read_stored=None)
