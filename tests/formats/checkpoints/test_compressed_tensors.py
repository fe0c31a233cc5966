"""compressed-tensors is read as a slow reading of its bits says, in every variant."""

from __future__ import annotations

import numpy as np
import pytest

from snug.core.errors import UserError
from snug.formats.checkpoints.compressed_tensors import CompressedTensors
from tests.formats.checkpoints.safetensors_maker import Tensor, check_weight, tensor_files
from tests.formats.checkpoints.test_bit_strings import pack_bits
from tests.formats.checkpoints.test_scaled_weights import codes, float4, value_of

RNG = np.random.default_rng(8)


def config(layout: str, **weights: object) -> dict:
    group = {"targets": ["Linear"], "weights": {"type": "int", **weights}}
    return {
        "quantization_config": {
            "quant_method": "compressed-tensors",
            "format": layout,
            "config_groups": {"group_0": group},
        }
    }


def packed(
    bits: int, shape: tuple[int, int], group: int, *, asymmetric: bool, order: bool, padded: bool
) -> tuple[dict[str, Tensor], np.ndarray]:
    """A layer of pack-quantized, and what a loop over its elements gives."""
    outputs, inputs = shape
    groups = inputs // group
    half = 2 ** (bits - 1)
    numbers = RNG.integers(-half, half, shape)
    zeros = RNG.integers(-half, half, (outputs, groups)) if asymmetric else np.zeros((outputs, groups), int)
    scales = (RNG.random((outputs, groups)) + 0.1).astype(np.float32)
    g_idx = np.arange(inputs) // group
    if order:
        g_idx = RNG.permutation(g_idx)
    weight = np.empty(shape, np.float32)
    for output in range(outputs):
        for place in range(inputs):
            step = int(numbers[output, place]) - int(zeros[output, g_idx[place]])
            weight[output, place] = np.float32(step) * scales[output, g_idx[place]]
    words = [pack_bits((numbers[output] + half).tolist(), bits, padded=padded) for output in range(outputs)]
    tensors: dict[str, Tensor] = {
        "a.weight_packed": np.array(words, np.uint32).view(np.int32),
        "a.weight_shape": np.array(shape, np.int64),
        "a.weight_scale": scales,
    }
    if asymmetric:
        down = [pack_bits((zeros[:, column] + half).tolist(), bits, padded=padded) for column in range(groups)]
        tensors["a.weight_zero_point"] = np.array(down, np.uint32).T.copy().view(np.int32)
    if order:
        tensors["a.weight_g_idx"] = g_idx.astype(np.int32)
    return tensors, weight


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 8])
@pytest.mark.parametrize("asymmetric", [False, True])
@pytest.mark.parametrize("order", [False, True])
@pytest.mark.parametrize("padded", [False, True])
def test_packed_layers_of_every_kind_are_read_exactly(bits: int, asymmetric: bool, order: bool, padded: bool) -> None:
    tensors, weight = packed(bits, (40, 128), 32, asymmetric=asymmetric, order=order, padded=padded)
    settings = config("pack-quantized", num_bits=bits, strategy="group", group_size=32)
    assert CompressedTensors.recognises(settings, tensors)
    weights = CompressedTensors(tensor_files(tensors), settings)
    check_weight(weights, "a.weight", weight)
    assert set(weights.weights) == {"a.weight"}


def test_a_scale_for_each_output_is_read() -> None:
    tensors, weight = packed(4, (6, 64), 64, asymmetric=True, order=False, padded=False)
    check_weight(CompressedTensors(tensor_files(tensors), config("pack-quantized", num_bits=4)), "a.weight", weight)


def test_g_idx_of_minus_one_means_in_order() -> None:
    tensors, weight = packed(4, (6, 64), 32, asymmetric=False, order=False, padded=False)
    tensors["a.weight_g_idx"] = np.full(64, -1, np.int32)
    check_weight(CompressedTensors(tensor_files(tensors), config("pack-quantized", num_bits=4)), "a.weight", weight)


def test_layers_of_several_widths_tell_their_own() -> None:
    settings = config("pack-quantized", num_bits=4)
    settings["quantization_config"]["config_groups"]["group_1"] = {"weights": {"type": "int", "num_bits": 8}}
    tensors, weight = packed(4, (6, 64), 32, asymmetric=False, order=False, padded=False)
    others, other = packed(8, (6, 64), 32, asymmetric=False, order=False, padded=False)
    tensors |= {name.replace("a.", "b."): tensor for name, tensor in others.items()}
    weights = CompressedTensors(tensor_files(tensors), settings)
    check_weight(weights, "a.weight", weight)
    check_weight(weights, "b.weight", other)


@pytest.mark.parametrize("scale_shape", [(1,), (6, 1), (6, 4), (3, 2)])
@pytest.mark.parametrize("layout", ["int-quantized", "naive-quantized"])
def test_int8_layers_are_scaled_by_tensor_row_group_or_block(scale_shape: tuple[int, ...], layout: str) -> None:
    numbers = RNG.integers(-128, 128, (6, 16)).astype(np.int8)
    scales = RNG.random(scale_shape).astype(np.float32)
    grid = scales.reshape(scale_shape if len(scale_shape) == 2 else (1, 1))
    weight = np.empty((6, 16), np.float32)
    for row in range(6):
        for column in range(16):
            factor = grid[row * grid.shape[0] // 6, column * grid.shape[1] // 16]
            weight[row, column] = np.float32(numbers[row, column]) * factor
    tensors: dict[str, Tensor] = {
        "a.weight": numbers,
        "a.weight_scale": scales,
        "a.input_scale": np.ones(1, np.float32),
    }
    weights = CompressedTensors(tensor_files(tensors), config(layout, num_bits=8, block_structure=[2, 8]))
    check_weight(weights, "a.weight", weight)
    assert set(weights.weights) == {"a.weight"}


def test_float_quantized_layers_are_fp8_by_row() -> None:
    numbers, scales = codes((5, 8)), RNG.random((5, 1)).astype(np.float32)
    weight = np.array([[value_of(number) * scales[row, 0] for number in numbers[row]] for row in range(5)])
    tensors: dict[str, Tensor] = {"a.weight": ("F8_E4M3", numbers), "a.weight_scale": scales}
    settings = config("float-quantized", type="float", num_bits=8)
    check_weight(CompressedTensors(tensor_files(tensors), settings), "a.weight", weight.astype(np.float32))


def test_the_factor_of_nvfp4_divides() -> None:
    numbers, scales = RNG.integers(0, 256, (4, 16)).astype(np.uint8), codes((4, 2)) & 127
    weight = float4(numbers, lambda r, c: value_of(scales[r, c // 16]) / np.float32(3), 4, 32)
    tensors: dict[str, Tensor] = {
        "a.weight_packed": numbers,
        "a.weight_scale": ("F8_E4M3", scales),
        "a.weight_global_scale": np.array([3], np.float32),
        "a.input_global_scale": np.array([5], np.float32),
    }
    weights = CompressedTensors(tensor_files(tensors), config("nvfp4-pack-quantized", type="float", num_bits=4))
    check_weight(weights, "a.weight", weight, tolerance=1e-6)
    assert set(weights.weights) == {"a.weight"}


@pytest.mark.parametrize("layout", ["sparse-24-bitmask", "marlin-24", "mxfp6-pack-quantized", "something new"])
def test_layouts_without_a_reader_are_refused_by_name(layout: str) -> None:
    with pytest.raises(UserError, match=layout):
        CompressedTensors(tensor_files({}), config(layout, num_bits=4))


def test_sparse_checkpoints_are_refused() -> None:
    settings = config("pack-quantized", num_bits=4)
    settings["quantization_config"]["sparsity_config"] = {"format": "sparse-24-bitmask"}
    with pytest.raises(UserError, match="sparse-24"):
        CompressedTensors(tensor_files({}), settings)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("packed", np.zeros((6, 7), np.int32)),
        ("packed", np.zeros((5, 8), np.int32)),
        ("packed", np.zeros((6, 8), np.float32)),
        ("shape", np.array([6, -64], np.int64)),
        ("shape", np.array([2**50, 64], np.int64)),
        ("zero_point", np.zeros((6, 2), np.int32)),
        ("g_idx", np.zeros(63, np.int32)),
        ("g_idx", np.full(64, 2, np.int32)),
    ],
)
def test_parts_that_disagree_are_refused(part: str, value: np.ndarray) -> None:
    tensors, _ = packed(4, (6, 64), 32, asymmetric=True, order=True, padded=False)
    tensors[f"a.weight_{part}"] = value
    with pytest.raises(UserError, match="disagree"):
        CompressedTensors(tensor_files(tensors), config("pack-quantized", num_bits=4)).read("a.weight")


@pytest.mark.parametrize(
    "value", [np.ones((6, 3), np.float32), np.ones((5, 2), np.float32), np.ones((0, 2), np.float32)]
)
def test_scales_that_do_not_fit_are_refused(value: np.ndarray) -> None:
    tensors, _ = packed(4, (6, 64), 32, asymmetric=False, order=False, padded=False)
    tensors["a.weight_scale"] = value
    with pytest.raises(UserError, match="do not fit"):
        _ = CompressedTensors(tensor_files(tensors), config("pack-quantized", num_bits=4)).weights


def test_packed_experts_of_three_axes_are_refused_with_words() -> None:
    tensors = {"a.weight_packed": np.zeros((2, 6, 8), np.int32), "a.weight_shape": np.array([2, 6, 64], np.int64)}
    tensors["a.weight_scale"] = np.ones((2, 6, 2), np.float32)
    with pytest.raises(UserError, match="two dimensions"):
        _ = CompressedTensors(tensor_files(tensors), config("pack-quantized", num_bits=4)).weights
