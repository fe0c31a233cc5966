"""What is collected while a model reads: equal to llama-imatrix, shared inputs kept once, experts counted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from snug.engine.calibration import Calibration, Collector, calibrate, importance_of
from snug.engine.text_reader import TextReader
from snug.engine.weight_editor import EditableModel
from snug.formats.imatrix import read_imatrix
from snug.formats.random_gguf import write_metadata, write_model
from snug.formats.random_models import RANDOM_MODELS
from snug.measure.in_memory import Comparison
from snug.paths import resources_folder

PIP = resources_folder() / "models" / "pip" / "pip-7m-Q8_0.gguf"
DATA = Path(__file__).parents[1] / "data" / "measure"


@pytest.fixture(scope="module")
def collected() -> Calibration:
    collector = Collector(lambda name: True)
    with TextReader(PIP, observer=collector) as reader:
        chunks = reader.chunks(reader.tokenize((DATA / "heldout.txt").read_text(encoding="utf-8")))
        return calibrate(reader, collector, chunks)


def test_squares_are_those_of_llama_imatrix(collected: Calibration) -> None:
    theirs = read_imatrix(DATA / "pip-imatrix.gguf")
    for name, entry in theirs.entries.items():
        ours = collected.squares[name]
        assert ours.counts.tolist() == entry.counts.tolist()
        assert np.abs(ours.sums - entry.sums).max() <= 0.01 * entry.sums.max()
        assert ours.sums.sum() == pytest.approx(float(entry.sums.sum()), rel=0.002)


def test_the_output_matrix_is_collected_too(collected: Calibration) -> None:
    assert collected.squares["token_embd.weight"].counts.tolist() == [12 * 512]


def test_tensors_with_the_same_inputs_share_one_table(collected: Calibration) -> None:
    assert {collected.leaders[f"blk.3.attn_{part}.weight"] for part in "qkv"} <= set(collected.products)
    assert len({collected.leaders[f"blk.3.attn_{part}.weight"] for part in "qkv"}) == 1
    assert len(collected.products) == 25


def test_the_diagonal_of_products_is_the_squares(collected: Calibration) -> None:
    for name, products in collected.products.items():
        squares = collected.squares[name].sums[0]
        assert np.allclose(np.concatenate([np.diagonal(table) for table in products.tables]), squares, rtol=1e-3)


def test_tables_beyond_the_limit_wait_for_another_pass() -> None:
    collector = Collector(lambda name: name.startswith("blk.0."), limit_bytes=600_000, block=128)
    with TextReader(PIP, chunk=64, observer=collector) as reader:
        found = calibrate(reader, collector, [np.arange(64, dtype=np.int32)])
    assert "blk.0.ffn_down.weight" in found.deferred
    assert sum(products.size_bytes for products in found.products.values()) <= 600_000


def test_a_further_pass_reads_no_further_than_what_it_keeps() -> None:
    tokens = np.arange(64, dtype=np.int32)
    collector = Collector(lambda name: name.startswith("blk."), limit_bytes=400_000, keeps_squares=False)
    with TextReader(PIP, chunk=64, observer=collector) as reader:
        found = calibrate(reader, collector, [tokens, tokens])
    assert found.deferred == {"blk.0.attn_output.weight"}
    assert set(found.squares) == set(found.leaders)
    assert "blk.0.attn_q.weight" in found.products


def test_samples_alone_take_no_tables() -> None:
    tokens = np.arange(64, dtype=np.int32)
    collector = Collector(lambda name: name.startswith("blk.0."), keeps_tables=False)
    with TextReader(PIP, chunk=64, observer=collector) as reader:
        found = calibrate(reader, collector, [tokens, tokens], judge_every=2)
    assert all(products.size_bytes == 0 for products in found.products.values())
    samples = found.products["blk.0.attn_q.weight"].samples
    assert samples is not None
    assert samples.shape == (64, 256)


@pytest.fixture(scope="module")
def mixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny mixture of 8 experts with random weights, 2 of which read each token."""
    folder = tmp_path_factory.mktemp("mixture")
    model = next(model for model in RANDOM_MODELS if model.name == "mixtral")
    header, shapes, path = folder / "header.gguf", folder / "shapes.json", folder / "mixtral.gguf"
    write_metadata(header, model)
    subprocess.run([sys.executable, "-m", "snug.engine.tensor_shapes", header, shapes], check=True, capture_output=True)
    write_model(path, model, {name: tuple(dims) for name, dims in json.loads(shapes.read_text()).items()})
    return path


def test_each_expert_counts_its_own_tokens(mixture: Path) -> None:
    collector = Collector(lambda name: "exps" not in name)
    tokens = np.random.default_rng(2).integers(0, 1024, 128).astype(np.int32)
    with TextReader(mixture, chunk=128, observer=collector) as reader:
        found = calibrate(reader, collector, [tokens])
    for part in ("gate", "up", "down"):
        squares = found.squares[f"blk.1.ffn_{part}_exps.weight"]
        assert len(squares.counts) == 8
        assert squares.counts.sum() == 128 * 2
        assert ((squares.sums.sum(axis=1) > 0) == (squares.counts > 0)).all()
    assert importance_of(found)["blk.1.ffn_up_exps.weight"].shape == (8, 256)


def test_a_change_in_memory_is_measured_and_undone(mixture: Path) -> None:
    tokens = np.random.default_rng(3).integers(0, 1024, 128).astype(np.int32)
    model = EditableModel(mixture, chunk=128)
    try:
        model.find(tokens)
        comparison = Comparison(model.reader, [tokens])
        assert comparison.divergence() == 0
        before = model.read("blk.2.attn_v.weight")
        model.write("blk.2.attn_v.weight", np.frombuffer(before, np.float16).astype(np.float32) * 50)
        changed = comparison.divergence()
        model.put("blk.2.attn_v.weight", before)
        assert changed > 0
        assert comparison.divergence() == 0
    finally:
        model.close()


def test_what_the_observer_raises_is_raised_again() -> None:
    def observer(address: int, is_asking: bool) -> bool:
        raise RuntimeError("from the observer")

    with TextReader(PIP, chunk=64, observer=observer) as reader, pytest.raises(RuntimeError, match="from the observer"):
        reader.logits(np.arange(64, dtype=np.int32))
