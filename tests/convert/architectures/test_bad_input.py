"""Configs and tensors that contradict each other, lie or are damaged: a clear sentence, never a traceback."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from snug.convert.architectures import find_architecture, plan_model
from snug.core.errors import UserError
from snug.formats.checkpoints.checkpoint import Checkpoint
from snug.formats.checkpoints.checkpoint_format import CheckpointFormat
from tests.convert.architectures.comparison import MODELS
from tests.convert.yardstick.tiny_models import TinyModel, write

TRIES = 1000 if os.environ.get("SNUG_FULL_TESTS") == "1" else 40
BY_NAME = {model.name: model for model in MODELS}
JUNK = [None, True, False, 0, -1, 1, 3, 2**30, 2**31, 2**63, 10**30, 1e39, -0.5, 0.0, 1e-300, "", "64", "x" * 300,
        [], [1], ["a", {}], {}, {"rope_type": "yarn", "factor": "4"}, {"rope_type": ["llama3"]}, {"full_attention": 3},
        [None] * 3]  # fmt: skip


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Any]:
    """Opens a tiny model, its config and tensors changed."""
    open_now: list[Checkpoint] = []

    def open_model(model: TinyModel, changes: dict[str, Any]) -> tuple[CheckpointFormat, dict[str, Any]]:
        folder = tmp_path / f"{model.name}-{len(open_now)}"
        write(model, folder)
        checkpoint = Checkpoint(folder)
        open_now.append(checkpoint)
        config = dict(checkpoint.config)
        config.update(changes)
        return checkpoint.format, {key: value for key, value in config.items() if value is not ...}

    yield open_model
    for checkpoint in open_now:
        checkpoint.close()


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"hidden_size": ...}, "hidden_size"),
        ({"hidden_size": "64"}, "hidden_size"),
        ({"hidden_size": 128}, "contradicts"),
        ({"num_hidden_layers": 2**31}, "num_hidden_layers"),
        ({"num_hidden_layers": 100_000}, "num_hidden_layers"),
        ({"num_hidden_layers": 3}, "missing"),
        ({"num_hidden_layers": 1}, "does not know"),
        ({"num_attention_heads": 0}, "num_attention_heads"),
        ({"num_attention_heads": 3, "num_key_value_heads": 3}, "contradicts"),
        ({"num_key_value_heads": [2]}, "num_key_value_heads"),
        ({"rms_norm_eps": "small"}, "rms_norm_eps"),
        ({"rope_theta": {}}, "rope"),
        ({"rope_theta": -1}, "rope_theta"),
        ({"rope_theta": 0.0}, "rope_theta"),
        ({"rope_scaling": {"rope_type": "imaginary"}}, "imaginary"),
        ({"rope_scaling": {"rope_type": "yarn", "factor": 2}}, "rope_scaling"),
        ({"rope_scaling": [1]}, "rope_scaling"),
        ({"max_position_embeddings": -1}, "max_position_embeddings"),
        ({"vocab_size": 1e12}, "vocab_size"),
    ],
)
def test_a_bad_setting_is_named(changes: dict[str, Any], word: str, opened: Any) -> None:
    weights, config = opened(BY_NAME["llama"], changes)
    with pytest.raises(UserError) as error:
        plan_model(weights, config, "tiny")
    assert word in f"{error.value} {error.value.details}"
    assert error.value.bad_input


def test_an_unknown_kind_is_named_with_the_nearest_one() -> None:
    with pytest.raises(UserError, match="Qwen3ForCausalLMX") as error:
        find_architecture({"architectures": ["Qwen3ForCausalLMX"]})
    assert "Qwen3ForCausalLM " in error.value.advice or "Qwen3ForCausalLM." in error.value.advice


@pytest.mark.parametrize("named", [None, [], "LlamaForCausalLM", [7], {}])
def test_a_config_that_names_no_kind_is_refused(named: Any) -> None:
    with pytest.raises(UserError, match="does not say"):
        find_architecture({"architectures": named})


@pytest.mark.parametrize(
    ("name", "shapes", "word"),
    [
        ("llama", {"model.layers.0.self_attn.rotary_surprise.weight": (4, 4)}, "does not know"),
        ("llama", {"model.layers.0.self_attn.o_proj.weight": (32, 64)}, "contradicts"),
        ("llama", {"model.layers.1.input_layernorm.weight": (63,)}, "contradicts"),
        ("mixtral", {"model.layers.0.block_sparse_moe.experts.3.w2.weight": None}, "experts of layer 0"),
        ("mixtral", {"model.layers.0.block_sparse_moe.experts.4.w2.weight": (64, 32)}, "experts of layer 0"),
        ("mixtral", {"model.layers.0.block_sparse_moe.experts.3.w2.weight": (64, 31)}, "contradicts"),
        ("deepseek3", {"model.layers.0.self_attn.kv_b_proj.weight": (100, 32)}, "contradicts"),
        ("gpt-oss", {"model.layers.0.mlp.experts.gate_up_proj": (4, 64)}, "contradicts"),
        ("qwen35", {"model.language_model.layers.0.linear_attn.A_log": (5,)}, "impossible"),
        ("gptneox", {"gpt_neox.layers.0.attention.query_key_value.weight": (190, 64)}, "impossible"),
        ("falcon", {"transformer.h.0.self_attention.query_key_value.weight": (64, 64)}, "impossible"),
    ],
)
def test_bad_tensors_are_refused(name: str, shapes: dict[str, Any], word: str, opened: Any) -> None:
    model = BY_NAME[name]
    changed = {key: shape for key, shape in (dict(model.shapes) | shapes).items() if shape is not None}
    weights, config = opened(TinyModel(name, model.config, changed, model.stored), {})
    with pytest.raises(UserError) as error:
        plan_model(weights, config, "tiny")
    assert word in f"{error.value} {error.value.details}"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_junk_in_a_config_never_gives_a_traceback(model: TinyModel, opened: Any) -> None:
    weights, config = opened(model, {})
    chance = random.Random(model.name)
    nested = [key for key in config if isinstance(config[key], dict) and key != "quantization_config"]
    for _ in range(TRIES):
        changed = {key: dict(value) if isinstance(value, dict) else value for key, value in config.items()}
        table = changed[chance.choice(nested)] if nested and chance.random() < 0.5 else changed
        table[chance.choice(list(table) or ["x"])] = chance.choice(JUNK)
        try:
            plan = plan_model(weights, changed, "tiny")
        except UserError:
            continue
        tensor = chance.choice(plan.tensors)
        assert tensor.read_rows(0, min(2, tensor.rows)).shape == (min(2, tensor.rows), tensor.columns)
