"""Grids: codes put beside scales are what the engine reads."""

from __future__ import annotations

import numpy as np
import pytest

from snug.convert.better_bits.feedback import (
    blocks_of,
    damped,
    improve_codes,
    inverse_factor,
    output_error,
    round_with_feedback,
)
from snug.convert.better_bits.grids import GRIDS
from snug.convert.quantize import quantize_rows
from snug.engine.ggml_quantize import dequantize_with_ggml


@pytest.mark.parametrize("name", GRIDS)
def test_any_codes_are_read_by_the_engine_as_scale_times_code_less_low(name: str) -> None:
    grid, random = GRIDS[name], np.random.default_rng(1)
    weights = random.normal(size=(5, grid.block)).astype(np.float32)
    steps = grid.fit(weights, np.ones(grid.block, np.float32))
    codes = random.integers(0, grid.top + 1, (5, grid.block)).astype(np.uint8)
    blocks = steps.blocks.copy()
    grid.put(blocks, codes)
    scale, low = np.repeat(steps.scale, grid.sub, axis=1), np.repeat(steps.low, grid.sub, axis=1)
    read = dequantize_with_ggml(blocks.tobytes(), name, codes.size).reshape(codes.shape)
    assert np.abs(read - (scale * grid.numbers(codes) - low)).max() < 1e-5


@pytest.mark.parametrize("name", GRIDS)
def test_rounding_takes_the_nearest_code(name: str) -> None:
    grid, random = GRIDS[name], np.random.default_rng(2)
    weights = random.normal(size=(64, grid.block)).astype(np.float32)
    steps = grid.fit(weights, np.ones(grid.block, np.float32))
    codes, rounded = grid.round(weights[:, 0], steps.scale[:, 0], steps.low[:, 0])
    every = steps.scale[:, :1] * grid.numbers(np.arange(grid.top + 1, dtype=np.uint8)) - steps.low[:, :1]
    best = np.abs(every - weights[:, :1]).min(axis=1)
    assert np.allclose(np.abs(rounded - weights[:, 0]), best, atol=1e-6)
    assert codes.max() <= grid.top


@pytest.mark.parametrize("name", ["Q2_K", "Q3_K", "Q4_K", "Q6_K", "Q4_0", "IQ4_XS"])
def test_feedback_lowers_the_error_of_outputs_with_correlated_inputs(name: str) -> None:
    random, columns = np.random.default_rng(3), 512
    mixing = random.normal(size=(24, columns)) * 2
    inputs = (random.normal(size=(4000, 24)) @ mixing + random.normal(size=(4000, columns))).astype(np.float32)
    products, fresh = inputs[:3000].T @ inputs[:3000], inputs[3000:].T @ inputs[3000:]
    weights = random.normal(size=(48, columns)).astype(np.float32)
    table = damped(products)
    steps, codes, rounded = round_with_feedback(weights, GRIDS[name], inverse_factor(table))
    after_rounding = output_error(weights, rounded, products)
    improve_codes(weights, GRIDS[name], table.astype(np.float32), steps, codes, rounded)
    assert output_error(weights, rounded, products) < after_rounding
    raw = blocks_of(GRIDS[name], steps, codes)
    read = dequantize_with_ggml(raw, name, weights.size).reshape(weights.shape)
    assert np.abs(read - rounded).max() < 1e-4
    plain = dequantize_with_ggml(quantize_rows(weights, name, np.diagonal(products)), name, weights.size)
    assert output_error(weights, read, fresh) < 0.5 * output_error(weights, plain.reshape(weights.shape), fresh)
