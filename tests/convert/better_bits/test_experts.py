"""Mixtures of experts: each expert is rounded by the tokens that it read, and what stands beside them with feedback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from snug.convert.better_bits.improve import Work, improve
from snug.convert.better_bits.options import BetterBits
from snug.convert.conversion import Settings, convert, prepare
from snug.convert.gguf_source import GgufSource
from snug.convert.plan import ModelPlan
from snug.convert.quantize import quantize_rows
from snug.engine.text_reader import TextReader, Tokens
from snug.formats.random_gguf import write_metadata, write_model
from snug.formats.random_models import RANDOM_MODELS

NAMES = ["mixtral", "qwen3moe"] if os.environ.get("SNUG_FULL_TESTS") == "1" else ["qwen3moe"]


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
        experts = next(tensor for tensor in source.tensors if tensor.name == "blk.0.ffn_up_exps.weight")
        figures = found.importance[experts.name]
        count, rows = experts.shape[0], experts.shape[1]
        assert figures.shape == (count, experts.columns)
        assert not np.allclose(figures[0], figures[1], rtol=0.01)
        assert found.quantiser is not None
        type_name = types[experts.name]
        both = found.quantiser(experts, experts.read_rows(0, 2 * rows), type_name, 0)
        parts = [quantize_rows(experts.read_rows(n * rows, (n + 1) * rows), type_name, figures[n]) for n in (0, 1)]
        assert both == b"".join(parts)
    with TextReader(out) as reader:
        assert np.isfinite(reader.logits(chunks[0], 500)).all()
