"""AWQ is read as AutoAWQ packs it, element by element."""

from __future__ import annotations

import numpy as np
import pytest

from snug.core.errors import UserError
from snug.formats.checkpoints.awq import Awq
from tests.formats.checkpoints.safetensors_maker import Tensor, check_weight, tensor_files

RNG = np.random.default_rng(5)
CONFIG = {"quantization_config": {"quant_method": "awq", "bits": 4, "group_size": 16, "version": "gemm"}}
PLACES = (0, 2, 4, 6, 1, 3, 5, 7)


def pack(values: np.ndarray) -> np.ndarray:
    """(rows, outputs) of 4-bit numbers into words, one number at a time: place k holds output PLACES[k]."""
    words = np.zeros((values.shape[0], values.shape[1] // 8), np.uint32)
    for row in range(values.shape[0]):
        for word in range(words.shape[1]):
            total = 0
            for place in range(8):
                total += int(values[row, 8 * word + PLACES[place]]) << (4 * place)
            words[row, word] = total
    return words.view(np.int32)


def layer(inputs: int, outputs: int, group_size: int) -> tuple[dict[str, Tensor], np.ndarray]:
    numbers = RNG.integers(0, 16, (inputs, outputs))
    zeros = RNG.integers(0, 16, (inputs // group_size, outputs))
    scales = (RNG.random((inputs // group_size, outputs)) + 0.1).astype(np.float16)
    weight = np.empty((outputs, inputs), np.float32)
    for output in range(outputs):
        for place in range(inputs):
            group = place // group_size
            step = int(numbers[place, output]) - int(zeros[group, output])
            weight[output, place] = np.float32(scales[group, output]) * np.float32(step)
    return {"m.q.qweight": pack(numbers), "m.q.qzeros": pack(zeros), "m.q.scales": scales}, weight


@pytest.mark.parametrize(("inputs", "outputs", "group_size"), [(32, 24, 16), (64, 8, 64), (128, 40, 32)])
def test_every_element_is_read_exactly(inputs: int, outputs: int, group_size: int) -> None:
    tensors, weight = layer(inputs, outputs, group_size)
    assert Awq.recognises(CONFIG, tensors)
    check_weight(Awq(tensor_files(tensors), CONFIG), "m.q.weight", weight)


def test_older_files_of_settings_are_recognised() -> None:
    tensors, weight = layer(32, 8, 16)
    config = {"quantization_config": {"zero_point": True, "q_group_size": 16, "w_bit": 4, "version": "GEMM"}}
    assert Awq.recognises(config, tensors)
    check_weight(Awq(tensor_files(tensors), config), "m.q.weight", weight)


@pytest.mark.parametrize("more", [{"version": "gemv"}, {"version": "marlin"}, {"bits": 3}])
def test_rare_packings_are_refused_with_words(more: dict) -> None:
    with pytest.raises(UserError, match="rare way"):
        Awq(tensor_files({}), {"quantization_config": {**CONFIG["quantization_config"], **more}})


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("qweight", np.zeros((32, 2), np.int32)),
        ("qweight", np.zeros((31, 1), np.int32)),
        ("qzeros", np.zeros((3, 1), np.int32)),
        ("scales", np.zeros((2, 9), np.float16)),
        ("scales", np.zeros((0, 8), np.float16)),
        ("scales", np.zeros(8, np.float16)),
    ],
)
def test_parts_that_disagree_are_refused(part: str, value: np.ndarray) -> None:
    tensors, _ = layer(32, 8, 16)
    tensors[f"m.q.{part}"] = value
    with pytest.raises(UserError, match="disagree"):
        _ = Awq(tensor_files(tensors), CONFIG).weights


def test_unexpected_types_are_refused() -> None:
    tensors, _ = layer(32, 8, 16)
    tensors["m.q.qweight"] = np.zeros((32, 1), np.float32)
    with pytest.raises(UserError, match="types"):
        _ = Awq(tensor_files(tensors), CONFIG).weights
