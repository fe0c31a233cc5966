"""Tensors that suffer more than others: found in the result, and given more bits before they are written."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median

import numpy as np

from snug.convert.checks.part_names import part_names
from snug.convert.checks.report import Check
from snug.convert.plan import OutputTensor
from snug.convert.quantize import quantize_rows
from snug.core.errors import UserError
from snug.formats.byte_source import ByteSource
from snug.formats.checkpoints.gguf_blocks import BLOCKS
from snug.formats.checkpoints.gguf_weights import GgufWeights, floats_of
from snug.formats.checkpoints.number_types import Floats
from snug.formats.ggml_types import TYPES
from snug.formats.gguf_header import GgufHeader

NAME = "outliers"
SAMPLE_VALUES = 64 * 1024
PLACES = 4
"""So many weights of a tensor are looked at, in rows at so many places of it."""
OUTLIER = 3.0
"""An error of more than so many times the usual one of its type is an outlier."""
FEWEST = 4
"""Of so many tensors at least a type's usual error is told."""
BROKEN = 0.5
"""A relative squared error from which on a tensor is not what the source says; IQ1_S, the worst, has 0.25."""
MOST_GROWTH = 0.02
"""Finer types may make the file larger by this share at most."""

NEXT_FINER = {
    "IQ1_S": "Q2_K", "IQ1_M": "Q2_K", "IQ2_XXS": "Q2_K", "IQ2_XS": "Q3_K", "IQ2_S": "Q3_K", "Q2_K": "Q3_K",
    "IQ3_XXS": "Q4_K", "IQ3_S": "Q4_K", "Q3_K": "Q4_K", "IQ4_XS": "Q5_K", "Q4_K": "Q5_K", "Q5_K": "Q6_K",
    "Q6_K": "Q8_0", "Q4_0": "Q5_0", "Q4_1": "Q5_1", "IQ4_NL": "Q5_0", "Q5_0": "Q8_0", "Q5_1": "Q8_0", "Q8_0": "F16",
}  # fmt: skip
"""For each type one that is clearly finer."""
_TYPE_BY_NAME = {kind.name: kind for kind in TYPES}


@dataclass(frozen=True, slots=True)
class TensorError:
    """The squared error of sampled rows over their squares, for one tensor in one type."""

    name: str
    type_name: str
    error: float


def sampled_rows(rows: int, columns: int) -> list[tuple[int, int]]:
    """First and last rows to look at: spread over the tensor, at most SAMPLE_VALUES weights in all."""
    each = max(1, SAMPLE_VALUES // max(1, columns) // PLACES)
    if rows <= each * PLACES:
        return [(0, rows)]
    return [(place, place + each) for place in (round(i * (rows - each) / (PLACES - 1)) for i in range(PLACES))]


def relative_error(before: Floats, after: Floats) -> float:
    """Squared error over squares; infinite where a value is none."""
    difference = float(np.sum((before.astype(np.float64) - after) ** 2))
    size = float(np.sum(before.astype(np.float64) ** 2))
    if not math.isfinite(difference) or not math.isfinite(size):
        return math.inf
    if size == 0.0:
        return 0.0 if difference == 0.0 else math.inf
    return difference / size


def errors_of(
    tensors: Sequence[OutputTensor],
    header: GgufHeader,
    source: ByteSource,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> list[TensorError]:
    """Each tensor of a finished file, held against the rows that it was made of."""
    weights = GgufWeights(header, source)
    found = []
    for tensor in tensors:
        if is_cancelled():
            break
        info = weights.tensors.get(tensor.name)
        if info is None:
            found.append(TensorError(tensor.name, "missing", math.inf))
            continue
        if info.kind.name not in BLOCKS and info.kind.name not in _PLAIN:
            continue
        spans = sampled_rows(tensor.rows, tensor.columns)
        before = np.concatenate([tensor.read_rows(first, last) for first, last in spans])
        after = np.concatenate([weights.read_rows(tensor.name, first, last) for first, last in spans])
        found.append(TensorError(tensor.name, info.kind.name, relative_error(before, after)))
    return found


_PLAIN = ("F32", "F16", "BF16")


def outliers_among(errors: Sequence[TensorError], factor: float = OUTLIER) -> list[TensorError]:
    """The tensors whose error is many times the usual one of their type, the worst first."""
    usual = usual_errors(errors)
    found = []
    for item in errors:
        limit = factor * usual[item.type_name] if item.type_name in usual else math.inf
        if item.error > min(limit, BROKEN):
            found.append(item)
    return sorted(found, key=lambda item: -item.error)


def usual_errors(errors: Sequence[TensorError]) -> dict[str, float]:
    """The median error of each type that enough tensors have, at least that of normally distributed weights.

    Weights that were rounded before lie on a grid, from which some types take them almost without an error: what is
    above that is no outlier yet.
    """
    by_type: dict[str, list[float]] = {}
    for item in errors:
        by_type.setdefault(item.type_name, []).append(item.error)
    return {kind: max(median(found), normal_error(kind)) for kind, found in by_type.items() if len(found) >= FEWEST}


@cache
def normal_error(type_name: str) -> float:
    """The relative error of a type on normally distributed weights; 0 for a type that is not made by the kernels."""
    kind = _TYPE_BY_NAME.get(type_name)
    if kind is None or (type_name not in BLOCKS and type_name not in _PLAIN):
        return 0.0
    weights = np.random.default_rng(1).standard_normal((64, 256)).astype(np.float32)
    try:
        raw = quantize_rows(weights, type_name)
    except UserError:
        return 0.0
    return relative_error(weights, floats_of(raw, kind).reshape(weights.shape))


def check_outliers(errors: Sequence[TensorError], finer: Mapping[str, str]) -> Check:
    """The report on a finished file; `finer` are the tensors that were given more bits, with their types."""
    if not errors:
        return Check(NAME, True, "The weights were not compared with the original's.", is_done=False)
    worst = sorted(errors, key=lambda item: -item.error)
    details = "\n".join(f"{item.name}: {item.type_name}, relative error {item.error:.2g}" for item in worst[:8])
    broken = [item for item in worst if item.error > BROKEN]
    if broken:
        return Check(
            NAME,
            False,
            f"{len(broken)} of {len(errors)} parts are not what the original has: the file is of no use. "
            "Convert it again; if it happens again, please report this model.",
            details,
        )
    if finer:
        kept = "\n".join(f"{name}: kept as {kind}" for name, kind in sorted(finer.items()))
        kept_parts = part_names(sorted(finer, key=_natural))
        words = (
            f"{len(finer)} of {len(errors)} parts would have lost much more than the others, so they keep more bits: "
            f"{kept_parts}."
        )
        return Check(NAME, True, words, f"{kept}\n{details}")
    left = outliers_among(errors)
    if left:
        words = (
            f"{len(left)} of {len(errors)} parts lose clearly more than the others ({_named(left)}); "
            "the file can be used."
        )
        return Check(NAME, True, words, details)
    return Check(NAME, True, f"No part of it loses much more than the others ({len(errors)} were compared).", details)


def _named(errors: Sequence[TensorError]) -> str:
    return part_names(item.name for item in errors)


def _natural(name: str) -> list[int | str]:
    """Layer 10 after layer 9."""
    return [int(piece) if piece.isdigit() else piece for piece in re.split(r"(\d+)", name)]


def finer_types(
    tensors: Sequence[OutputTensor],
    types: Mapping[str, str],
    *,
    is_cancelled: Callable[[], bool] = lambda: False,
    factor: float = OUTLIER,
) -> dict[str, str]:
    """Types with more bits for the tensors that would lose much more than others of their type.

    Rows of each are quantised as a trial; the worst are mended first, while the file grows by no more than MOST_GROWTH.
    Reads rows of every tensor: for weights that are here already. Deterministic, so that a conversion can go on.
    """
    errors, by_name = [], {tensor.name: tensor for tensor in tensors}
    for tensor in tensors:
        kind = types[tensor.name]
        if is_cancelled() or tensor.fixed_type is not None or kind not in NEXT_FINER or kind not in BLOCKS:
            continue
        error = trial_error(tensor, kind)
        if error is not None:
            errors.append(TensorError(tensor.name, kind, error))
    sizes = {name: _bytes(tensor, types[name]) for name, tensor in by_name.items()}
    room = MOST_GROWTH * sum(sizes.values())
    chosen: dict[str, str] = {}
    for item in outliers_among(errors, factor):
        tensor, finer = by_name[item.name], NEXT_FINER[item.type_name]
        growth = _bytes(tensor, finer) - sizes[item.name]
        if growth <= 0 or growth > room:
            continue
        better = trial_error(tensor, finer)
        if better is not None and better < item.error:
            chosen[item.name] = finer
            room -= growth
    return chosen


def trial_error(tensor: OutputTensor, type_name: str) -> float | None:
    """The error of sampled rows in a type, None where it cannot be tried."""
    rows = np.concatenate([tensor.read_rows(first, last) for first, last in sampled_rows(tensor.rows, tensor.columns)])
    try:
        raw = quantize_rows(rows, type_name)
    except UserError:
        return None  # what the kernels refuse (values that are none, odd rows) the conversion itself reports
    return relative_error(rows, floats_of(raw, _TYPE_BY_NAME[type_name]).reshape(rows.shape))


def _bytes(tensor: OutputTensor, type_name: str) -> float:
    kind = _TYPE_BY_NAME[type_name]
    return tensor.rows * tensor.columns / kind.block * kind.bytes
