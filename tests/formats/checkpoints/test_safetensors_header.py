"""The safetensors reader takes what the format allows and refuses the rest with words."""

from __future__ import annotations

import json
import os
import random
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snug.core.errors import UserError
from snug.formats.byte_source import FileSource
from snug.formats.checkpoints.safetensors_header import HeaderLimits, SafetensorsHeader, read_header
from tests.formats.checkpoints.safetensors_maker import file_bytes, header_and_data, safetensors
from tests.formats.header_bytes import BytesSource

CASES = 5_000 if os.environ.get("SNUG_FULL_TESTS") == "1" else 500
TWO = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.arange(4, dtype=np.uint8)}


def read(data: bytes, limits: HeaderLimits | None = None, size: int | None = None) -> SafetensorsHeader:
    return read_header(BytesSource(data, size), "model.safetensors", limits or HeaderLimits())


def entry(dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8)) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def test_names_types_shapes_places_and_metadata_are_read() -> None:
    data = safetensors(TWO, {"format": "pt"})
    header = read(data)
    assert [(t.name, t.kind.name, t.shape, t.size_bytes) for t in header.tensors.values()] == [
        ("a", "F32", (2, 3), 24),
        ("b", "U8", (4,), 4),
    ]
    assert header.metadata == {"format": "pt"}
    assert header.tensors["b"].start == len(data) - 4 == header.data_offset + 24


def test_the_order_of_entries_does_not_matter() -> None:
    header, data = header_and_data(TWO)
    assert list(read(file_bytes(dict(reversed(header.items())), data)).tensors) == ["a", "b"]


def test_scalars_empty_tensors_and_trailing_spaces_are_allowed() -> None:
    header = {"s": entry("F32", [], [0, 4]), "e": entry("F16", [0, 7], [4, 4])}
    read_back = read(file_bytes(json.dumps(header).encode() + b"    ", b"\0" * 4))
    assert read_back.tensors["s"].shape == ()
    assert read_back.tensors["e"].size_bytes == 0


def test_only_the_header_is_read() -> None:
    header, data = header_and_data(TWO)
    whole = file_bytes(header, data)
    assert len(read(whole[: -len(data)], size=len(whole)).tensors) == 2


def test_half_byte_numbers_must_fill_whole_bytes() -> None:
    assert read(file_bytes({"a": entry("F4", [2, 3], [0, 3])}, b"\0" * 3)).tensors["a"].size_bytes == 3
    with pytest.raises(UserError, match="impossible shape"):
        read(file_bytes({"a": entry("F4", [3], [0, 2])}, b"\0" * 2))


@pytest.mark.parametrize(
    ("header", "data", "words"),
    [
        ({"a": entry("F32", [2], [0, 8])}, b"\0" * 7, "cut short"),
        ({"a": entry("F32", [2], [0, 8])}, b"\0" * 9, "belong to no tensor"),
        ({"a": entry("F32", [2], [4, 12])}, b"\0" * 12, "leave a gap"),
        ({"a": entry(), "b": entry("F32", [2], [4, 12])}, b"\0" * 12, "overlap"),
        ({"a": entry(), "b": entry("F32", [2], [9, 17])}, b"\0" * 17, "leave a gap"),
        ({"a": entry("F32", [3], [0, 8])}, b"\0" * 8, "contradicts itself"),
        ({"a": entry("F32", [2], [8, 0])}, b"\0" * 8, "impossible places"),
        ({"a": entry("F32", [2], [-8, 0])}, b"\0" * 8, "impossible places"),
        ({"a": entry("F32", [2], [0, 8, 9])}, b"\0" * 8, "impossible places"),
        ({"a": entry("F32", [2], [0.0, 8.0])}, b"\0" * 8, "impossible places"),
        ({"a": entry("F32", [True, 2], [0, 8])}, b"\0" * 8, "impossible shape"),
        ({"a": entry("F32", [-2], [0, 8])}, b"\0" * 8, "impossible shape"),
        ({"a": entry("F32", [2**40, 2**40], [0, 8])}, b"\0" * 8, "impossible shape"),
        ({"a": entry("F32", [2**31, 0, 2**31], [0, 0])}, b"", "impossible shape"),
        ({"a": entry("F32", [2**70], [0, 8])}, b"\0" * 8, "impossible shape"),
        ({"a": entry("F32", [1] * 9, [0, 4])}, b"\0" * 4, "impossible shape"),
        ({"a": entry("F32", None, [0, 8])}, b"\0" * 8, "impossible shape"),
        ({"a": entry("Q4_K", [2], [0, 8])}, b"\0" * 8, "does not know"),
        ({"a": entry(["F32"], [2], [0, 8])}, b"\0" * 8, "does not know"),
        ({"a": [1, 2]}, b"", "damaged"),
        ({"": entry()}, b"\0" * 8, "impossible name"),
        ({"a\u202eb": entry()}, b"\0" * 8, "impossible name"),
        ({"a" * 2000: entry()}, b"\0" * 8, "impossible name"),
        ({"__metadata__": {"a": 1}}, b"", "damaged"),
        ({"__metadata__": []}, b"", "damaged"),
        (b"{" + b'"a":{' * 5000, b"", "damaged"),
        (b'{"a":' + b"[" * 100_000, b"", "damaged"),
        (b'{"a":NaN}', b"", "damaged"),
        (b'{"a":' + b"9" * 5000 + b"}", b"", "damaged"),
        (b'{"\xff":1}', b"", "no text"),
        (b'{"a":1} x', b"", "damaged"),
    ],
)
def test_wrong_headers_are_refused_with_words(header: Any, data: bytes, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        read(file_bytes(header, data))
    assert caught.value.bad_input
    assert caught.value.advice


def test_a_name_that_occurs_twice_is_refused() -> None:
    one = json.dumps(entry())
    with pytest.raises(UserError) as caught:
        read(file_bytes(f'{{"a":{one},"a":{one}}}'.encode(), b"\0" * 8))
    assert "twice" in caught.value.details


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\0" * 7, "empty"),
        (b"\x80\x02ctorch._utils\n_rebuild", "PyTorch"),
        (b"PK\x03\x04" + b"\0" * 60, "PyTorch"),
        (b"GGUF\x03\0\0\0" + b"\0" * 60, "GGUF"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n", "pointer"),
        (b"<!DOCTYPE html><html><body>Please log in</body></html>", "web page"),
        (struct.pack("<Q", 2**63) + b"{}", "impossibly long"),
        (struct.pack("<Q", 100_000_001) + b"{}", "impossibly long"),
        (struct.pack("<Q", 90_000_000) + b"{}", "cut short"),
        (struct.pack("<Q", 2) + b"[]", "no safetensors"),
    ],
)
def test_other_files_are_named(data: bytes, words: str) -> None:
    with pytest.raises(UserError, match=words):
        read(data)


def test_impossibly_many_parts_are_refused_before_they_are_built() -> None:
    raw = b'{"a":[' + b"[]," * 3_000_000 + b"[]]}"
    tracemalloc.start(1)
    try:
        with pytest.raises(UserError, match="impossibly many"):
            read(file_bytes(raw))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * len(raw)


def test_a_real_checkpoint_is_read(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(safetensors({f"layer.{number}.weight": np.ones((3, 5), np.float16) for number in range(1000)}))
    with FileSource(path) as source:
        assert len(read_header(source, path.name).tensors) == 1000


def seeds() -> list[tuple[bytes, int]]:
    """Headers of good files, each with the number of bytes that follow it."""
    many = {f"model.layers.{n}.w": np.ones((2, n + 1), np.float16) for n in range(20)}
    scalar = {"x": np.float32(3).reshape(()), "é 模型": ("BF16", np.ones((2, 2), np.uint16))}
    files = [
        header_and_data(tensors, metadata) for tensors, metadata in ((TWO, None), (many, {"a": "b"}), (scalar, {}))
    ]
    return [(file_bytes(header), len(data)) for header, data in files]


PIECES = (b"{", b"}", b"[", b"]", b",", b'"', b"-", b"0", b"99999999999999999999", b"null", b"1e9", b"\\u0000", b"F64",
          b'"a":{', b"\xff", b'"__metadata__":{}', b"")  # fmt: skip


def mutate(header: bytes, source: random.Random) -> bytes:
    data = bytearray(header)
    for _ in range(source.randint(1, 3)):
        at = source.randrange(8, len(data))
        choice = source.randrange(5)
        if choice == 0:
            data[at] = source.randrange(256)
        elif choice == 1:
            data[at : at + source.randint(0, 4)] = source.choice(PIECES)
        elif choice == 2:
            del data[at : at + source.randint(1, 20)]
        elif choice == 3:
            other = source.randrange(8, len(data))
            data[at:at] = data[other : other + source.randint(1, 40)]
        else:
            digits = [place for place in range(8, len(data)) if chr(data[place]).isdigit()] or [at]
            data[source.choice(digits)] = ord(source.choice("0123456789"))
        if len(data) < 12:
            break
    if source.random() < 0.9:
        data[:8] = struct.pack("<Q", max(0, len(data) - 8))
    else:
        data[source.randrange(8)] = source.randrange(256)
    return bytes(data)


def check_words(error: UserError) -> None:
    assert error.bad_input
    assert error.title
    assert error.advice
    assert error.kind in ("bad-checkpoint", "not-supported")


def check(data: bytes, size: int) -> str:
    """ "read" or "refused"; whatever else happens is the failure that the test is for."""
    try:
        header = read(data, size=size)
    except UserError as error:
        check_words(error)
        return "refused"
    assert sum(tensor.size_bytes for tensor in header.tensors.values()) == size - header.data_offset
    return "read"


def test_damaged_headers_are_read_right_or_refused() -> None:
    source = random.Random(4_2026)
    good = seeds()
    outcomes = []
    for number in range(CASES):
        header, rest = good[number % len(good)]
        damaged = mutate(header, source)
        outcomes.append(check(damaged, len(damaged) + rest))
    assert outcomes.count("read") > CASES // 100
    assert outcomes.count("refused") > CASES // 2


@settings(max_examples=CASES // 5)
@given(st.binary(max_size=200))
def test_any_text_is_refused(raw: bytes) -> None:
    data = file_bytes(b"{" + raw)
    assert check(data, len(data) + 5) == "refused"
