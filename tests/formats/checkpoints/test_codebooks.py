"""AQLM, HQQ and torchao are read as a loop over the elements says."""

from __future__ import annotations

import json

import numpy as np
import pytest

from snug.core.errors import UserError
from snug.formats.checkpoints.aqlm import Aqlm
from snug.formats.checkpoints.hqq import Hqq
from snug.formats.checkpoints.torchao import Torchao
from tests.formats.checkpoints.safetensors_maker import Tensor, check_weight, tensor_files

RNG = np.random.default_rng(9)


def aqlm(
    out_groups: int, in_groups: int, books: int, bits: int, sizes: tuple[int, int] = (1, 8)
) -> tuple[dict[str, Tensor], np.ndarray]:
    out_size, in_size = sizes
    codes = RNG.integers(0, 2**bits, (out_groups, in_groups, books))
    book = RNG.standard_normal((books, 2**bits, out_size, in_size)).astype(np.float16)
    scales = RNG.random((out_groups, 1, 1, 1)).astype(np.float16)
    weight = np.zeros((out_groups * out_size, in_groups * in_size), np.float32)
    for row in range(weight.shape[0]):
        for column in range(weight.shape[1]):
            total = np.float32(0)
            for number in range(books):
                code = codes[row // out_size, column // in_size, number]
                total += np.float32(book[number, code, row % out_size, column % in_size])
            weight[row, column] = total * np.float32(scales[row // out_size, 0, 0, 0])
    signed = np.where(codes >= 2 ** (bits - 1), codes - 2**bits, codes)
    stored = signed.astype(np.int8 if bits <= 8 else np.int16)
    return {"a.codes": stored, "a.codebooks": book, "a.scales": scales}, weight


@pytest.mark.parametrize(("books", "bits"), [(1, 16), (2, 8), (1, 12), (4, 4)])
@pytest.mark.parametrize("sizes", [(1, 8), (2, 4)])
def test_aqlm_sums_the_entries_of_its_codebooks(books: int, bits: int, sizes: tuple[int, int]) -> None:
    tensors, weight = aqlm(5, 3, books, bits, sizes)
    config = {"quantization_config": {"quant_method": "aqlm"}}
    assert Aqlm.recognises(config, tensors)
    check_weight(Aqlm(tensor_files(tensors), config), "a.weight", weight, tolerance=1e-6)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("codes", np.zeros((5, 3), np.int8)),
        ("codes", np.zeros((5, 3, 3), np.int8)),
        ("codes", np.zeros((5, 3, 2), np.float32)),
        ("codebooks", np.zeros((2, 256, 8), np.float16)),
        ("codebooks", np.zeros((2, 0, 1, 8), np.float16)),
        ("scales", np.zeros((5, 1), np.float16)),
        ("codebooks", np.zeros((2, 2, 64, 64), np.float16)),
    ],
)
def test_parts_of_aqlm_that_disagree_are_refused(part: str, value: np.ndarray) -> None:
    tensors, _ = aqlm(5, 3, 2, 8)
    tensors[f"a.{part}"] = value
    with pytest.raises(UserError, match="disagree"):
        _ = Aqlm(tensor_files(tensors), {}).weights


def test_codes_beyond_the_codebook_are_refused() -> None:
    tensors, _ = aqlm(5, 3, 2, 8)
    tensors["a.codebooks"] = np.ones((2, 200, 1, 8), np.float16)
    tensors["a.codes"] = np.full((5, 3, 2), 220 - 256, np.int8)
    with pytest.raises(UserError, match="not there"):
        Aqlm(tensor_files(tensors), {}).read("a.weight")


PER_WORD = {"8bit_u8": (8, 1), "4bit_u8": (4, 2), "3bit_32": (3, 10), "2bit_u8": (2, 4), "1bit_u8": (1, 8)}


def hqq(packing: str, shape: tuple[int, int], group: int, axis: int) -> tuple[dict[str, Tensor], np.ndarray]:
    bits, share = PER_WORD[packing]
    count = shape[0] * shape[1]
    rows, columns = (count // group, group) if axis == 1 else (group, count // group)
    numbers = RNG.integers(0, 2**bits, (rows, columns))
    factor_shape = (rows, 1) if axis == 1 else (1, columns)
    scales, zeros = (RNG.random(factor_shape).astype(np.float16) for _ in range(2))
    flat = np.empty(count, np.float32)
    for row in range(rows):
        for column in range(columns):
            at = (row, 0) if axis == 1 else (0, column)
            flat[row * columns + column] = (np.float32(numbers[row, column]) - np.float32(zeros[at])) * np.float32(
                scales[at]
            )
    step = -(-rows // share)
    words = np.zeros((step, columns), np.uint32)
    for row in range(rows):
        for column in range(columns):
            place = row // step
            words[row % step, column] |= np.uint32(int(numbers[row, column]) << bits * (share - 1 - place))
    stored = words.view(np.int32) if packing == "3bit_32" else words.astype(np.uint8)
    tensors: dict[str, Tensor] = {
        "a.W_q": stored, "a.scale": scales, "a.zero": zeros, "a.axis": np.int32(axis).reshape(()),
        "a.group_size": np.int32(group).reshape(()), "a.nbits": np.int32(bits).reshape(()),
        "a.shape": np.array(shape, np.int64), "a.packing": np.frombuffer(packing.encode(), np.uint8),
        "a.quant_scale": np.uint8(0).reshape(()), "a.bias": np.ones(shape[0], np.float16),
    }  # fmt: skip
    return tensors, flat.reshape(shape)


@pytest.mark.parametrize("packing", list(PER_WORD))
@pytest.mark.parametrize(("shape", "group", "axis"), [((24, 64), 16, 1), ((24, 64), 16, 0), ((16, 32), 64, 1)])
def test_hqq_of_every_width_and_axis_is_read_exactly(
    packing: str, shape: tuple[int, int], group: int, axis: int
) -> None:
    tensors, weight = hqq(packing, shape, group, axis)
    weights = Hqq(tensor_files(tensors), {"quantization_config": {"quant_method": "hqq"}})
    check_weight(weights, "a.weight", weight)
    assert set(weights.weights) == {"a.weight", "a.bias"}


def test_hqq_s_numbers_may_be_stored_as_any_type() -> None:
    tensors, weight = hqq("4bit_u8", (8, 32), 16, 1)
    tensors["a.W_q"] = ("BF16", np.asarray(tensors["a.W_q"]).view(np.uint16))
    check_weight(Hqq(tensor_files(tensors), {}), "a.weight", weight)


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("W_q", np.zeros((8, 15), np.uint8), "disagree"),
        ("scale", np.ones(7, np.float16), "disagree"),
        ("zero", np.ones((16, 1), np.int8), "disagree"),
        ("shape", np.array([8, 32, 1], np.int64), "disagree"),
        ("shape", np.array([8, -32], np.int64), "disagree"),
        ("shape", np.zeros(100, np.int64), "disagree"),
        ("axis", np.int32([7]), "disagree"),
        ("axis", np.int32([1, 1]), "disagree"),
        ("group_size", np.int32([13]), "disagree"),
        ("group_size", np.int32([-16]), "disagree"),
        ("packing", np.frombuffer(b"9bit_u8", np.uint8), "disagree"),
        ("quant_scale", np.uint8([1]), "scales quantised"),
    ],
)
def test_wrong_hqq_layers_are_refused(part: str, value: np.ndarray, words: str) -> None:
    tensors, _ = hqq("4bit_u8", (8, 32), 16, 1)
    tensors[f"a.{part}"] = value
    with pytest.raises(UserError, match=words):
        _ = Hqq(tensor_files(tensors), {}).weights


def int4() -> tuple[dict[str, Tensor], np.ndarray]:
    numbers = RNG.integers(-8, 8, (6, 32))
    scales, zeros = (RNG.standard_normal((2, 6)).astype(np.float16) for _ in range(2))
    weight = np.empty((6, 32), np.float32)
    for row in range(6):
        for column in range(32):
            group = column // 16
            weight[row, column] = np.float32(numbers[row, column]) * np.float32(scales[group, row]) + zeros[group, row]
    packed = np.array([[(row[2 * at] & 15) | (row[2 * at + 1] & 15) << 4 for at in range(16)] for row in numbers])
    parts = {"qdata": packed.astype(np.uint8).view(np.int8), "scale": scales, "zero_point": zeros}
    return {f"m.a._weight_{part}": value for part, value in parts.items()}, weight


def described(kind: str) -> dict[str, str]:
    return {"m.a.weight": json.dumps({"_type": kind, "_data": {}}), "tensor_names": '["m.a.weight"]'}


TORCHAO = {"quantization_config": {"quant_method": "torchao"}}


def test_torchao_s_plain_int4_is_read() -> None:
    tensors, weight = int4()
    assert Torchao.recognises(TORCHAO, tensors)
    weights = Torchao(tensor_files(tensors, described("Int4Tensor")), TORCHAO)
    check_weight(weights, "m.a.weight", weight, tolerance=1e-6)
    assert set(weights.weights) == {"m.a.weight"}


@pytest.mark.parametrize(
    "kind", ["Int4TilePackedTo4dTensor", "Int4PlainInt32Tensor", "MXTensor", "AffineQuantizedTensor"]
)
def test_torchao_s_orders_for_graphics_cards_are_refused_by_name(kind: str) -> None:
    tensors, _ = int4()
    with pytest.raises(UserError, match="graphics cards"):
        _ = Torchao(tensor_files(tensors, described(kind)), TORCHAO).weights


def test_torchao_without_a_description_is_refused() -> None:
    tensors, _ = int4()
    with pytest.raises(UserError, match=r"description of m\.a\.weight is missing"):
        _ = Torchao(tensor_files(tensors), TORCHAO).weights
    with pytest.raises(UserError, match=r"description of m\.a\.weight is damaged"):
        _ = Torchao(tensor_files(tensors, {"m.a.weight": "{"}), TORCHAO).weights


def test_parts_of_torchao_that_disagree_are_refused() -> None:
    tensors, _ = int4()
    tensors["m.a._weight_scale"] = np.ones((3, 6), np.float16)
    with pytest.raises(UserError, match="disagree"):
        _ = Torchao(tensor_files(tensors, described("Int4Tensor")), TORCHAO).weights
