"""FP8, int8 and 4-bit floats with scales of every extent are read as a loop over the elements says."""

from __future__ import annotations

import math

import numpy as np
import pytest

from snug.core.errors import UserError
from snug.formats.checkpoints.checkpoint_format import CheckpointFormat
from snug.formats.checkpoints.compressed_tensors import ModelOptFloat4
from snug.formats.checkpoints.fp8 import Fp8
from snug.formats.checkpoints.mxfp4 import Mxfp4
from snug.formats.checkpoints.scaled_weight import ScaledWeight
from tests.formats.checkpoints.safetensors_maker import Tensor, check_weight, tensor_files
from tests.formats.checkpoints.test_number_types import small_float

RNG = np.random.default_rng(7)


def fp8(**settings: object) -> dict:
    return {"quantization_config": {"quant_method": "fp8", **settings}}


def codes(shape: tuple[int, ...]) -> np.ndarray:
    numbers = RNG.integers(0, 256, shape)
    return np.where(numbers & 127 == 127, 1, numbers).astype(np.uint8)


def value_of(code: int) -> np.float32:
    return np.float32(small_float(int(code), 4, 3, 7))


def in_blocks(numbers: np.ndarray, scales: np.ndarray, rows: int, columns: int) -> np.ndarray:
    weight = np.empty(numbers.shape, np.float32)
    for row in range(numbers.shape[0]):
        for column in range(numbers.shape[1]):
            weight[row, column] = value_of(numbers[row, column]) * scales[row // rows, column // columns]
    return weight


@pytest.mark.parametrize("shape", [(256, 256), (150, 200), (128, 64), (5, 300)])
def test_blocks_of_fp8_have_a_scale_each(shape: tuple[int, int]) -> None:
    numbers = codes(shape)
    scales = RNG.random((-(-shape[0] // 128), -(-shape[1] // 128))).astype(np.float32)
    tensors: dict[str, Tensor] = {"a.weight": ("F8_E4M3", numbers), "a.weight_scale_inv": scales}
    config = fp8(weight_block_size=[128, 128])
    assert Fp8.recognises(config, tensors)
    check_weight(Fp8(tensor_files(tensors), config), "a.weight", in_blocks(numbers, scales, 128, 128))


@pytest.mark.parametrize("scale_shape", [(), (1,), (1, 1), (6,), (6, 1)])
@pytest.mark.parametrize(
    ("name", "scale"), [("weight_scale", "weight_scale"), ("weight_scale_inv", "weight_scale_inv")]
)
def test_fp8_is_scaled_by_tensor_or_by_row(scale_shape: tuple[int, ...], name: str, scale: str) -> None:
    numbers, scales = codes((6, 9)), RNG.random(scale_shape).astype(np.float32)
    by_row = np.broadcast_to(np.asarray(scales, np.float32).reshape(-1), 6)
    weight = in_blocks(numbers, by_row[:, None], 1, 9)
    tensors: dict[str, Tensor] = {"a.weight": ("F8_E4M3", numbers), f"a.{scale}": np.asarray(scales)}
    tensors["a.input_scale"] = np.float32(1).reshape(())
    weights = Fp8(tensor_files(tensors), fp8())
    check_weight(weights, "a.weight", weight)
    assert set(weights.weights) == {"a.weight"}


def test_mistral_s_names_are_known() -> None:
    numbers = codes((4, 8))
    tensors: dict[str, Tensor] = {
        "wq.weight": ("F8_E4M3", numbers),
        "wq.qscale_weight": np.float32(0.5).reshape(()),
        "wq.qscale_act": np.float32(1).reshape(()),
    }
    weights = Fp8(tensor_files(tensors), fp8())
    check_weight(weights, "wq.weight", in_blocks(numbers, np.full((1, 1), 0.5, np.float32), 4, 8))
    assert set(weights.weights) == {"wq.weight"}


def test_experts_in_three_axes_have_scales_of_their_own() -> None:
    numbers = codes((3, 40, 24))
    for scales in (RNG.random((3, 3, 2)), RNG.random((3, 40, 1)), RNG.random((3, 40)), RNG.random((3, 1, 1))):
        factors = scales.astype(np.float32)
        full = factors.reshape(3, 40, 1) if factors.size == 120 else factors
        weight = np.stack(
            [in_blocks(numbers[e], full[e], -(-40 // full.shape[1]), -(-24 // full.shape[2])) for e in range(3)]
        )
        block = [16, 16] if factors.shape == (3, 3, 2) else None
        if block:
            weight = np.stack([in_blocks(numbers[e], factors[e], 16, 16) for e in range(3)])
        tensors: dict[str, Tensor] = {"a.experts": ("F8_E4M3", numbers), "a.experts_scale_inv": factors}
        check_weight(Fp8(tensor_files(tensors), fp8(weight_block_size=block)), "a.experts", weight)


def test_the_scales_of_half_precision_and_powers_of_two_are_read() -> None:
    numbers = codes((4, 8))
    scale = ("F8_E8M0", np.array([[126]], np.uint8))
    tensors: dict[str, Tensor] = {"a.weight": ("F8_E4M3", numbers), "a.weight_scale": scale}
    check_weight(Fp8(tensor_files(tensors), fp8()), "a.weight", in_blocks(numbers, np.full((1, 1), 0.5), 4, 8))


@pytest.mark.parametrize("scale_shape", [(3, 2), (5,), (2, 5), (0,), (6, 4), (2, 2, 2)])
def test_scales_that_do_not_fit_are_refused(scale_shape: tuple[int, ...]) -> None:
    tensors: dict[str, Tensor] = {
        "a.weight": ("F8_E4M3", codes((6, 9))),
        "a.weight_scale_inv": np.ones(scale_shape, np.float32),
    }
    with pytest.raises(UserError, match="do not fit"):
        _ = Fp8(tensor_files(tensors), fp8(weight_block_size=[4, 4])).weights


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.float16])
def test_weights_of_4_bits_among_fp8_are_refused_and_not_misread(kind: type) -> None:
    tensors: dict[str, Tensor] = {"a.weight": np.ones((4, 32), kind), "a.weight_scale_inv": np.ones((4, 2), np.float32)}
    with pytest.raises(UserError, match="does not read"):
        _ = Fp8(tensor_files(tensors), fp8()).weights
    if kind is not np.int8:
        with pytest.raises(UserError, match="does not read"):
            ScaledWeight(tensor_files(tensors), "a.weight", "a.weight_scale_inv")


@pytest.mark.parametrize("size", [0, "128", [128], [0, 128], [128, True], [1.5, 2]])
def test_impossible_blocks_are_refused(size: object) -> None:
    with pytest.raises(UserError, match="blocks"):
        _ = Fp8(tensor_files({"a": np.ones(2, np.float32)}), fp8(weight_block_size=size)).weights


def test_zero_points_are_taken_off_before_scaling() -> None:
    numbers = RNG.integers(-128, 128, (4, 12)).astype(np.int8)
    scales, zeros = RNG.random((4, 3)).astype(np.float32), RNG.integers(-9, 9, (4, 3)).astype(np.int8)
    weight = np.array(
        [[(int(numbers[r, c]) - int(zeros[r, c // 4])) * scales[r, c // 4] for c in range(12)] for r in range(4)]
    )
    files = tensor_files({"w": numbers, "s": scales, "z": zeros})
    found = ScaledWeight(files, "w", "s", zeros="z").rows(0, 4)
    np.testing.assert_allclose(found, weight, rtol=1e-6)


def float4(packed: np.ndarray, scale_of: object, rows: int, columns: int) -> np.ndarray:
    """4-bit floats from bytes, the lower half first, times the scale that `scale_of(row, column)` gives."""
    weight = np.empty((rows, columns), np.float32)
    for row in range(rows):
        for column in range(columns):
            byte = int(packed[row, column // 2])
            code = byte >> 4 if column % 2 else byte & 15
            weight[row, column] = np.float32(small_float(code, 2, 1, 1)) * scale_of(row, column)  # type: ignore[operator]
    return weight


def check_float4(weights: CheckpointFormat, name: str, expected: np.ndarray) -> None:
    check_weight(weights, name, expected, tolerance=1e-6)


def test_mxfp4_experts_of_gpt_oss_are_read() -> None:
    blocks = RNG.integers(0, 256, (2, 6, 3, 16)).astype(np.uint8)
    scales = RNG.integers(100, 140, (2, 6, 3)).astype(np.uint8)
    tensors: dict[str, Tensor] = {
        "mlp.experts.down_proj_blocks": blocks,
        "mlp.experts.down_proj_scales": scales,
        "mlp.experts.down_proj_bias": np.ones((2, 5), np.float32),
    }
    weight = np.stack(
        [
            float4(
                blocks[e].reshape(6, 48), lambda r, c, e=e: np.float32(2.0 ** (int(scales[e, r, c // 32]) - 127)), 6, 96
            )
            for e in range(2)
        ]
    )
    config = {"quantization_config": {"quant_method": "mxfp4"}}
    assert Mxfp4.recognises(config, tensors)
    weights = Mxfp4(tensor_files(tensors), config)
    check_float4(weights, "mlp.experts.down_proj", weight)
    assert set(weights.weights) == {"mlp.experts.down_proj", "mlp.experts.down_proj_bias"}
    assert weights.bits_per_weight() == pytest.approx(8 * (36 * 17 + 40) / (36 * 32 + 10))


def test_a_scale_that_is_no_number_stays_none() -> None:
    tensors = {"a_blocks": np.full((1, 1, 1, 16), 0x22, np.uint8), "a_scales": np.full((1, 1, 1), 255, np.uint8)}
    assert math.isnan(Mxfp4(tensor_files(tensors), {}).read("a")[0, 0, 0])


@pytest.mark.parametrize(
    ("blocks", "scales"),
    [((2, 6, 3, 16), (2, 6, 2)), ((2, 6, 3, 16), (2, 5, 3)), ((2, 6, 3, 16), (3,)), ((2, 6, 3, 16), (2, 0, 3))],
)
def test_parts_of_mxfp4_that_disagree_are_refused(blocks: tuple[int, ...], scales: tuple[int, ...]) -> None:
    tensors = {"a_blocks": np.zeros(blocks, np.uint8), "a_scales": np.zeros(scales, np.uint8)}
    with pytest.raises(UserError):
        _ = Mxfp4(tensor_files(tensors), {}).weights


def modelopt() -> tuple[dict[str, Tensor], np.ndarray]:
    packed, scales = RNG.integers(0, 256, (4, 16)).astype(np.uint8), codes((4, 2)) & 127
    weight = float4(packed, lambda r, c: value_of(scales[r, c // 16]) * np.float32(0.25), 4, 32)
    tensors: dict[str, Tensor] = {
        "a.weight": packed,
        "a.weight_scale": ("F8_E4M3", scales),
        "a.weight_scale_2": np.float32(0.25).reshape(()),
        "a.input_scale": np.float32(9).reshape(()),
        "b.weight": ("F8_E4M3", codes((2, 4))),
        "b.weight_scale": np.float32(1).reshape(()),
    }
    return tensors, weight


def test_modelopt_s_factor_multiplies() -> None:
    tensors, weight = modelopt()
    config = {"quantization_config": {"quant_method": "modelopt", "quant_algo": "NVFP4"}}
    assert ModelOptFloat4.recognises(config, tensors)
    assert not Fp8.recognises(config, tensors)
    weights = ModelOptFloat4(tensor_files(tensors), config)
    check_float4(weights, "a.weight", weight)
    assert set(weights.weights) == {"a.weight", "b.weight"}


@pytest.mark.parametrize("factor", [0.0, math.nan, math.inf])
def test_a_factor_that_is_no_usable_number_is_refused(factor: float) -> None:
    tensors, _ = modelopt()
    tensors["a.weight_scale_2"] = np.float32(factor).reshape(())
    with pytest.raises(UserError, match="no usable number"):
        ModelOptFloat4(tensor_files(tensors), {}).read("a.weight")


def test_a_factor_of_many_numbers_is_refused() -> None:
    tensors, _ = modelopt()
    tensors["a.weight_scale_2"] = np.ones(2, np.float32)
    with pytest.raises(UserError, match="not one number"):
        _ = ModelOptFloat4(tensor_files(tensors), {}).weights
