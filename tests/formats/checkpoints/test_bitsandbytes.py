"""bitsandbytes is read as its QuantState describes it, element by element."""

from __future__ import annotations

import json

import numpy as np
import pytest

from snug.core.errors import UserError
from snug.formats.checkpoints.bitsandbytes import BitsAndBytes
from tests.formats.checkpoints.safetensors_maker import Tensor, check_weight, tensor_files

RNG = np.random.default_rng(6)
CONFIG = {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}


def four_bits(
    shape: tuple[int, ...], kind: str = "nf4", block: int = 64, nested: int = 0
) -> tuple[dict[str, Tensor], np.ndarray]:
    """A packed weight and what a loop over its elements gives; `nested` is the outer block's size, 0 for none."""
    count = int(np.prod(shape))
    codes = RNG.integers(0, 16, count)
    values = np.sort(RNG.standard_normal(16)).astype(np.float32)
    blocks = -(-count // block)
    state: dict[str, object] = {"quant_type": kind, "blocksize": block, "dtype": "float16", "shape": list(shape)}
    tensors: dict[str, Tensor] = {"a.weight.quant_map": values}
    if nested:
        inner = RNG.integers(0, 256, blocks).astype(np.uint8)
        inner_map = np.sort(RNG.standard_normal(256)).astype(np.float32)
        outer = RNG.random(-(-blocks // nested)).astype(np.float32)
        state |= {"nested_blocksize": nested, "nested_dtype": "float32", "nested_offset": 0.25}
        tensors |= {
            "a.weight.absmax": inner,
            "a.weight.nested_absmax": outer,
            "a.weight.nested_quant_map": inner_map,
        }
        scales = [inner_map[inner[place]] * outer[place // nested] + np.float32(0.25) for place in range(blocks)]
    else:
        scales = list(RNG.random(blocks).astype(np.float32))
        tensors["a.weight.absmax"] = np.array(scales, np.float32)
    weight = np.array([values[codes[place]] * scales[place // block] for place in range(count)], np.float32)
    packed = [
        (int(codes[place]) << 4) + (int(codes[place + 1]) if place + 1 < count else 0) for place in range(0, count, 2)
    ]
    tensors["a.weight"] = np.array(packed, np.uint8).reshape(-1, 1)
    raw = json.dumps(state).encode()
    tensors[f"a.weight.quant_state.bitsandbytes__{kind}"] = np.frombuffer(raw, np.uint8)
    return tensors, weight.reshape(shape)


@pytest.mark.parametrize("kind", ["nf4", "fp4"])
@pytest.mark.parametrize("nested", [0, 4, 256])
@pytest.mark.parametrize("shape", [(16, 64), (12, 96), (7, 5), (2, 3, 64), (1, 1)])
def test_every_element_is_read_exactly(kind: str, nested: int, shape: tuple[int, ...]) -> None:
    tensors, weight = four_bits(shape, kind, nested=nested)
    assert BitsAndBytes.recognises({}, tensors)
    check_weight(BitsAndBytes(tensor_files(tensors), CONFIG), "a.weight", weight)


@pytest.mark.parametrize("block", [64, 128, 4096])
def test_blocks_may_be_longer_than_rows(block: int) -> None:
    tensors, weight = four_bits((40, 48), block=block)
    check_weight(BitsAndBytes(tensor_files(tensors), CONFIG), "a.weight", weight)


def test_codes_may_be_stored_as_any_type() -> None:
    tensors, weight = four_bits((16, 64))
    tensors["a.weight"] = ("BF16", np.asarray(tensors["a.weight"]).reshape(-1).view(np.uint16))
    check_weight(BitsAndBytes(tensor_files(tensors), CONFIG), "a.weight", weight)


def test_8_bits_are_scaled_by_row() -> None:
    numbers = RNG.integers(-128, 128, (6, 10)).astype(np.int8)
    scb = RNG.random(6).astype(np.float32)
    weight = np.array([[scb[row] * np.float32(v) / np.float32(127) for v in numbers[row]] for row in range(6)])
    tensors: dict[str, Tensor] = {
        "a.weight": numbers,
        "a.SCB": scb,
        "a.weight_format": np.uint8(0).reshape(()),
        "b.weight": np.ones((2, 2), np.float16),
    }
    weights = BitsAndBytes(tensor_files(tensors), CONFIG)
    check_weight(weights, "a.weight", weight.astype(np.float32), tolerance=1e-6)
    assert set(weights.weights) == {"a.weight", "b.weight"}


def test_8_bits_in_a_graphics_card_s_order_are_refused_with_words() -> None:
    tensors = {"a.weight": np.zeros((2, 2), np.int8), "a.SCB": np.ones(2, np.float32), "a.weight_format": np.uint8([3])}
    with pytest.raises(UserError, match="graphics card"):
        _ = BitsAndBytes(tensor_files(tensors), CONFIG).weights


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("", np.zeros((511, 1), np.uint8)),
        (".absmax", np.zeros(15, np.float32)),
        (".absmax", np.zeros(16, np.uint8)),
        (".quant_map", np.zeros(15, np.float32)),
        (".quant_map", np.zeros(16, np.float16)),
    ],
)
def test_parts_that_disagree_are_refused(part: str, value: np.ndarray) -> None:
    tensors, _ = four_bits((16, 64))
    tensors[f"a.weight{part}"] = value
    with pytest.raises(UserError, match="disagree"):
        _ = BitsAndBytes(tensor_files(tensors), CONFIG).weights


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"x", b"[]", b"{}", b'{"shape":[16,64],"blocksize":0}', b'{"shape":[16,64],"blocksize":"64"}',
        b'{"shape":[-1]}', b'{"shape":[0]}', b'{"shape":[1.5]}', b'{"shape":[4611686018427387904,4]}',
        b'{"shape":[16,64],"nested_offset":"x"}', b'{"shape":[16,64],"nested_offset":1e999}',
        b'{"shape":[16,64],"nested_blocksize":-1}', b" " * 5000,
    ],
)  # fmt: skip
def test_damaged_descriptions_are_refused(raw: bytes) -> None:
    tensors, _ = four_bits((16, 64))
    tensors["a.weight.quant_state.bitsandbytes__nf4"] = np.frombuffer(raw, np.uint8)
    with pytest.raises(UserError):
        _ = BitsAndBytes(tensor_files(tensors), CONFIG).weights


def test_a_missing_part_is_named() -> None:
    tensors, _ = four_bits((16, 64), nested=4)
    del tensors["a.weight.nested_quant_map"]
    with pytest.raises(UserError, match="nested_quant_map is missing"):
        _ = BitsAndBytes(tensor_files(tensors), CONFIG).weights
