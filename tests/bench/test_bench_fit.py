"""What is said of memory against what the engine takes, on generated models: the small set, or all of them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from snug import cli
from snug.commands import bench_fit
from snug.commands.bench_fit import (
    Comparison,
    Need,
    chosen_models,
    compare,
    compare_plan,
    generate,
    generate_sparse,
)
from snug.core.errors import UserError
from snug.formats.big_models import BIG_MODELS, BigModel
from snug.formats.gguf_facts import facts_from_header
from snug.formats.gguf_header import read_file_header
from snug.formats.random_models import RANDOM_MODELS, RandomModel
from snug.paths import Paths

MIB = 2**20
IS_FULL = os.environ.get("SNUG_FULL_TESTS") == "1"
SMALL_SET = ("qwen3moe", "gemma3n", "gemma4", "deepseek2", "falcon-h1", "qwen35 with a draft layer", "llama4", "gpt2")
BIG_SMALL_SET = ("llama 8B", "llama 70B", "qwen3 30B-A3B")
CHOSEN = [model for model in RANDOM_MODELS if IS_FULL or model.name in SMALL_SET]
BIG_CHOSEN = [big for big in BIG_MODELS if IS_FULL or big.model.name in BIG_SMALL_SET]


def test_there_are_models_of_25_architectures() -> None:
    assert len({model.architecture for model in RANDOM_MODELS}) >= 25
    assert len({model.name for model in RANDOM_MODELS}) == len(RANDOM_MODELS)


@pytest.mark.parametrize("model", CHOSEN, ids=lambda model: model.name)
def test_formula_and_dry_run_agree_with_a_real_load(model: RandomModel, tmp_path: Path) -> None:
    path = generate(model, tmp_path)
    kv_types = bench_fit.KV_TYPES if IS_FULL else ("f16", "q4_0")
    for row in compare(model, path, tmp_path / "logs", bench_fit.CONTEXTS, kv_types):
        assert row.passes, row
        # What can be said exactly is said exactly; only the compute buffer is an estimate.
        assert row.formula.weights == pytest.approx(row.real.weights, abs=MIB // 50)
        assert row.formula.conversation == pytest.approx(row.real.conversation, abs=MIB // 50)
        assert row.formula.compute == pytest.approx(row.real.compute, abs=4 * MIB)
        assert row.dry_run.compute == pytest.approx(row.real.compute, abs=MIB // 50)


def test_layers_that_only_draft_are_not_counted(tmp_path: Path) -> None:
    by_name = {model.name: model for model in RANDOM_MODELS}
    facts = [
        facts_from_header(read_file_header(generate(by_name[name], tmp_path)))
        for name in ("qwen35", "qwen35 with a draft layer")
    ]
    assert facts[0].layers == facts[1].layers == 4
    assert facts[0].weight_bytes == facts[1].weight_bytes
    assert facts[0].file_bytes < facts[1].file_bytes


@pytest.mark.parametrize("big", BIG_CHOSEN, ids=lambda big: big.model.name)
def test_the_formula_agrees_with_the_engines_plan_of_large_shapes(big: BigModel, tmp_path: Path) -> None:
    path = generate_sparse(big, tmp_path)
    assert path.stat().st_blocks * 512 < 10_000_000 < path.stat().st_size
    for row in compare_plan(big.model, path, tmp_path / "logs", kv_types=bench_fit.KV_TYPES if IS_FULL else ("f16",)):
        assert row.passes, row
        assert row.formula.conversation == pytest.approx(row.dry_run.conversation, abs=MIB // 10)
        assert row.formula.compute == pytest.approx(row.dry_run.compute, abs=20 * MIB)


def test_a_large_model_repeats_the_layers_that_were_asked_for() -> None:
    keys = {"block_count": 5, "vocab_size": 9000, "expert_count": 64, "attention.head_count_kv": [1, 0, 1, 0, 1]}
    big = BigModel(RandomModel("big", "llama", keys), sample=2)
    sampled = big.sampled().metadata()
    assert (sampled["block_count"], sampled["vocab_size"], sampled["expert_count"]) == (2, 512, 16)
    assert sampled["attention.head_count_kv"] == [1, 0]
    asked = {"token_embd.weight": (256, 512), "blk.0.a.weight": (256, 512), "blk.1.ffn_up_exps.weight": (256, 64, 16)}
    assert big.shapes(asked) == {
        "token_embd.weight": (256, 9000),
        "blk.0.a.weight": (256, 512),
        "blk.1.ffn_up_exps.weight": (256, 64, 64),
        "blk.2.a.weight": (256, 512),
        "blk.3.ffn_up_exps.weight": (256, 64, 64),
        "blk.4.a.weight": (256, 512),
    }


def test_a_row_fails_where_it_is_too_far_off() -> None:
    def row(formula: int, dry_run: int) -> Comparison:
        return Comparison("m", "llama", 2048, "f16", Need(10**10, 0, 0), Need(formula, 0, 0), Need(dry_run, 0, 0))

    assert row(10**10 + 299 * 10**6, 10**10 - 99 * 10**6).passes
    assert not row(10**10 + 301 * 10**6, 10**10).passes
    assert not row(10**10, 10**10 - 101 * 10**6).passes


def test_bench_fit_prints_one_document(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["bench", "fit", "--models", "smollm3", "--json"], Paths(tmp_path)) == 0
    document = json.loads(capfd.readouterr().out)
    assert document["passed"] == len(document["rows"]) == 9
    assert document["architectures"] == ["smollm3"]
    assert document["rows"][0]["real"]["weights"] > 0


def test_an_unknown_model_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(UserError) as told:
        chosen_models({model.name: model for model in RANDOM_MODELS}, "no such thing")
    assert told.value.bad_input
