"""The list of shards: lies, missing files and names that lead out of the folder are refused."""

from __future__ import annotations

import json
import os
import random

import pytest

from snug.core.errors import UserError
from snug.formats.checkpoints.shard_index import check_present, read_index, shards_by_name

CASES = 5_000 if os.environ.get("SNUG_FULL_TESTS") == "1" else 500
GOOD = json.dumps(
    {
        "metadata": {"total_size": 24},
        "weight_map": {
            "a.weight": "model-00001-of-00002.safetensors",
            "b.weight": "model-00002-of-00002.safetensors",
            "c.weight": "model-00001-of-00002.safetensors",
        },
    }
).encode()


def index(shard: object) -> bytes:
    return json.dumps({"weight_map": {"a": shard}}).encode()


def test_tensors_and_shards_are_listed() -> None:
    found = read_index(GOOD)
    assert found.shards == ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    assert found.shard_of["c.weight"] == "model-00001-of-00002.safetensors"


@pytest.mark.parametrize(
    "name",
    [
        "../model.safetensors", "/etc/model.safetensors", "a/../b.safetensors", "a/b.safetensors", "..\\b.safetensors",
        "C:\\b.safetensors", "C:b.safetensors", "\\\\host\\b.safetensors", "model.bin", "model.safetensors/..", "", ".",
        "..", ".hidden.safetensors", "a\0.safetensors", "a\n.safetensors", "a\u202e.safetensors", "~/b.safetensors",
        "x" * 300 + ".safetensors", "model.py", "model.safetensors.py", "http://host/b.safetensors",
        "\ud800.safetensors",
    ],
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    with pytest.raises(UserError, match="outside of its folder") as caught:
        read_index(index(name))
    assert caught.value.kind == "unsafe-checkpoint"


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"[]", b"{}", b"null", b'{"weight_map":{}}', b'{"weight_map":[]}', b'{"weight_map":', b"\xff{}",
        index(1), index(None), index(["a.safetensors"]), b'{"weight_map":{"a":"x.safetensors","a":"y.safetensors"}}',
        b'{"weight_map":{"a":"x.safetensors"},"weight_map":{}}', b'{"a":' * 100_000,
    ],
)  # fmt: skip
def test_damaged_indexes_are_refused(raw: bytes) -> None:
    with pytest.raises(UserError) as caught:
        read_index(raw)
    assert caught.value.kind == "bad-checkpoint"


def test_impossibly_many_shards_are_refused() -> None:
    many = {f"t{number}": f"{number}.safetensors" for number in range(10_001)}
    with pytest.raises(UserError, match="impossibly many"):
        read_index(json.dumps({"weight_map": many}).encode())


def test_missing_files_are_named() -> None:
    wanted = [f"model-{number:05d}-of-00006.safetensors" for number in range(1, 7)]
    check_present(wanted, wanted)
    with pytest.raises(UserError) as caught:
        check_present(wanted, wanted[:1])
    assert caught.value.title.startswith("5 of this model's 6 files are missing: model-00002-of-00006.safetensors,")
    assert "and 2 more" in caught.value.title
    assert caught.value.kind == "missing-part"


def test_numbered_files_without_an_index_must_be_complete() -> None:
    names = [f"model-{number:05d}-of-00003.safetensors" for number in (3, 1, 2)]
    assert shards_by_name([*names, "other.safetensors"]) == tuple(sorted(names))
    assert shards_by_name(["model.safetensors"]) == ()
    with pytest.raises(UserError, match="1 of this model's 3 files is missing: model-00002-of-00003"):
        shards_by_name(names[:2])


def check_words(error: UserError) -> None:
    assert error.bad_input
    assert error.advice
    assert error.kind in ("bad-checkpoint", "unsafe-checkpoint")


def test_damaged_indexes_are_read_right_or_refused() -> None:
    source = random.Random(11_2026)
    outcomes = []
    for _ in range(CASES):
        data = bytearray(GOOD)
        for _ in range(source.randint(1, 3)):
            at = source.randrange(len(data))
            piece = source.choice((b"../", b"/", b'"', b"{", b"}", b",", b"\\", b"\xff", b"1", b"", b"[", b"x"))
            data[at : at + source.randint(0, 3)] = piece
        try:
            found = read_index(bytes(data))
        except UserError as error:
            check_words(error)
            outcomes.append("refused")
        else:
            assert all("/" not in name and "\\" not in name and ".." not in name[:2] for name in found.shards)
            outcomes.append("read")
    assert outcomes.count("read") > CASES // 50
    assert outcomes.count("refused") > CASES // 4
