"""GGUF's quantised types are read as gguf-py, the format's own library, reads them."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest
from gguf import quants

from snug.core.errors import UserError
from snug.formats.byte_source import FileSource
from snug.formats.checkpoints.gguf_blocks import BLOCKS
from snug.formats.checkpoints.gguf_weights import GgufWeights
from snug.formats.ggml_types import TYPES
from snug.formats.gguf_header import GgufHeader, TensorInfo, read_header
from tests.formats.header_bytes import BytesSource

PIP = Path(__file__).parents[3] / "resources" / "models" / "pip" / "pip-7m-Q8_0.gguf"
KINDS = {kind.name: kind for kind in TYPES}
RNG = np.random.default_rng(12)


def one_tensor(kind: str, dims: tuple[int, ...], data: bytes) -> GgufWeights:
    info = TensorInfo("a", dims, KINDS[kind], 0, len(data))
    header = GgufHeader(3, {}, {}, (info,), 0, 32, len(data), len(data))
    return GgufWeights(header, BytesSource(data))


@pytest.mark.parametrize("name", list(BLOCKS))
def test_blocks_of_any_bytes_are_read_as_gguf_reads_them(name: str) -> None:
    kind = KINDS[name]
    data = RNG.integers(0, 256, (6, 2 * kind.bytes)).astype(np.uint8)
    if name == "MXFP4":
        data[:, :: kind.bytes] %= 255  # 255 stands for no number in the specification
    with np.errstate(all="ignore"):
        expected = quants.dequantize(data, gguf.GGMLQuantizationType[name])
    weights = one_tensor(name, (2 * kind.block, 3, 2), data.tobytes())
    assert weights.shape("a") == (2, 3, 2 * kind.block)
    np.testing.assert_allclose(weights.read("a").reshape(6, -1), expected, rtol=3e-6, atol=0, equal_nan=True)
    np.testing.assert_array_equal(weights.read_rows("a", 2, 5), weights.read("a").reshape(6, -1)[2:5])


@pytest.mark.parametrize(("name", "dtype"), [("F32", "<f4"), ("F16", "<f2"), ("I32", "<i4"), ("F64", "<f8")])
def test_plain_numbers_are_read(name: str, dtype: str) -> None:
    values = np.arange(12).astype(dtype).reshape(3, 4)
    assert one_tensor(name, (4, 3), values.tobytes()).read("a").tolist() == values.tolist()


def test_pip_is_read_as_gguf_reads_it() -> None:
    expected = {tensor.name: tensor for tensor in gguf.GGUFReader(PIP).tensors}
    with FileSource(PIP) as source:
        weights = GgufWeights(read_header(source), source)
        assert set(weights.tensors) == set(expected)
        for name in list(expected)[:12]:
            tensor = expected[name]
            np.testing.assert_array_equal(weights.read(name), quants.dequantize(tensor.data, tensor.tensor_type))


def test_types_of_too_few_bits_are_refused_with_words() -> None:
    with pytest.raises(UserError, match="too few bits"):
        one_tensor("IQ2_XXS", (256, 1), b"\0" * 66).read("a")


def test_a_file_that_ends_early_gives_words() -> None:
    weights = one_tensor("F32", (4, 3), b"\0" * 40)
    with pytest.raises(UserError, match="cut short"):
        weights.read("a")
    with pytest.raises(UserError, match="missing"):
        weights.read("b")
    with pytest.raises(IndexError):
        weights.read_rows("a", 0, 4)
