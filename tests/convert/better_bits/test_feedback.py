"""Error feedback: the native one does what the straightforward one in numpy does, and the engine reads its blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from snug.convert.better_bits.feedback import FEEDBACK_TYPES, Factors, Feedback, FeedbackCache, factors_of
from snug.convert.better_bits.inputs import InputTables
from snug.convert.better_bits.options import BetterBits
from snug.convert.better_bits.rounding import Rounder
from snug.convert.quantize import quantize_rows, simd_paths
from snug.core.errors import UserError
from snug.engine.calibration import Calibration, Products, Squares
from snug.engine.ggml_quantize import dequantize_with_ggml
from snug.formats.checkpoints.number_types import Floats
from tests.convert.better_bits.feedback_reference import GRIDS, blocks_of, improve_codes, round_with_feedback

COLUMNS = 544  # two times 256 and 32 more: for blocks of 32
ROWS = 100  # one panel and four rows more


def inputs_of(columns: int, count: int = 1500) -> Floats:
    """Inputs that hang together, as those of a model do."""
    random = np.random.default_rng(3)
    mixing = random.normal(size=(24, columns)) * 2
    return (random.normal(size=(count, 24)) @ mixing + random.normal(size=(count, columns))).astype(np.float32)


def weights_of(columns: int, rows: int = ROWS) -> Floats:
    return np.random.default_rng(4).normal(size=(rows, columns)).astype(np.float32)


def columns_for(name: str) -> int:
    return COLUMNS if GRIDS[name].block == 32 else 512


def whole_error(weights: Floats, rounded: Floats, table: Floats) -> float:
    difference = (weights - rounded).astype(np.float64)
    return float(np.einsum("ij,jk,ik->", difference, table, difference, optimize=True))


def rounded_by_reference(weights: Floats, name: str, factors: Factors) -> tuple[bytes, Floats]:
    grid = GRIDS[name]
    steps, codes, rounded = round_with_feedback(weights, grid, factors.inverse)
    improve_codes(weights, grid, factors.table, steps, codes, rounded)
    return blocks_of(grid, steps, codes), rounded


@pytest.mark.parametrize("name", GRIDS)
def test_any_codes_of_the_reference_are_read_by_the_engine_as_scale_times_code_less_low(name: str) -> None:
    grid, random = GRIDS[name], np.random.default_rng(1)
    weights = random.normal(size=(5, grid.block)).astype(np.float32)
    steps = grid.fit(weights, np.ones(grid.block, np.float32))
    codes = random.integers(0, grid.top + 1, (5, grid.block)).astype(np.uint8)
    blocks = steps.blocks.copy()
    grid.put(blocks, codes)
    scale, low = np.repeat(steps.scale, grid.sub, axis=1), np.repeat(steps.low, grid.sub, axis=1)
    read = dequantize_with_ggml(blocks.tobytes(), name, codes.size).reshape(codes.shape)
    assert np.abs(read - (scale * grid.numbers(codes) - low)).max() < 1e-5


def test_all_types_of_the_reference_have_native_feedback() -> None:
    assert set(GRIDS) == FEEDBACK_TYPES


@pytest.mark.parametrize("name", GRIDS)
def test_native_feedback_errs_no_more_than_the_reference_and_mostly_chooses_the_same(name: str) -> None:
    columns = columns_for(name)
    inputs, weights = inputs_of(columns), weights_of(columns)
    factors = factors_of(inputs.T @ inputs)
    data, values = Feedback([0], [factors]).round(weights, name)
    expected, reference = rounded_by_reference(weights, name, factors)
    assert len(data) == len(expected)
    error, least = whole_error(weights, values, factors.table), whole_error(weights, reference, factors.table)
    assert error <= 1.01 * least
    assert np.mean(np.isclose(values, reference, atol=1e-6)) > 0.5  # two scales that fit equally well part the ways
    read = dequantize_with_ggml(data, name, weights.size).reshape(weights.shape)
    assert np.abs(read - values).max() < 1e-5


@pytest.mark.parametrize("path", simd_paths())
def test_every_path_of_this_processor_errs_the_same(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNUG_SIMD", path)
    inputs, weights = inputs_of(512), weights_of(512)
    factors = factors_of(inputs.T @ inputs)
    for name in ("Q4_K", "Q3_K", "IQ4_XS"):
        _, values = Feedback([0], [factors]).round(weights, name)
        _, reference = rounded_by_reference(weights, name, factors)
        limit = 1.01 * whole_error(weights, reference, factors.table)
        assert whole_error(weights, values, factors.table) <= limit


@pytest.mark.parametrize("name", ["Q2_K", "Q4_K", "Q6_K", "Q4_0", "IQ4_XS"])
def test_feedback_lowers_the_error_on_inputs_that_it_never_saw(name: str) -> None:
    columns = columns_for(name)
    inputs, weights = inputs_of(columns, 2500), weights_of(columns)
    seen, fresh = inputs[:1800], inputs[1800:]
    products = seen.T @ seen
    _, values = Feedback([0], [factors_of(products)]).round(weights, name)
    plain = dequantize_with_ggml(quantize_rows(weights, name, np.diagonal(products)), name, weights.size)
    table = fresh.T @ fresh
    assert whole_error(weights, values, table) < 0.5 * whole_error(weights, plain.reshape(weights.shape), table)


def test_groups_of_columns_threads_and_parts_of_the_rows_change_no_byte() -> None:
    inputs, weights = inputs_of(768), weights_of(768, 250)
    groups = [factors_of(part.T @ part) for part in (inputs[:, :512], inputs[:, 512:])]
    feedback = Feedback([0, 512], groups)
    data, values = feedback.round(weights, "Q4_K")
    assert feedback.round(weights, "Q4_K", threads=3)[0] == data
    assert feedback.round(weights[:77], "Q4_K")[0] + feedback.round(weights[77:], "Q4_K")[0] == data
    blocks = np.frombuffer(data, np.uint8).reshape(len(weights), -1)
    alone, alone_values = Feedback([0], groups[1:]).round(weights[:, 512:], "Q4_K")
    assert blocks[:, -144:].tobytes() == alone
    assert np.array_equal(values[:, 512:], alone_values)


def test_inputs_that_were_never_seen_leave_finite_numbers() -> None:
    silent = np.zeros((512, 512), np.float32)
    half = inputs_of(512)
    half[:, 100:] = 0
    for products in (silent, half.T @ half, np.full((512, 512), 1e-30, np.float32)):
        weights = weights_of(512, 8)
        weights[3] = 0
        data, values = Feedback([0], [factors_of(products)]).round(weights, "Q3_K")
        assert np.isfinite(values).all()
        assert np.isfinite(dequantize_with_ggml(data, "Q3_K", weights.size)).all()
        assert not values[3].any()


def test_scaled_inputs_have_the_factors_of_their_own_products() -> None:
    inputs = inputs_of(256)
    scale = np.exp2(np.random.default_rng(1).integers(-3, 4, 256)).astype(np.float32)
    scaled = factors_of(inputs.T @ inputs).scaled(scale)
    assert np.allclose(scaled.factor @ scaled.factor.T, scaled.table, atol=1e-3 * np.abs(scaled.table).max())
    assert np.allclose(scaled.factor @ scaled.inverse, np.eye(256), atol=1e-3)
    bare = (inputs / scale).T @ (inputs / scale)
    off = ~np.eye(256, dtype=bool)
    assert np.allclose(scaled.table[off] * (bare[0, 1] / scaled.table[0, 1]), bare[off], rtol=1e-3, atol=1e-2)


def _tables_with(folder: Path, columns: int, inputs: Floats) -> InputTables:
    tables = InputTables(folder)
    products = Products([inputs.T @ inputs], [0], columns, len(inputs), inputs[:64])
    tables.add(
        Calibration(
            squares={"w": Squares(np.square(inputs).sum(axis=0)[None], np.array([len(inputs)]))},
            products={"w": products},
            leaders={"w": "w"},
        )
    )
    return tables


def test_weights_that_are_no_numbers_are_told_in_words_and_too_large_ones_fall_back(tmp_path: Path) -> None:
    rounder = Rounder(BetterBits(), {}, _tables_with(tmp_path / "t", 256, inputs_of(256)))
    weights = weights_of(256, 4)
    weights[1] = 1e38
    rounded = rounder.round("w", weights.shape, weights, "Q4_K")
    assert rounded.methods["feedback"] == 3
    for bad in (np.nan, np.inf):
        weights[2, 7] = bad
        with pytest.raises(UserError) as told:
            rounder.round("w", weights.shape, weights, "Q4_K")
        assert told.value.kind == "not-finite"


def test_rows_that_are_no_multiple_of_256_take_the_type_that_stands_in(tmp_path: Path) -> None:
    rounder = Rounder(BetterBits(), {}, _tables_with(tmp_path / "t", 96, inputs_of(96)))
    weights = weights_of(96, 12)
    rounded = rounder.round("w", weights.shape, weights, "Q5_0")
    assert rounded.methods["feedback"] > 0
    with pytest.raises(UserError):
        rounder.round("w", weights.shape, weights, "Q4_K")


def test_the_feedback_of_inputs_in_use_is_kept(tmp_path: Path) -> None:
    known = _tables_with(tmp_path / "t", 256, inputs_of(256)).find("w")
    assert known is not None
    cache = FeedbackCache(keeps_factors=True)
    first = cache.get(known)
    assert cache.get(known) is first
    assert cache.get(known.scaled(np.full(256, 2, np.float32))) is not first
