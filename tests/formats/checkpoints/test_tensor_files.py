"""Tensors are read by rows, columns and spans, the same whichever way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from snug.core.errors import UserError
from snug.formats.byte_source import FileSource
from snug.formats.checkpoints import tensor_files as module
from snug.formats.checkpoints.plain import Plain
from snug.formats.checkpoints.tensor_files import TensorFiles, open_tensor_file
from tests.formats.checkpoints.safetensors_maker import check_weight, safetensors, tensor_files
from tests.formats.header_bytes import BytesSource

MATRIX = np.arange(77, dtype=np.int32).reshape(11, 7)


@pytest.mark.parametrize(("strip_bytes", "piece_bytes"), [(1, 2048), (56, 2048), (2**24, 2048), (56, 4)])
def test_columns_are_cut_out_of_rows(monkeypatch: pytest.MonkeyPatch, strip_bytes: int, piece_bytes: int) -> None:
    monkeypatch.setattr(module, "STRIP_BYTES", strip_bytes)
    monkeypatch.setattr(module, "LONG_PIECE_BYTES", piece_bytes)
    files = tensor_files({"a": MATRIX})
    for first in range(8):
        for last in range(first, 8):
            assert files.stored_columns("a", first, last).tolist() == MATRIX[:, first:last].tolist()


def test_rows_spans_and_bytes_are_parts_of_the_whole() -> None:
    files = tensor_files({"a": MATRIX, "s": np.float32(2.5).reshape(())})
    assert files.stored("a", 3, 5).tolist() == MATRIX[3:5].tolist()
    assert files.stored_span("a", 10, 20).tolist() == MATRIX.reshape(-1)[10:20].tolist()
    assert files.stored_bytes("a", 4, 8).tolist() == [1, 0, 0, 0]
    assert files.stored("s").shape == ()
    assert files.floats("s") == 2.5


def test_what_lies_outside_of_a_tensor_cannot_be_read() -> None:
    files = tensor_files({"a": MATRIX})
    for read in (files.stored, files.stored_columns, files.stored_span, files.stored_bytes):
        for first, last in ((-1, 2), (3, 2), (0, 1000)):
            with pytest.raises(IndexError):
                read("a", first, last)
    with pytest.raises(UserError, match="the tensor b is missing"):
        files.stored("b")


def test_two_files_may_not_hold_the_same_tensor() -> None:
    data = safetensors({"a": MATRIX})
    with pytest.raises(UserError, match="two of them hold the same tensor"):
        TensorFiles([open_tensor_file(name, BytesSource(data)) for name in ("x", "y")])


def test_a_file_that_shrinks_while_it_is_read_gives_words(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(safetensors({"a": MATRIX}))
    with TensorFiles([open_tensor_file(path.name, FileSource(path))]) as files:
        path.write_bytes(path.read_bytes()[:-8])
        with pytest.raises(UserError, match="cut short"):
            files.stored("a")


def test_plain_weights_come_in_their_shape() -> None:
    rng = np.random.default_rng(1)
    values = rng.standard_normal((4, 6, 10)).astype(np.float32)
    plain = Plain(
        tensor_files(
            {
                "f32": values,
                "f16": values.astype(np.float16),
                "bf16": ("BF16", (values.view(np.uint32) >> 16).astype(np.uint16)),
                "vector": values[0, 0],
                "scalar": np.float32(7).reshape(()),
            }
        ),
        {},
    )
    check_weight(plain, "f32", values)
    check_weight(plain, "f16", values.astype(np.float16).astype(np.float32))
    check_weight(plain, "bf16", (values.view(np.uint32) >> 16 << 16).view(np.float32))
    check_weight(plain, "vector", values[0, 0])
    assert plain.read("scalar") == 7
    assert plain.bits_per_weight() == pytest.approx(8 * (240 * 8 + 44) / (240 * 3 + 11))
    with pytest.raises(UserError, match="missing"):
        plain.read("nothing")
    with pytest.raises(IndexError):
        plain.read_rows("f32", 0, 25)
