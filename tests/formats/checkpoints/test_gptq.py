"""GPTQ is read as AutoGPTQ's documentation of its packing says, element by element."""

from __future__ import annotations

import numpy as np
import pytest

from snug.core.errors import UserError
from snug.formats.checkpoints.gptq import Gptq
from tests.formats.checkpoints.safetensors_maker import Tensor, check_weight, tensor_files
from tests.formats.checkpoints.test_bit_strings import pack_bits

RNG = np.random.default_rng(4)


def layer(
    bits: int, inputs: int, outputs: int, group_size: int, *, act_order: bool = False, zero_offset: int = 1
) -> tuple[dict[str, Tensor], np.ndarray]:
    """A layer packed as AutoGPTQ packs, and the weight that a loop over its elements gives."""
    groups = 1 if group_size == -1 else -(-inputs // group_size)
    size = inputs if group_size == -1 else group_size
    numbers = RNG.integers(0, 2**bits, (inputs, outputs))
    zeros = RNG.integers(0, 2**bits, (groups, outputs))
    scales = (RNG.random((groups, outputs)) + 0.1).astype(np.float16)
    g_idx = np.arange(inputs) // size
    if act_order:
        g_idx = RNG.permutation(g_idx)
    weight = np.empty((outputs, inputs), np.float32)
    for output in range(outputs):
        for place in range(inputs):
            group = g_idx[place]
            step = int(numbers[place, output]) - int(zeros[group, output])
            weight[output, place] = np.float32(scales[group, output]) * np.float32(step)
    packed = [pack_bits(numbers[:, output].tolist(), bits) for output in range(outputs)]
    packed_zeros = [pack_zeros(zeros[group].tolist(), bits, zero_offset) for group in range(groups)]
    tensors: dict[str, Tensor] = {
        "m.q.qweight": np.array(packed, np.uint32).T.copy().view(np.int32),
        "m.q.qzeros": np.array(packed_zeros, np.uint32).view(np.int32),
        "m.q.scales": scales,
        "m.q.g_idx": g_idx.astype(np.int32),
    }
    return tensors, weight


def pack_zeros(zeros: list[int], bits: int, zero_offset: int) -> list[int]:
    """Zero points as they are stored: in v1 with one less each, taken off in whole words as GPTQModel does it."""
    if 32 % bits:
        return pack_bits([(zero - zero_offset) % 2**bits for zero in zeros], bits)
    ones = sum(1 << place for place in range(0, 32, bits)) * zero_offset
    return [(word - ones) % 2**32 for word in pack_bits(zeros, bits)]


def config(bits: int, group_size: int, **more: object) -> dict:
    return {"quantization_config": {"quant_method": "gptq", "bits": bits, "group_size": group_size, **more}}


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
@pytest.mark.parametrize(("group_size", "act_order"), [(32, False), (32, True), (-1, False), (64, True)])
def test_every_width_and_order_is_read_exactly(bits: int, group_size: int, act_order: bool) -> None:
    tensors, weight = layer(bits, 128, 64, group_size, act_order=act_order)
    assert Gptq.recognises(config(bits, group_size), tensors)
    check_weight(Gptq(tensor_files(tensors), config(bits, group_size)), "m.q.weight", weight)


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_zero_points_of_the_second_version_are_as_they_stand(bits: int) -> None:
    tensors, weight = layer(bits, 64, 32, 32, zero_offset=0)
    settings = config(bits, 32, checkpoint_format="gptq_v2", desc_act=True, sym=False)
    check_weight(Gptq(tensor_files(tensors), settings), "m.q.weight", weight)


def test_a_symmetric_layer_of_4_bits_is_centred() -> None:
    tensors, _ = layer(4, 32, 8, -1)
    tensors["m.q.qzeros"] = np.full((1, 1), 0x77777777, np.int32)
    weight = Gptq(tensor_files(tensors), config(4, -1)).read("m.q.weight")
    scale = np.asarray(tensors["m.q.scales"], np.float32)[0][:, None]
    steps = weight / scale
    assert steps.min() >= -8
    assert steps.max() <= 7


def test_without_g_idx_the_inputs_are_grouped_in_order() -> None:
    tensors, weight = layer(4, 96, 8, 32)
    del tensors["m.q.g_idx"]
    check_weight(Gptq(tensor_files(tensors), config(4, 32)), "m.q.weight", weight)


def test_what_is_not_packed_is_read_as_it_is() -> None:
    tensors, _ = layer(4, 32, 8, 32)
    tensors |= {"m.q.bias": np.ones(8, np.float16), "norm.weight": np.ones(32, np.float16)}
    weights = Gptq(tensor_files(tensors), config(4, 32))
    assert set(weights.weights) == {"m.q.weight", "m.q.bias", "norm.weight"}
    assert weights.read("m.q.bias").tolist() == [1.0] * 8


def test_older_files_of_settings_are_recognised() -> None:
    tensors, _ = layer(4, 32, 8, 32)
    assert Gptq.recognises({"quantization_config": {"bits": 4, "group_size": 128}}, tensors)
    assert not Gptq.recognises({"quantization_config": {"quant_method": "awq", "bits": 4}}, tensors)
    assert not Gptq.recognises({}, tensors)


@pytest.mark.parametrize("more", [{"checkpoint_format": "marlin"}, {"is_marlin_format": True}])
def test_packings_for_graphics_cards_are_refused_with_words(more: dict) -> None:
    with pytest.raises(UserError, match="graphics card"):
        Gptq(tensor_files({}), config(4, 128, **more))


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("qweight", np.zeros((3, 8), np.int32)),
        ("qweight", np.zeros((4, 16), np.int32)),
        ("qweight", np.zeros((4, 8), np.float32)),
        ("qweight", np.zeros(32, np.int32)),
        ("qzeros", np.zeros((2, 1), np.int32)),
        ("qzeros", np.zeros((1, 7), np.int32)),
        ("scales", np.zeros((1, 8), np.int8)),
        ("scales", np.zeros((0, 8), np.float16)),
        ("g_idx", np.zeros(31, np.int32)),
        ("g_idx", np.full(32, 5, np.int32)),
        ("g_idx", np.full(32, -1, np.int32)),
    ],
)
def test_parts_that_disagree_are_refused(part: str, value: np.ndarray) -> None:
    tensors, _ = layer(4, 32, 8, 32)
    tensors[f"m.q.{part}"] = value
    with pytest.raises(UserError, match="disagree"):
        Gptq(tensor_files(tensors), config(4, 32)).read("m.q.weight")


@pytest.mark.parametrize("part", ["qzeros", "scales"])
def test_a_missing_part_is_named(part: str) -> None:
    tensors, _ = layer(4, 32, 8, 32)
    del tensors[f"m.q.{part}"]
    with pytest.raises(UserError, match=f"m.q.{part} is missing"):
        _ = Gptq(tensor_files(tensors), config(4, 32)).weights


def test_a_group_size_that_is_no_number_is_refused() -> None:
    with pytest.raises(UserError, match="group_size"):
        Gptq(tensor_files({}), {"quantization_config": {"quant_method": "gptq", "group_size": "128"}})


def test_a_layer_that_is_there_twice_is_refused() -> None:
    tensors, _ = layer(4, 32, 8, 32)
    tensors["m.q.weight"] = np.ones((8, 32), np.float16)
    with pytest.raises(UserError, match="twice"):
        _ = Gptq(tensor_files(tensors), config(4, 32)).weights
