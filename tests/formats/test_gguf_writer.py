"""The layout of a GGUF, byte for byte as gguf-py writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from snug.core.errors import UserError
from snug.formats.byte_source import FileSource
from snug.formats.gguf_entries import read_entries
from snug.formats.gguf_header import read_file_header
from snug.formats.gguf_writer import encode_value, plan_layout

ENTRIES: tuple[tuple[str, str, Any], ...] = (
    ("general.architecture", "str", "llama"),
    ("llama.block_count", "u32", 3),
    ("a.i32", "i32", -7),
    ("a.u64", "u64", 2**40),
    ("a.f32", "f32", 1e-5),
    ("a.bool", "bool", True),
    ("a.text", "str", "Grüße 模型 😀\n"),
    ("a.texts", "[str", ["a", "", "ß"]),
    ("a.ints", "[i32", [1, -2, 3]),
    ("a.floats", "[f32", [0.5, -1.0]),
    ("a.bools", "[bool", [True, False]),
)
TENSORS = {
    "token_embd.weight": np.arange(7 * 5, dtype=np.float16).reshape(7, 5),
    "blk.0.attn_norm.weight": np.ones(5, np.float32),
    "blk.0.ffn_up_exps.weight": np.zeros((2, 3, 4), np.float32),
}


def reference(path: Path) -> bytes:
    writer = gguf.GGUFWriter(path, "llama")
    for key, kind, value in ENTRIES[1:]:
        if kind.startswith("["):
            writer.add_key_value(key, value, gguf.GGUFValueType.ARRAY, sub_type=_type(kind[1:]))
        else:
            writer.add_key_value(key, value, _type(kind))
    for name, tensor in TENSORS.items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path.read_bytes()


def _type(kind: str) -> gguf.GGUFValueType:
    names = {"u32": "UINT32", "i32": "INT32", "u64": "UINT64", "f32": "FLOAT32", "bool": "BOOL", "str": "STRING"}
    return gguf.GGUFValueType[names[kind]]


def own() -> bytes:
    types = {"float16": "F16", "float32": "F32"}
    layout = plan_layout(
        [(key, encode_value(kind, value)) for key, kind, value in ENTRIES],
        [(name, tensor.shape, types[tensor.dtype.name]) for name, tensor in TENSORS.items()],
    )
    whole = bytearray(layout.file_bytes)
    whole[: len(layout.header)] = layout.header
    for place in reversed(layout.tensors):
        whole[place.offset : place.offset + place.size_bytes] = TENSORS[place.name].tobytes()
    return bytes(whole)


def test_a_file_is_the_same_byte_for_byte_as_gguf_py_writes_it(tmp_path: Path) -> None:
    assert own() == reference(tmp_path / "reference.gguf")


def test_metadata_read_back_as_bytes_is_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(own())
    assert read_file_header(path).values["llama.block_count"] == 3
    with FileSource(path) as source:
        entries = read_entries(source)
    assert entries == [(key, encode_value(kind, value)) for key, kind, value in ENTRIES]


@pytest.mark.parametrize(
    ("kind", "value"), [("u32", -1), ("u32", "one"), ("str", 5), ("[u32", 5), ("[str", [1]), ("u17", 1), ("f32", None)]
)
def test_a_value_that_is_not_of_its_kind_is_refused(kind: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        encode_value(kind, value)


@pytest.mark.parametrize(("name", "shape"), [("x" * 64, (4, 4)), ("x", (1, 2, 2, 2, 2))])
def test_a_tensor_that_no_reader_takes_is_refused(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError) as caught:
        plan_layout([], [(name, shape, "F32")])
    assert caught.value.kind == "not-supported"


def test_two_tensors_of_one_name_are_refused() -> None:
    with pytest.raises(UserError):
        plan_layout([], [("x", (4, 4), "F32"), ("x", (4, 4), "F32")])
