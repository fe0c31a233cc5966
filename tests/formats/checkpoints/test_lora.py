"""LoRA adapters say what they are and what they add."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from snug.core.errors import UserError
from snug.formats.byte_source import FileSource
from snug.formats.checkpoints.lora import LoraAdapter
from snug.formats.checkpoints.tensor_files import TensorFiles, open_tensor_file
from tests.formats.checkpoints.safetensors_maker import Tensor, tensor_files

RNG = np.random.default_rng(10)
Q = "model.layers.0.self_attn.q_proj"
CONFIG = {
    "peft_type": "LORA",
    "r": 4,
    "lora_alpha": 8,
    "target_modules": ["v_proj", "q_proj"],
    "base_model_name_or_path": "maker/model",
}


def pair(module: str = Q, rank: int = 4, shape: tuple[int, int] = (6, 10)) -> dict[str, Tensor]:
    return {
        f"base_model.model.{module}.lora_A.weight": RNG.standard_normal((rank, shape[1])).astype(np.float32),
        f"base_model.model.{module}.lora_B.weight": RNG.standard_normal((shape[0], rank)).astype(np.float32),
    }


def gain(tensors: dict[str, Tensor], scale: float, module: str = Q) -> np.ndarray:
    a = np.asarray(tensors[f"base_model.model.{module}.lora_A.weight"])
    b = np.asarray(tensors[f"base_model.model.{module}.lora_B.weight"])
    total = np.zeros((b.shape[0], a.shape[1]))
    for row in range(b.shape[0]):
        for column in range(a.shape[1]):
            total[row, column] = scale * sum(float(b[row, k]) * float(a[k, column]) for k in range(a.shape[0]))
    return total


def test_an_adapter_says_its_rank_alpha_targets_and_base() -> None:
    tensors = pair()
    adapter = LoraAdapter(tensor_files(tensors), CONFIG)
    assert LoraAdapter.recognises(CONFIG, tensors)
    assert (adapter.rank, adapter.alpha_of(Q), adapter.base_model) == (4, 8, "maker/model")
    assert adapter.target_modules == ("q_proj", "v_proj")
    assert adapter.pairs[Q].shape == (6, 10)
    assert adapter.read_a(Q).shape == (4, 10)
    assert adapter.read_b(Q).shape == (6, 4)


@pytest.mark.parametrize(
    ("more", "scale"), [({}, 2.0), ({"use_rslora": True}, 8 / math.sqrt(4)), ({"lora_alpha": 3}, 0.75)]
)
def test_what_is_added_is_b_times_a_times_the_scale(more: dict, scale: float) -> None:
    tensors = pair()
    adapter = LoraAdapter(tensor_files(tensors), {**CONFIG, **more})
    expected = gain(tensors, scale)
    np.testing.assert_allclose(adapter.delta_rows(Q, 0, 6), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(adapter.delta_rows(Q, 2, 5), expected[2:5], rtol=1e-5, atol=1e-6)
    with pytest.raises(IndexError):
        adapter.delta_rows(Q, 0, 7)


def test_patterns_change_the_rank_and_alpha_of_some_modules() -> None:
    other = "model.layers.1.self_attn.q_proj"
    tensors = pair() | pair(other, rank=2)
    config = {**CONFIG, "rank_pattern": {"layers.1.self_attn.q_proj": 2}, "alpha_pattern": {"1.self_attn.q_proj": 32}}
    adapter = LoraAdapter(tensor_files(tensors), config)
    assert (adapter.pairs[Q].rank, adapter.pairs[Q].scale) == (4, 2.0)
    assert (adapter.pairs[other].rank, adapter.pairs[other].scale) == (2, 16.0)


@pytest.mark.parametrize("pattern", ["layers.[0-9]+.q_proj", "^model", ".*", "a|b", "(a+)+$", ""])
def test_patterns_that_are_regular_expressions_are_refused(pattern: str) -> None:
    with pytest.raises(UserError, match="regular expression"):
        LoraAdapter(tensor_files(pair()), {**CONFIG, "alpha_pattern": {pattern: 2}})


def test_an_adapter_of_peft_is_merged_as_peft_merges_it() -> None:
    folder = Path(__file__).parents[2] / "data" / "checkpoints" / "adapter"
    names = ("lora.safetensors", "lora.expected.safetensors")
    files, answers = (TensorFiles([open_tensor_file(name, FileSource(folder / name))]) for name in names)
    with files, answers:
        adapter = LoraAdapter(files, json.loads(files.metadata["config"]))
        assert set(adapter.pairs) == set(answers.tensors)
        for module, pair_ in adapter.pairs.items():
            expected = answers.floats(module)
            assert pair_.shape == expected.shape
            np.testing.assert_allclose(adapter.delta_rows(module, 0, pair_.shape[0]), expected, rtol=1e-5, atol=1e-6)


def test_embeddings_are_added_the_other_way_round() -> None:
    a, b = (RNG.standard_normal(shape).astype(np.float32) for shape in ((4, 30), (12, 4)))
    name = "base_model.model.model.embed_tokens.lora_embedding_"
    adapter = LoraAdapter(tensor_files({f"{name}A": a, f"{name}B": b}), CONFIG)
    assert adapter.pairs["model.embed_tokens"].shape == (30, 12)
    np.testing.assert_allclose(adapter.delta_rows("model.embed_tokens", 3, 9), 2 * (b @ a).T[3:9], rtol=1e-5, atol=1e-6)


def test_tensors_that_replace_those_of_the_model_are_named() -> None:
    tensors = pair() | {"base_model.model.lm_head.weight": np.ones((3, 3), np.float32)}
    adapter = LoraAdapter(tensor_files(tensors), CONFIG)
    assert adapter.whole_tensors == {"lm_head.weight": "base_model.model.lm_head.weight"}


@pytest.mark.parametrize("more", [{"use_dora": True}, {"peft_type": "IA3"}, {"peft_type": "LOHA"}, {"peft_type": None}])
def test_other_kinds_of_adapters_are_refused(more: dict) -> None:
    with pytest.raises(UserError, match="kind that Snug does not read"):
        LoraAdapter(tensor_files(pair()), {**CONFIG, **more})


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("lora_A", np.ones((3, 10), np.float32)),
        ("lora_A", np.ones(10, np.float32)),
        ("lora_B", np.ones((6, 5), np.float32)),
        ("lora_B", np.ones((0, 4), np.float32)),
    ],
)
def test_halves_that_disagree_are_refused(part: str, value: np.ndarray) -> None:
    tensors = pair()
    tensors[f"base_model.model.{Q}.{part}.weight"] = value
    with pytest.raises(UserError, match="disagree"):
        LoraAdapter(tensor_files(tensors), CONFIG)


def test_a_rank_that_contradicts_the_matrices_is_refused() -> None:
    with pytest.raises(UserError, match="disagree"):
        LoraAdapter(tensor_files(pair()), {**CONFIG, "r": 16})


@pytest.mark.parametrize("half", ["A", "B"])
def test_a_missing_half_is_refused(half: str) -> None:
    tensors = pair() | pair("model.layers.1.mlp.up_proj")
    del tensors[f"base_model.model.{Q}.lora_{half}.weight"]
    with pytest.raises(UserError):
        LoraAdapter(tensor_files(tensors), CONFIG)


@pytest.mark.parametrize("more", [{"lora_alpha": "8"}, {"lora_alpha": math.inf}, {"lora_alpha": True}, {"r": 1.5}])
def test_numbers_that_are_none_are_refused(more: dict) -> None:
    with pytest.raises(UserError):
        LoraAdapter(tensor_files(pair()), {**CONFIG, **more})


def test_an_adapter_without_layers_is_refused() -> None:
    with pytest.raises(UserError, match="without any layers"):
        LoraAdapter(tensor_files({"a": np.ones(2, np.float32)}), CONFIG)
