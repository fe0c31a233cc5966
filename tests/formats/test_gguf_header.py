"""The header reader: right on good files, clear and cheap on every bad one."""

from __future__ import annotations

import os
import struct
import tracemalloc
from pathlib import Path

import gguf as reference
import pytest

from snug.core.errors import UserError
from snug.formats.byte_cursor import Limits
from snug.formats.ggml_types import REMOVED_TYPES, TYPES, GgmlType, tensor_bytes
from snug.formats.gguf_header import open_file, read_file_header, read_header
from tests.formats.header_bytes import (
    ARRAY,
    BOOL,
    F32,
    STRING,
    U8,
    U16,
    U32,
    U64,
    BytesSource,
    array,
    gguf,
    pair,
    tensor,
    text,
    tiny_model,
)

PIP = Path(__file__).parents[2] / "resources" / "models" / "pip" / "pip-7m-Q8_0.gguf"
HUGE = 2**64 - 1
UNHURRIED = Limits(seconds=None)
"""Counting memory makes reading many times slower."""


def read(data: bytes, size: int | None = None) -> object:
    return read_header(BytesSource(data, size))


def test_the_header_of_pip_is_what_the_formats_own_reader_says() -> None:
    header, expected = read_file_header(PIP), reference.GGUFReader(PIP)
    assert {tensor.name: (tensor.dims, tensor.kind.name, tensor.size_bytes) for tensor in header.tensors} == {
        item.name: (tuple(int(size) for size in item.shape), item.tensor_type.name, int(item.n_bytes))
        for item in expected.tensors
    }
    assert header.data_offset == expected.data_offset
    assert header.alignment == expected.alignment
    assert header.values["llama.block_count"] == 6
    assert header.text("general.architecture") == "llama"
    assert header.array_lengths["tokenizer.ggml.tokens"] == 4096
    assert "<|im_start|>" in header.text("tokenizer.chat_template")


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_the_size_of_a_type_is_the_formats_own(kind: GgmlType) -> None:
    known = {int(item): sizes for item, sizes in reference.GGML_QUANT_SIZES.items()}
    if kind.name not in ("Q8_1", "Q2_0"):  # gguf-py counts Q8_1 as before 2024 and does not know Q2_0 yet
        assert known[kind.number] == (kind.block, kind.bytes)
    assert tensor_bytes(kind, (kind.block * 3, 2)) == 6 * kind.bytes


def test_version_2_is_read_too() -> None:
    assert read_header(BytesSource(gguf([pair("general.name", STRING, "x")], version=2))).version == 2


def test_only_the_header_is_needed_when_the_whole_size_is_known() -> None:
    whole = PIP.read_bytes()
    offset = read_file_header(PIP).data_offset
    header = read_header(BytesSource(whole[:offset], len(whole)))
    assert header.data_bytes + header.data_offset == len(whole)


GOOD = pair("general.name", STRING, "x")
BAD_HEADERS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty or cut short"),
    "23 bytes": (b"GGUF" + b"\0" * 19, "empty or cut short"),
    "a web page": (b"<!DOCTYPE html><html><body>Log in</body></html>", "web page"),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "pointer"),
    "a ZIP": (b"PK\x03\x04" + b"\0" * 60, "ZIP or PyTorch"),
    "safetensors": (struct.pack("<Q", 40) + b'{"a":{"dtype":"F32","shape":[1],"x":1}}', "safetensors"),
    "old GGML": (b"tjgg" + b"\0" * 60, "old format"),
    "something else": (b"\x7fELF" + b"\0" * 60, "no GGUF file"),
    "big-endian": (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "big-endian"),
    "version 1": (gguf([GOOD], version=1), "version 1 is not supported"),
    "version 9": (gguf([GOOD], version=9), "version 9 is not supported"),
    "too many keys": (gguf(keys=HUGE), "more entries than it can hold"),
    "more keys than bytes": (gguf([GOOD], keys=50), "more entries than it can hold"),
    "too many tensors": (gguf(tensor_count=HUGE), "more tensors than it can hold"),
    "a key without end": (gguf([struct.pack("<Q", HUGE) + b"x" * 20]), "name of impossible length"),
    "a key without name": (gguf([text("") + struct.pack("<II", U32, 1) + b"\0" * 8]), "name of impossible length"),
    "a key that is no text": (gguf([pair(b"\xff\xfe\xfd", U32, 1)]), "name that is no text"),
    "a key with control characters": (gguf([pair("general\nname", U32, 1)]), "name that is no text"),
    "a double key": (gguf([GOOD, GOOD]), "appears twice"),
    "an unknown kind": (gguf([text("x.y") + struct.pack("<I", 99) + b"\0" * 40]), "unknown kind"),
    "an endless text": (gguf([text("general.name") + struct.pack("<IQ", STRING, HUGE)]), "impossible length"),
    "a cut text": (gguf([text("general.name") + struct.pack("<IQ", STRING, 5000)]), "cut short"),
    "an endless list": (gguf([text("x") + struct.pack("<IIQ", ARRAY, U8, HUGE)]), "impossible length"),
    "an endless list of texts": (gguf([text("x") + struct.pack("<IIQ", ARRAY, STRING, 10**6)]), "cut short"),
    "a text too long in a list": (
        gguf([text("x") + struct.pack("<IIQQ", ARRAY, STRING, 2, HUGE) + b"\0" * 30]),
        "impossible length",
    ),
    "a list of lists": (gguf([text("x") + struct.pack("<IIQ", ARRAY, ARRAY, 1) + b"\0" * 30]), "unknown kind"),
    "alignment 0": (gguf([pair("general.alignment", U32, 0)]), "alignment is impossible"),
    "alignment 24": (gguf([pair("general.alignment", U32, 24)]), "alignment is impossible"),
    "alignment text": (gguf([pair("general.alignment", F32, 32.0)]), "alignment is not a number"),
    "no dimensions": (gguf([], [tensor("t", ())]), "impossible shape"),
    "five dimensions": (gguf([], [tensor("t", (1, 1, 1, 1, 1))]), "impossible shape"),
    "too many values": (gguf([], [tensor("t", (2**40, 2**40))]), "impossible shape"),
    "a broken row": (gguf([], [tensor("t", (31,), kind=8)], data=400), "impossible shape"),
    "an unknown type": (gguf([], [tensor("t", (32,), kind=77)], data=400), "number format 77, which is not supported"),
    "a removed type": (gguf([], [tensor("t", (32,), kind=31)], data=400), "Q4_0_4_4, which the engine no longer"),
    "a double tensor": (gguf([], [tensor("t", (8,)), tensor("t", (8,), offset=32)], data=64), "appears twice"),
    "a tensor name too long": (gguf([], [tensor("t" * 64, (8,))], data=64), "name of impossible length"),
    "an overlap": (gguf([], [tensor("a", (32,)), tensor("b", (8,), offset=64)], data=400), "does not match"),
    "a gap": (gguf([], [tensor("a", (8,)), tensor("b", (8,), offset=64)], data=400), "does not match"),
    "unaligned": (gguf([], [tensor("a", (8,), offset=4)], data=400), "does not match"),
    "tensors beyond the end": (gguf([], [tensor("a", (1000,))], data=100), "end is missing"),
}


@pytest.mark.parametrize(("data", "words"), BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_a_bad_file_is_refused_with_its_reason(data: bytes, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        read(data)
    assert caught.value.kind == "bad-gguf"
    assert caught.value.bad_input
    assert caught.value.advice


def test_the_51_bytes_that_hang_the_formats_own_reader_are_refused_at_once() -> None:
    data = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("a") + struct.pack("<II", ARRAY, U8) + struct.pack("<Q", 2**60)
    with pytest.raises(UserError, match="impossible length"):
        read(data.ljust(51, b"\0"))


@pytest.mark.parametrize("cut", [24, 100, 1000, 60_000, 131_000])
def test_pip_cut_anywhere_in_its_header_is_refused(cut: int) -> None:
    with pytest.raises(UserError, match=r"cut short|more entries|more tensors"):
        read(PIP.read_bytes()[:cut])


def test_pip_cut_in_its_weights_says_how_much_is_missing() -> None:
    with pytest.raises(UserError, match="end is missing") as caught:
        read(PIP.read_bytes()[:-1000])
    assert "1000 of" in caught.value.details


def test_a_large_vocabulary_takes_little_memory() -> None:
    words = array("tokenizer.ggml.tokens", STRING, (f"token{number}" for number in range(300_000)))
    data = gguf([pair("general.architecture", STRING, "llama"), words])
    tracemalloc.start()
    try:
        header = read_header(BytesSource(data), UNHURRIED)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert header.array_lengths["tokenizer.ggml.tokens"] == 300_000
    assert peak < 4 * 2**20


def test_many_kept_lists_take_little_memory() -> None:
    data = gguf([array(f"x.{number}", U16, range(3000, 7096)) for number in range(300)])
    tracemalloc.start()
    try:
        read_header(BytesSource(data), UNHURRIED)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10 * 2**20


def test_reading_stops_when_its_time_is_over() -> None:
    with pytest.raises(UserError, match="takes too long"):
        read_header(BytesSource(PIP.read_bytes()), Limits(seconds=0.0))


def test_a_source_that_gives_less_than_asked_is_read_to_its_end() -> None:
    class Dripping(BytesSource):
        def read(self, offset: int, length: int) -> bytes:
            return super().read(offset, min(length, 1000))

    assert read_header(Dripping(PIP.read_bytes())) == read_file_header(PIP)


def test_a_source_that_ends_early_is_refused() -> None:
    with pytest.raises(UserError, match="cut short"):
        read(PIP.read_bytes()[:5000], PIP.stat().st_size)


def test_short_lists_of_numbers_are_kept_and_long_ones_only_counted() -> None:
    header = read_header(
        BytesSource(
            gguf(
                [
                    array("a.short", U16, range(60)),
                    array("a.flags", BOOL, [True, False]),
                    array("a.long", U64, range(5000)),
                ]
            )
        )
    )
    assert header.values["a.short"] == tuple(range(60))
    assert header.values["a.flags"] == (True, False)
    assert "a.long" not in header.values
    assert header.array_lengths["a.long"] == 5000


def test_a_file_that_cannot_be_opened_is_explained(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    for path, words in (
        (tmp_path / "none.gguf", "no file"),
        (tmp_path, "not a file"),
        (tmp_path / "pipe.gguf", "not a file"),
    ):
        with pytest.raises(UserError, match=words):
            open_file(path)
    with pytest.raises(UserError, match="not a file"):
        open_file("with\0zero")


def test_the_smallest_model_that_the_other_tests_build_on_is_good() -> None:
    assert len(read_header(BytesSource(tiny_model())).tensors) == 1
    assert set(REMOVED_TYPES).isdisjoint(kind.number for kind in TYPES)
