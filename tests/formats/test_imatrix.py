"""Importance matrices: written and read again, llama.cpp's own file, the old layout, and what is none."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from snug.core.errors import UserError
from snug.formats.imatrix import Entry, ImportanceFile, read_imatrix, write_imatrix

THEIRS = Path(__file__).parents[1] / "data" / "measure" / "pip-imatrix.gguf"


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    entries = {
        "blk.0.ffn_up.weight": Entry(random.random((1, 64), np.float32), np.array([512], np.float32)),
        "blk.0.ffn_up_exps.weight": Entry(random.random((4, 64), np.float32), np.array([9, 0, 3, 7], np.float32)),
    }
    path = tmp_path / "x.gguf"
    write_imatrix(path, ImportanceFile(entries, chunks=3, chunk_tokens=512, texts=("a.txt",)))
    found = read_imatrix(path)
    assert (found.chunks, found.chunk_tokens) == (3, 512)
    assert set(found.entries) == set(entries)
    for name, entry in entries.items():
        assert np.array_equal(found.entries[name].sums, entry.sums)
        assert np.array_equal(found.entries[name].counts, entry.counts)


def test_an_expert_without_inputs_counts_like_the_others() -> None:
    entry = Entry(np.array([[2, 4], [0, 0], [6, 8]], np.float32), np.array([2, 0, 2], np.float32))
    assert entry.means.tolist() == [[1, 2], [2, 3], [3, 4]]


def test_the_file_of_llama_imatrix_is_read() -> None:
    found = read_imatrix(THEIRS)
    assert len(found.entries) == 42
    assert found.entries["blk.0.ffn_down.weight"].sums.shape == (1, 1024)
    assert found.entries["blk.0.ffn_down.weight"].counts.tolist() == [12 * 512]


def test_the_old_layout_is_read(tmp_path: Path) -> None:
    name = b"blk.0.attn_q.weight"
    values = struct.pack("<ii4f", 2, 4, 2.0, 4.0, 6.0, 8.0)
    path = tmp_path / "old.dat"
    path.write_bytes(struct.pack("<ii", 1, len(name)) + name + values + struct.pack("<ii", 2, 0))
    assert read_imatrix(path).importance()["blk.0.attn_q.weight"].tolist() == [[1, 2, 3, 4]]


@pytest.mark.parametrize(
    "raw", [b"", b"GGUF", b"\xff" * 40, struct.pack("<ii", 1, 1 << 30), struct.pack("<i", -1), b"\x01\x00\x00\x00"]
)
def test_what_is_no_importance_matrix_is_told_in_words(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "bad.dat"
    path.write_bytes(raw)
    with pytest.raises(UserError) as told:
        read_imatrix(path)
    assert told.value.bad_input


def test_impossible_figures_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "nan.gguf"
    sums = np.array([[1, np.nan]], np.float32)
    write_imatrix(path, ImportanceFile({"a.weight": Entry(sums, np.ones(1, np.float32))}))
    with pytest.raises(UserError) as told:
        read_imatrix(path)
    assert told.value.kind == "bad-imatrix"
