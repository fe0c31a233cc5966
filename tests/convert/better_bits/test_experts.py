"""Mixtures of experts: each expert is rounded by the tokens that it read, with feedback where it reads them itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from snug.convert.better_bits.improve import Work, improve, read_chunks
from snug.convert.better_bits.inputs import FEWEST_SAMPLES, InputTables, collect_inputs
from snug.convert.better_bits.options import BetterBits
from snug.convert.better_bits.rounding import Rounder
from snug.convert.conversion import Settings, convert, prepare
from snug.convert.gguf_source import GgufSource
from snug.convert.plan import ModelPlan
from snug.convert.quantize import quantize_rows
from snug.engine.calibration import Calibration, Collector, calibrate, importance_of
from snug.engine.text_reader import TextReader, Tokens
from snug.formats.random_gguf import write_metadata, write_model
from snug.formats.random_models import RANDOM_MODELS
from snug.measure.measuring import measure_divergence
from snug.paths import resources_folder
from tests.convert.better_bits.mixture_of_pip import EXPERTS, USED, write_mixture_of_pip

PIP = resources_folder() / "models" / "pip" / "pip-7m-Q8_0.gguf"
DATA = Path(__file__).parents[2] / "data" / "measure"
GATE, UP, DOWN = (f"blk.2.ffn_{kind}_exps.weight" for kind in ("gate", "up", "down"))
FULL = os.environ.get("SNUG_FULL_TESTS") == "1"
NAMES = ["mixtral", "qwen3moe"] if FULL else ["qwen3moe"]


@pytest.mark.parametrize("name", NAMES)
def test_experts_are_weighted_each_by_its_own_tokens_and_the_result_runs(name: str, tmp_path: Path) -> None:
    model = next(model for model in RANDOM_MODELS if model.name == name)
    header, shapes, path = tmp_path / "header.gguf", tmp_path / "shapes.json", tmp_path / "mixture.gguf"
    write_metadata(header, model)
    subprocess.run([sys.executable, "-m", "snug.engine.tensor_shapes", header, shapes], check=True, capture_output=True)
    write_model(path, model, {key: tuple(dims) for key, dims in json.loads(shapes.read_text()).items()})
    random = np.random.default_rng(1)
    chunks: list[Tokens] = [random.integers(0, 500, 512).astype(np.int32) for _ in range(6)]
    out = tmp_path / "out.gguf"
    with GgufSource(path) as source:
        types = prepare(source, Settings("Q4_K_M")).types
        plan = ModelPlan(source.architecture, (), source.tensors)
        found = improve(plan, Work(path, tmp_path / "work"), chunks, BetterBits(), types)
        settings = Settings(found.types, quantiser=found.quantiser, tensors=found.plan.tensors)
        convert(source, out, settings, on_progress=lambda report: None, is_cancelled=lambda: False)
        experts = next(tensor for tensor in source.tensors if tensor.name == "blk.0.ffn_down_exps.weight")
        figures = found.importance[experts.name]
        count, rows = experts.shape[0], experts.shape[1]
        assert figures.shape == (count, experts.columns)
        assert not np.allclose(figures[0], figures[1], rtol=0.01, atol=0)
        assert found.quantiser is not None
        type_name = types[experts.name]
        both = found.quantiser(experts, experts.read_rows(0, 2 * rows), type_name, 0)
        parts = [quantize_rows(experts.read_rows(n * rows, (n + 1) * rows), type_name, figures[n]) for n in (0, 1)]
        assert both == b"".join(parts)
    with TextReader(out) as reader:
        assert np.isfinite(reader.logits(chunks[0], 500)).all()


@pytest.fixture(scope="module")
def mixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mixture") / "mixture-of-pip.gguf"
    write_mixture_of_pip(PIP, path)
    return path


@pytest.fixture(scope="module")
def chunks(mixture: Path) -> list[Tokens]:
    return read_chunks(mixture, [(DATA / "calibration.txt").read_text(encoding="utf-8")])


@pytest.fixture(scope="module")
def inputs(mixture: Path, chunks: list[Tokens], tmp_path_factory: pytest.TempPathFactory) -> InputTables:
    folder = tmp_path_factory.mktemp("inputs") / "tables"
    return collect_inputs(mixture, chunks[:18], folder, wants_products={GATE, UP}.__contains__)


def test_all_experts_of_a_layer_share_one_table_and_each_has_columns_and_samples_of_its_own(
    inputs: InputTables,
) -> None:
    shared = inputs.find(GATE)
    assert shared is not None
    assert shared is inputs.find(UP)
    assert inputs.find(DOWN) is None
    assert shared.samples is not None
    assert shared.experts is not None
    assert shared.experts.shape == (len(shared.samples), USED)
    own = [inputs.of_matrix(GATE, number) for number in range(EXPERTS)]
    assert len({known.leader for known in own if known is not None}) == EXPERTS
    squares = inputs.squares[GATE]
    assert squares.counts.sum() == USED * shared.count * 6 / 5  # every sixth chunk judges instead
    for number, known in enumerate(own):
        assert known is not None
        assert known.scale is not None
        assert known.samples is not None
        mine = shared.samples[(shared.experts == number).any(axis=1)]
        assert np.array_equal(known.samples, mine if len(mine) >= FEWEST_SAMPLES else shared.samples)
        size = np.sqrt(squares.sums[number] / squares.counts[number])
        assert np.allclose(1 / known.scale, size / shared.sizes(), rtol=0.1)


def test_feedback_lowers_the_error_of_every_expert_on_tokens_that_nothing_was_fitted_to(
    mixture: Path, chunks: list[Tokens], inputs: InputTables, tmp_path: Path
) -> None:
    collector = Collector({GATE, UP}.__contains__, keeps_tables=False)
    with TextReader(mixture, chunk=512, observer=collector) as reader:
        calibrate(reader, collector, chunks[18:], judge_every=1)
    unseen = InputTables(tmp_path / "unseen")
    unseen.add(collector.found)
    importance = importance_of(Calibration(squares=inputs.squares))
    weighted = Rounder(BetterBits(feedback=False), importance, None)
    best = Rounder(BetterBits(), importance, inputs)
    with GgufSource(mixture) as source:
        tensor = next(tensor for tensor in source.tensors if tensor.name == UP)
        count = tensor.shape[1]
        for number in range(EXPERTS):
            rows = tensor.read_rows(number * count, (number + 1) * count)
            known = unseen.of_matrix(UP, number)
            assert known is not None
            assert known.samples is not None
            errors = []
            for rounder in (weighted, best):
                rounded = rounder.round(UP, tensor.shape, rows, "Q3_K", number * count)
                errors.append(float(np.square((rows - rounded.values) @ known.samples.T).sum()))
            assert errors[1] < 0.75 * errors[0], number


@pytest.mark.skipif(not FULL, reason="some minutes: packaging/dev.py test --full")
@pytest.mark.parametrize(("mix", "share"), [("Q4_K_M", 0.8), ("Q2_K", 0.8)])
def test_a_mixture_keeps_more_of_itself_than_with_importance_alone(
    mix: str, share: float, mixture: Path, chunks: list[Tokens], tmp_path: Path
) -> None:
    text = (DATA / "heldout.txt").read_text(encoding="utf-8")
    found = {}
    for name, options in (("importance", BetterBits(feedback=False, scaling=False)), ("best", BetterBits())):
        out = tmp_path / f"{name}.gguf"
        with GgufSource(mixture) as source:
            types = prepare(source, Settings(mix)).types
            plan = ModelPlan(source.architecture, (), source.tensors)
            made = improve(plan, Work(mixture, tmp_path / name), chunks, options, types)
            settings = Settings(made.types, quantiser=made.quantiser, tensors=made.plan.tensors)
            convert(source, out, settings, on_progress=lambda report: None, is_cancelled=lambda: False)
        found[name] = measure_divergence(out, mixture, text, most_tokens=6144).kl_mean
    assert found["best"] < share * found["importance"]
