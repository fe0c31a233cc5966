"""Quantised rows against ggml's own: they decode in llama.cpp, and are no further from the weights than its."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest
from gguf import GGMLQuantizationType, quants
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from snug.convert.quantize import TYPES, quantize_rows, row_bytes, simd_paths, type_for_columns
from snug.core.errors import UserError
from snug.engine.ggml_quantize import dequantize_with_ggml, quantize_with_ggml
from snug.paths import resources_folder

Weights = NDArray[np.float32]

KERNEL_TYPES = [name for name, shape in TYPES.items() if shape.by == "kernels"]
IS_FULL = os.environ.get("SNUG_FULL_TESTS") == "1"
# ggml builds tables of up to 25 s for the smaller ones before their first row.
GGML_ONLY = [name for name, shape in TYPES.items() if shape.by == "ggml"] if IS_FULL else ["MXFP4", "IQ3_XXS", "IQ3_S"]
ROWS, COLUMNS = 48, 1280  # five blocks of 256 to the row: an odd number, so that batches end half full


def gaussian() -> Weights:
    return np.random.default_rng(1).normal(scale=0.02, size=(ROWS, COLUMNS)).astype(np.float32)


def laplace() -> Weights:
    return np.random.default_rng(2).laplace(scale=0.02, size=(ROWS, COLUMNS)).astype(np.float32)


def outliers() -> Weights:
    generator = np.random.default_rng(3)
    weights = generator.normal(scale=0.02, size=(ROWS, COLUMNS)).astype(np.float32)
    weights[generator.random(weights.shape) < 0.01] *= 15
    return weights


def pip() -> Weights:
    """Rows of the bundled model, from its Q8_0 file, with rounding made up for by noise of a step's size."""
    from gguf import GGUFReader

    reader = GGUFReader(resources_folder() / "models" / "pip" / "pip-7m-Q8_0.gguf")
    tensor = next(t for t in reader.tensors if t.name == "blk.0.ffn_up.weight")
    values = quants.dequantize(tensor.data, tensor.tensor_type)
    steps = np.abs(values).max(axis=1, keepdims=True) / 127
    noise = np.random.default_rng(4).uniform(-0.5, 0.5, values.shape)
    return (values + noise * steps).astype(np.float32)[:240, :256]


DISTRIBUTIONS: dict[str, Callable[[], Weights]] = {
    "gaussian": gaussian,
    "laplace": laplace,
    "outliers": outliers,
    "pip": pip,
}


def importance_for(weights: Weights) -> Weights:
    return (np.random.default_rng(5).gamma(0.5, size=weights.shape[1]) + 1e-3).astype(np.float32)


def decoded(blocks: bytes, type_name: str, weights: Weights) -> Weights:
    return dequantize_with_ggml(blocks, type_name, weights.size).reshape(weights.shape)


def weighted_error(blocks: bytes, type_name: str, weights: Weights, importance: Weights | None) -> float:
    squares = (decoded(blocks, type_name, weights).astype(np.float64) - weights) ** 2
    return float((squares * importance if importance is not None else squares).sum())


def by_ggml(weights: Weights, type_name: str, importance: Weights | None = None) -> bytes:
    return quantize_with_ggml(weights, type_name, importance, 1, row_bytes(type_name, weights.shape[1]))


@pytest.fixture(params=simd_paths())
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SNUG_SIMD", request.param)
    return str(request.param)


@pytest.mark.parametrize("is_weighted", [False, True], ids=["plain", "importance"])
@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("type_name", KERNEL_TYPES)
@pytest.mark.usefixtures("path")
def test_the_error_is_no_larger_than_that_of_ggml(type_name: str, distribution: str, is_weighted: bool) -> None:
    weights = DISTRIBUTIONS[distribution]()
    importance = importance_for(weights) if is_weighted else None
    ours = weighted_error(quantize_rows(weights, type_name, importance), type_name, weights, importance)
    theirs = weighted_error(by_ggml(weights, type_name, importance), type_name, weights, importance)
    assert ours <= theirs * 1.0005


@pytest.mark.parametrize("type_name", [*KERNEL_TYPES, "F16", "BF16"])
@pytest.mark.usefixtures("path")
def test_an_independent_reader_decodes_the_same_values(type_name: str) -> None:
    weights = laplace()
    blocks = quantize_rows(weights, type_name)
    assert len(blocks) == ROWS * row_bytes(type_name, COLUMNS)
    rows = np.frombuffer(blocks, np.uint8).reshape(ROWS, -1)
    by_gguf = quants.dequantize(rows, GGMLQuantizationType[type_name])
    assert np.array_equal(by_gguf, decoded(blocks, type_name, weights))


@pytest.mark.parametrize("type_name", KERNEL_TYPES)
def test_every_path_is_as_exact_as_the_others(type_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = gaussian()
    errors = []
    for name in simd_paths():
        monkeypatch.setenv("SNUG_SIMD", name)
        errors.append(weighted_error(quantize_rows(weights, type_name), type_name, weights, None))
    assert max(errors) <= min(errors) * 1.002


@pytest.mark.parametrize("type_name", [*KERNEL_TYPES, "MXFP4", "IQ3_S"])
def test_threads_do_not_change_the_bytes(type_name: str) -> None:
    weights = np.tile(gaussian(), (4, 1)) if type_name in KERNEL_TYPES else gaussian()[:7, :256].copy()
    importance = importance_for(weights)
    assert len({quantize_rows(weights, type_name, importance, threads) for threads in (1, 2, 3)}) == 1


@pytest.mark.parametrize("type_name", GGML_ONLY)
def test_the_other_types_have_the_bytes_of_ggml(type_name: str) -> None:
    weights = gaussian()[:2, :256].copy()
    importance = np.ones(256, np.float32)
    assert quantize_rows(weights, type_name, importance) == by_ggml(weights, type_name, importance)


@pytest.mark.parametrize("type_name", KERNEL_TYPES)
@pytest.mark.parametrize("size", [0.0, 1e-42, 1e-30, 1e-6, 1e-3, 1e3, 3e38])
@pytest.mark.usefixtures("path")
def test_zeros_denormals_and_huge_values_decode_to_finite_ones(type_name: str, size: float) -> None:
    weights = (np.random.default_rng(6).uniform(-1, 1, (3, 512)) * size).astype(np.float32)
    back = decoded(quantize_rows(weights, type_name), type_name, weights)
    assert np.isfinite(back).all()
    if size == 0:
        assert not back.any()
    if size in (1e-3, 1e3):  # where a half still holds the scale well enough
        assert np.abs(back - weights).max() <= size * 0.75


@pytest.mark.parametrize("type_name", KERNEL_TYPES)
@pytest.mark.parametrize("value", [0.5, -0.5])
@pytest.mark.usefixtures("path")
def test_equal_values_stay_what_they_were(type_name: str, value: float) -> None:
    weights = np.full((2, 256), value, np.float32)
    assert np.abs(decoded(quantize_rows(weights, type_name), type_name, weights) - value).max() <= 0.005


@pytest.mark.parametrize("type_name", ["Q4_K", "Q2_K", "Q6_K", "IQ4_XS", "Q4_0"])
@pytest.mark.usefixtures("path")
def test_columns_without_importance_do_no_harm_to_the_others(type_name: str) -> None:
    weights = gaussian()
    importance = np.zeros(COLUMNS, np.float32)
    importance[::7] = 1
    ours = weighted_error(quantize_rows(weights, type_name, importance), type_name, weights, importance)
    plain = weighted_error(quantize_rows(weights, type_name), type_name, weights, importance)
    assert ours < plain
    back = decoded(quantize_rows(weights, type_name, np.zeros(COLUMNS, np.float32)), type_name, weights)
    assert np.array_equal(back, decoded(quantize_rows(weights, type_name), type_name, weights))


@pytest.mark.parametrize("type_name", KERNEL_TYPES)
@settings(max_examples=15, deadline=None)
@given(
    weights=arrays.arrays(np.float32, (1, 256), elements=st.floats(-1000, 1000, width=32)),
    exponent=st.integers(-12, 3),
)
def test_no_weights_decode_far_from_what_they_were(type_name: str, weights: Weights, exponent: int) -> None:
    scaled = weights * np.float32(10.0**exponent)
    back = decoded(quantize_rows(scaled, type_name), type_name, scaled)
    largest = float(np.abs(scaled).max())
    assert np.abs(back - scaled).max() <= largest * 1.05 + 1e-6


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("type_name", ["Q4_K", "F16", "MXFP4"])
def test_a_value_that_is_no_number_is_told_with_its_place(type_name: str, bad: float) -> None:
    weights = gaussian()
    weights[3, 77] = bad
    with pytest.raises(UserError, match="infinite or not a number") as caught:
        quantize_rows(weights, type_name)
    assert caught.value.details.startswith("row 3, column 77")


@pytest.mark.parametrize("name", [*KERNEL_TYPES, *GGML_ONLY])
def test_rows_that_blocks_do_not_divide_have_a_type_that_fits(name: str) -> None:
    for columns in (32, 100, 160, 256, 4096):
        fitting = type_for_columns(name, columns)
        assert len(quantize_rows(np.ones((1, columns), np.float32), fitting, np.ones(columns, np.float32)))
        if fitting != name:
            with pytest.raises(UserError, match=f"Use {fitting} for them"):
                quantize_rows(np.ones((1, columns), np.float32), name)


def test_the_stand_ins_are_those_of_llama_quantize() -> None:
    found = {name: type_for_columns(name, 160) for name in ("Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_XS", "Q8_0")}
    assert found == {
        "Q2_K": "Q4_0",
        "Q3_K": "Q4_0",
        "Q4_K": "Q5_0",
        "Q5_K": "Q5_1",
        "Q6_K": "Q8_0",
        "IQ4_XS": "IQ4_NL",
        "Q8_0": "Q8_0",
    }
    assert type_for_columns("Q4_K", 100) == "F16"


@pytest.mark.parametrize(
    ("type_name", "importance", "threads"),
    [
        ("Q4_Z", None, 1),
        ("Q4_K", None, 0),
        ("Q4_K", np.ones(7, np.float32), 1),
        ("Q4_K", np.full(COLUMNS, -1, np.float32), 1),
        ("Q4_K", np.full(COLUMNS, np.nan, np.float32), 1),
        ("IQ2_XXS", None, 1),
    ],
)
def test_bad_input_is_told_in_words(type_name: str, importance: Weights | None, threads: int) -> None:
    with pytest.raises(UserError) as caught:
        quantize_rows(gaussian(), type_name, importance, threads)
    assert caught.value.bad_input
    assert caught.value.advice


def test_a_path_that_the_processor_lacks_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNUG_SIMD", "abacus")
    with pytest.raises(UserError, match="SNUG_SIMD"):
        quantize_rows(gaussian(), "Q4_K")


def test_a_value_too_large_for_half_precision_is_told() -> None:
    with pytest.raises(UserError, match="Use BF16"):
        quantize_rows(np.full((1, 32), 1e6, np.float32), "F16")


def test_no_rows_make_no_bytes() -> None:
    assert quantize_rows(np.empty((0, 256), np.float32), "Q4_K") == b""
