"""The choice of types, against what llama-quantize chose for models of many architectures.

The recording was made by `packaging/record_mixes.py` with the tools of the pinned llama.cpp.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from snug.convert.mixes import FLOAT_TYPES, MIXES, may_quantise, missing_importance, mix_named, tensor_types
from snug.core.errors import UserError

RECORDED = Path(__file__).parents[1] / "data" / "mixes" / "recorded.json.gz"


@dataclass(frozen=True)
class Tensor:
    name: str
    shape: tuple[int, ...]
    fixed_type: str | None
    stored_type: str


def recorded() -> dict[str, Any]:
    return json.loads(gzip.decompress(RECORDED.read_bytes()))  # type: ignore[no-any-return]


RECORDING = recorded()
MODELS = {model["name"]: model for model in RECORDING["models"]}


def tensors_of(model: dict[str, Any]) -> list[Tensor]:
    """The tensors as a GGUF source describes them."""
    architecture = model["metadata"]["general.architecture"]
    return [
        Tensor(name, tuple(shape), None if may_quantise(name, tuple(shape), architecture) else kind, kind)
        for name, shape, kind in model["tensors"]
    ]


def letters_of(model: dict[str, Any], mix: str) -> Iterator[tuple[bool, str]]:
    plain = model["plain"][mix]
    yield False, plain
    yield True, model["importance"].get(mix, plain)


@pytest.mark.parametrize("name", MODELS)
def test_every_mix_gives_each_tensor_the_type_that_llama_quantize_gives_it(name: str) -> None:
    model, legend = MODELS[name], RECORDING["types"]
    tensors = tensors_of(model)
    for mix in MIXES:
        for has_importance, letters in letters_of(model, mix):
            types = tensor_types(mix, tensors, model["metadata"], has_importance)
            wanted = {tensor.name: legend[letter] for tensor, letter in zip(tensors, letters, strict=True)}
            assert types == wanted, (mix, has_importance)


def test_the_recording_covers_what_the_rules_tell_apart() -> None:
    architectures = {model["metadata"]["general.architecture"] for model in RECORDING["models"]}
    assert len(architectures) >= 50
    assert {"falcon", "llama", "qwen2", "gpt-oss", "gemma4"} <= architectures
    chosen = {mix: set() for mix in MIXES}
    for model in RECORDING["models"]:
        for mix in MIXES:
            for _, letters in letters_of(model, mix):
                chosen[mix] |= {RECORDING["types"][letter] for letter in letters}
    assert {"Q4_K", "Q5_K", "Q6_K", "Q5_0", "Q8_0", "F16", "F32"} <= chosen["Q4_K_M"]
    assert {"MXFP4", "Q8_0"} <= chosen["MXFP4_MOE"]
    assert {"Q4_0", "Q4_1", "Q6_K"} <= chosen["Q4_0"]


def test_a_tensor_with_a_fixed_type_keeps_it() -> None:
    tensors = [
        Tensor("token_embd.weight", (64, 256), None, "BF16"),
        Tensor("blk.0.ffn_up_exps.weight", (4, 64, 256), "MXFP4", "mxfp4"),
        Tensor("blk.0.attn_norm.weight", (256,), "F32", "BF16"),
    ]
    types = tensor_types("Q4_K_M", tensors, {"general.architecture": "gpt-oss", "gpt-oss.block_count": 1})
    assert types == {
        "token_embd.weight": "Q6_K",
        "blk.0.ffn_up_exps.weight": "MXFP4",
        "blk.0.attn_norm.weight": "F32",
    }


@pytest.mark.parametrize("mix", FLOAT_TYPES)
def test_a_float_mix_of_original_weights_is_that_type_throughout(mix: str) -> None:
    tensors = [Tensor("token_embd.weight", (64, 250), None, "BF16"), Tensor("altup_proj.weight", (8, 8), None, "BF16")]
    assert set(tensor_types(mix, tensors, {}).values()) == {mix}


def test_types_below_three_bits_say_that_they_need_importance() -> None:
    model = MODELS["llama"]
    tensors = tensors_of(model)
    for mix in ("IQ2_XXS", "IQ1_M", "IQ3_XXS", "Q2_K_S"):
        assert missing_importance(mix, tensor_types(mix, tensors, model["metadata"]))
    for mix in ("Q2_K", "IQ3_M", "Q4_K_M"):
        assert not missing_importance(mix, tensor_types(mix, tensors, model["metadata"]))


@pytest.mark.parametrize(("typed", "name"), [("q4_k_m", "Q4_K_M"), (" Q4-K-M ", "Q4_K_M"), ("Q5_K", "Q5_K_M")])
def test_a_mix_is_known_in_any_case_and_by_its_short_name(typed: str, name: str) -> None:
    assert mix_named(typed).name == name


def test_an_unknown_mix_is_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(UserError) as caught:
        mix_named("Q9_Z")
    assert caught.value.bad_input
    assert "Q4_K_M" in caught.value.advice
