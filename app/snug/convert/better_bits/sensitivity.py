"""How much worse a model's predictions get for each error in each tensor: measured once, so that types can be chosen.

Divergence grows with the square of a small error, and errors of different tensors add up, nearly. So the divergence
that a type costs a tensor is its output's relative squared error with that type, measured on some rows, times a
factor of the tensor: the divergence that one rough rounding of it alone causes, over that rounding's error. Each such
measurement reads text with the whole model, so of a large one only some layers are measured; the factors of those
between lie between (their logarithms do, along the layers, for each kind of tensor).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from snug.convert.better_bits.feedback import FEEDBACK_TYPES
from snug.convert.better_bits.inputs import InputTables
from snug.convert.better_bits.knapsack import Choice
from snug.convert.better_bits.rounding import Rounder, values_of
from snug.convert.plan import OutputTensor
from snug.convert.quantize import quantize_rows, row_bytes, type_for_columns
from snug.engine.weight_editor import EditableModel
from snug.formats.checkpoints.number_types import Floats
from snug.measure.in_memory import Comparison

CANDIDATES = ("Q2_K", "Q3_K", "IQ4_XS", "Q4_K", "Q5_K", "Q6_K", "Q8_0", "F16")
"""From small to large. The IQ types below four bits are left out: their codebooks leave nothing to error feedback."""

PROBE = "Q3_K"
SAMPLE_ROWS = 192
SAMPLE_MATRICES = 4
"""Experts that stand for all of a tensor: each has inputs of its own."""

MOST_WORK = 40_000_000_000_000
"""Weights times tokens that all measurements may read together: about a quarter of an hour on two cores."""

FEWEST_LAYERS = 4


@dataclass(frozen=True, slots=True)
class Tried:
    """The model in memory, where tensors can be changed, and what tells how far it then is from itself."""

    model: EditableModel
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Of one tensor: divergence for a relative output error of 1, and that error for each candidate type."""

    factor: float
    errors: Mapping[str, float]


def candidates_for(tensor: OutputTensor) -> tuple[str, ...]:
    """The types that this tensor's rows can have, without those that stand in for each other."""
    found = [type_for_columns(name, tensor.columns) for name in CANDIDATES]
    sizes: dict[int, str] = {}
    for name in found:
        sizes.setdefault(row_bytes(name, tensor.columns), name)
    return tuple(sizes[size] for size in sorted(sizes))


def measure_sensitivities(
    tensors: Sequence[OutputTensor],
    rounder: Rounder,
    inputs: InputTables,
    tried: Tried | None,
    on_tensor: Callable[[int, str], None] = lambda done, name: None,
) -> dict[str, Sensitivity]:
    """Of every tensor that may be quantised. The model is left as it was; without one all factors are alike."""
    weights = sum(tensor.rows * tensor.columns for tensor in tensors)
    names = [tensor.name for tensor in tensors]
    measured = measured_names(names, weights * tried.comparison.tokens) if tried else frozenset()
    factors: dict[str, float] = {}
    errors: dict[str, dict[str, float]] = {}
    for number, tensor in enumerate(tensors):
        on_tensor(number, tensor.name)
        errors[tensor.name] = _errors(tensor, rounder, inputs)
        if tried and tensor.name in measured:
            factors[tensor.name] = _factor(tensor, inputs, tried.model, tried.comparison)
    return {tensor.name: Sensitivity(_between(tensor.name, factors), errors[tensor.name]) for tensor in tensors}


def measured_names(names: Sequence[str], work: int) -> frozenset[str]:
    """The tensors to measure where one costs `work` (weights times tokens): all, or those of layers spread evenly."""
    layers = sorted({layer for name in names if (layer := _place(name)[1]) is not None})
    affordable = MOST_WORK // max(1, work) * max(1, len(layers)) // max(1, len(names))
    count = min(len(layers), max(FEWEST_LAYERS, affordable))
    chosen = {layers[round(index * (len(layers) - 1) / max(1, count - 1))] for index in range(count)}
    return frozenset(name for name in names if (layer := _place(name)[1]) is None or layer in chosen)


def _place(name: str) -> tuple[str, int | None]:
    """The kind of a tensor and its layer, None for those of no layer."""
    parts = name.split(".")
    if len(parts) > 2 and parts[0] == "blk" and parts[1].isdigit():
        return ".".join(parts[2:]), int(parts[1])
    return name, None


def _between(name: str, factors: Mapping[str, float]) -> float:
    """The factor of one tensor, or what lies between those of its kind in measured layers; 0 for unknown."""
    if name in factors:
        return factors[name]
    kind, layer = _place(name)
    known = sorted(
        (place, factor)
        for other, factor in factors.items()
        for of_kind, place in (_place(other),)
        if of_kind == kind and place is not None and factor > 0
    )
    if layer is None or not known:
        return 0.0
    places, values = zip(*known, strict=True)
    return float(np.exp(np.interp(layer, places, np.log(values))))


def _factor(tensor: OutputTensor, inputs: InputTables, model: EditableModel, comparison: Comparison) -> float:
    """The divergence that rounding this tensor alone causes, for an error of 1."""
    rows = tensor.read_rows(0, tensor.rows)
    probe = type_for_columns(PROBE, tensor.columns)
    rounded = _by_kernel(rows, probe)
    error = relative_error(rows, rounded, _samples(tensor, inputs))
    if error <= 0 or tensor.name not in model.names:
        return 0.0
    before = model.read(tensor.name)
    try:
        model.write(tensor.name, rounded)
        return max(0.0, comparison.divergence()) / error
    finally:
        model.put(tensor.name, before)


def _errors(tensor: OutputTensor, rounder: Rounder, inputs: InputTables) -> dict[str, float]:
    """The relative error with each candidate, from rows spread over the tensor.

    What the allowed methods make of the error is much the same share for all types (0.42 to 0.48 for one tensor of Pip
    from Q2_K to Q6_K), so it is measured with one of them.
    """
    parts = [
        (first, np.concatenate([tensor.read_rows(row, row + 1) for row in picked]))
        for first, picked in sampled_rows(tensor)
    ]
    rows = np.concatenate([part for _, part in parts])
    samples = _samples(tensor, inputs)
    probe = type_for_columns(PROBE, tensor.columns)
    rounded = [rounder.round(tensor.name, tensor.shape, part, probe, first).values for first, part in parts]
    best = relative_error(rows, np.concatenate(rounded), samples)
    share = best / max(relative_error(rows, _by_kernel(rows, probe), samples), 1e-12)
    errors = {}
    for name in candidates_for(tensor):
        if name in ("F16", "BF16", "F32"):
            errors[name] = 0.0
        else:
            error = relative_error(rows, _by_kernel(rows, name), samples)
            errors[name] = error * (share if name in FEEDBACK_TYPES else 1.0)
    return errors


def sampled_rows(tensor: OutputTensor) -> list[tuple[int, list[int]]]:
    """Some rows of a tensor, spread over it: for each of a few matrices (experts) its first row and the picked ones."""
    size = tensor.shape[-2] if len(tensor.shape) > 1 else tensor.rows
    count = max(1, tensor.rows // max(1, size))
    matrices = sorted({number * count // SAMPLE_MATRICES for number in range(SAMPLE_MATRICES)})
    wanted = max(1, SAMPLE_ROWS // len(matrices))
    step = max(1, size // wanted)
    return [
        (matrix * size, [matrix * size + row for row in range(step // 2, size, step)][:wanted]) for matrix in matrices
    ]


def _by_kernel(rows: Floats, type_name: str) -> Floats:
    return values_of(quantize_rows(rows, type_name), type_name, rows)


def relative_error(rows: Floats, rounded: Floats, samples: Floats | None) -> float:
    """Squared error of the outputs over their squares; of the weights themselves where inputs are not known."""
    difference = rows - rounded
    if samples is not None:
        difference, rows = difference @ samples.T, rows @ samples.T
    whole = float(np.square(rows).sum(dtype=np.float64))
    return float(np.square(difference).sum(dtype=np.float64)) / whole if whole > 0 else 0.0


def _samples(tensor: OutputTensor, inputs: InputTables) -> Floats | None:
    known = inputs.find(tensor.name)
    return None if known is None or known.columns != tensor.columns else known.samples


def choices_of(
    tensors: Sequence[OutputTensor], sensitivities: Mapping[str, Sensitivity]
) -> dict[str, tuple[Choice, ...]]:
    """What each type would cost each tensor. A tensor that nothing was measured of counts like the middle one."""
    known = [found.factor for found in sensitivities.values() if found.factor > 0]
    middle = float(np.exp(np.mean(np.log(known)))) if known else 1.0
    return {
        tensor.name: tuple(
            Choice(name, row_bytes(name, tensor.columns) * tensor.rows, (found.factor or middle) * error)
            for name, error in found.errors.items()
        )
        for tensor in tensors
        for found in (sensitivities[tensor.name],)
    }
