"""A model's figures from its header: exact bytes, and the conversation memory of every kind of layer."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import gguf
import pytest

from snug.core.errors import UserError
from snug.core.memory_need import layer_conversations
from snug.core.model_facts import ModelFacts
from snug.formats.gguf_facts import facts_from_header, facts_from_headers, not_a_chat_model
from snug.formats.gguf_header import read_file_header, read_header
from tests.formats import header_bytes
from tests.formats.gguf_maker import Recipe, expert_layer, write_gguf
from tests.formats.header_bytes import STRING, U16, U32, BytesSource, array, pair, tensor, tiny_model

PIP = Path(__file__).parents[2] / "resources" / "models" / "pip" / "pip-7m-Q8_0.gguf"


def facts_of_bytes(data: bytes) -> ModelFacts:
    return facts_from_header(read_header(BytesSource(data)))


def made(tmp_path: Path, recipe: Recipe) -> ModelFacts:
    return facts_from_header(read_file_header(write_gguf(tmp_path / "model.gguf", recipe)))


def test_the_figures_of_pip() -> None:
    facts = facts_from_header(read_file_header(PIP))
    assert (facts.name, facts.architecture, facts.file_type, facts.kind) == ("Pip 7M", "llama", "Q8_0", "model")
    assert (facts.parameters, facts.weight_bytes, facts.file_bytes) == (6_950_144, 7_394_304, PIP.stat().st_size)
    assert (facts.layers, facts.embedding_length, facts.vocabulary, facts.context_max) == (6, 256, 4096, 1024)
    assert (facts.kv_heads, facts.head_dims_k) == ((2,) * 6, (64,) * 6)
    assert facts.input_embedding_bytes == 4096 * 256 // 32 * 34
    assert facts.output_bytes == 0
    assert facts.has_chat_template
    assert facts.licence == "cc0-1.0"
    assert sum(layer_conversations(facts, 1024, "f16", 512)) == 3 * 2**20  # as the engine's log says


def test_weights_are_exact_and_grouped(tmp_path: Path) -> None:
    facts = made(tmp_path, Recipe("llama", kind=gguf.GGMLQuantizationType.Q4_0))
    assert facts.input_embedding_bytes == facts.output_bytes == 512 * 256 // 32 * 18
    assert sum(facts.tensor_bytes_by_type.values()) == facts.weight_bytes
    assert set(facts.tensor_bytes_by_type) == {"Q4_0", "F32"}
    assert facts.file_type == "Q4_0"


def test_a_mixture_of_experts_knows_its_active_parameters(tmp_path: Path) -> None:
    facts = made(
        tmp_path,
        Recipe(
            "qwen3moe",
            layer_tensors=expert_layer,
            keys={"expert_count": 8, "expert_used_count": 2, "expert_feed_forward_length": 64},
        ),
    )
    in_experts = 2 * 3 * 8 * 64 * 256
    assert facts.expert_bytes == 2 * in_experts
    assert (facts.experts, facts.experts_used) == (8, 2)
    assert facts.feed_forward_length == 2 * 64
    assert facts.active_parameters == facts.parameters - in_experts * 6 // 8


@pytest.mark.parametrize(
    ("architecture", "keys", "windows"),
    [
        ("gemma2", {}, (4096, 0) * 6),
        ("gemma3", {"attention.sliding_window": 512}, ((512,) * 5 + (0,)) * 2),
        ("gemma3", {}, (0,) * 12),
        ("gpt-oss", {"attention.sliding_window": 128}, (128, 0) * 6),
        ("olmo2", {"attention.sliding_window": 1024}, (1024, 1024, 1024, 0) * 3),
        ("smallthinker", {"attention.sliding_window": 4096}, (0, 4096, 4096, 4096) * 3),
        ("gemma4", {"attention.sliding_window": 64, "attention.sliding_window_pattern": [True, False] * 6},
         (64, 0) * 6),
        ("gemma3", {"attention.sliding_window": 64, "attention.sliding_window_pattern": 2}, (64, 0) * 6),
        ("phi3", {"attention.sliding_window": 2047}, (0,) * 12),
        ("llama", {"attention.sliding_window": 4096}, (0,) * 12),
        ("llama4", {}, (8192, 8192, 8192, 0) * 3),
    ],
)  # fmt: skip
def test_each_architecture_has_its_windows(
    tmp_path: Path, architecture: str, keys: dict[str, Any], windows: tuple[int, ...]
) -> None:
    assert made(tmp_path, Recipe(architecture, layers=12, width=32, feed_forward=32, keys=keys)).windows == windows


def test_layers_with_a_window_may_have_their_own_head_width(tmp_path: Path) -> None:
    keys = {"attention.sliding_window": 64, "attention.sliding_window_pattern": [True, False],
            "attention.key_length": 128, "attention.value_length": 128, "attention.key_length_swa": 64,
            "attention.value_length_swa": 64, "attention.shared_kv_layers": 1}  # fmt: skip
    facts = made(tmp_path, Recipe("gemma4", keys=keys))
    assert facts.head_dims_k == facts.head_dims_v == (64, 128)
    assert facts.shared_kv_layers == 1
    assert layer_conversations(facts, 2048, "f16", 512)[1] == 0


def test_heads_may_differ_by_layer(tmp_path: Path) -> None:
    facts = made(
        tmp_path, Recipe("lfm2", layers=4, keys={"attention.head_count_kv": [0, 0, 2, 0], "shortconv.l_cache": 3})
    )
    assert facts.kv_heads == (0, 0, 2, 0)
    assert facts.recurrent_state_bytes == 3 * 256 * 2 * 4


def test_a_hybrid_with_linear_attention_keeps_a_state_in_three_of_four_layers(tmp_path: Path) -> None:
    keys = {"ssm.conv_kernel": 4, "ssm.inner_size": 512, "ssm.state_size": 128, "ssm.group_count": 2}
    facts = made(tmp_path, Recipe("qwen35", layers=8, keys=keys))
    assert facts.kv_heads == (0, 0, 0, 2) * 2
    assert facts.recurrent_state_bytes == 6 * 4 * (3 * (512 + 2 * 2 * 128) + 128 * 512)


def test_a_model_without_attention_remembers_in_a_state_only(tmp_path: Path) -> None:
    keys = {"ssm.conv_kernel": 4, "ssm.inner_size": 512, "ssm.state_size": 16, "ssm.time_step_rank": 16}
    facts = made(tmp_path, Recipe("mamba", keys=keys))
    assert facts.kv_heads == (0, 0)
    assert (
        sum(layer_conversations(facts, 4096, "f16", 512)) == facts.recurrent_state_bytes == 2 * 4 * (3 * 512 + 16 * 512)
    )


def test_compressed_attention_keeps_one_short_entry_a_token(tmp_path: Path) -> None:
    keys = {"attention.key_length": 576, "attention.value_length": 512, "attention.key_length_mla": 192,
            "attention.value_length_mla": 128, "attention.kv_lora_rank": 512}  # fmt: skip
    facts = made(tmp_path, Recipe("deepseek2", kv_heads=1, width=64, keys=keys))
    assert facts.latent_kv_length == 576
    assert layer_conversations(facts, 1024, "f16", 512) == [1024 * 576 * 2] * 2


def test_an_embedding_model_keeps_no_conversation_and_cannot_chat(tmp_path: Path) -> None:
    facts = made(tmp_path, Recipe("bert"))
    assert sum(layer_conversations(facts, 512, "f16", 512)) == 0
    problem = not_a_chat_model(facts)
    assert problem is not None
    assert "cannot chat" in problem.title


SPECIAL = {
    "projector": [pair("general.architecture", STRING, "clip"), pair("general.type", STRING, "mmproj")],
    "vocabulary": [pair("general.architecture", STRING, "llama"), array("tokenizer.ggml.tokens", STRING, ["a", "b"])],
    "adapter": [pair("general.architecture", STRING, "llama"), pair("general.type", STRING, "adapter")],
    "importance matrix": [pair("general.type", STRING, "imatrix"), array("imatrix.datasets", STRING, ["x"])],
}


@pytest.mark.parametrize(("kind", "pairs"), SPECIAL.items())
def test_files_that_are_no_language_model_are_recognised(kind: str, pairs: list[bytes]) -> None:
    facts = facts_of_bytes(header_bytes.gguf(pairs))
    assert facts.kind == kind
    problem = not_a_chat_model(facts)
    assert problem is not None
    assert problem.kind == "not-a-chat-model"


def test_a_language_model_can_chat() -> None:
    assert not_a_chat_model(facts_from_header(read_file_header(PIP))) is None


def test_an_unknown_architecture_is_named() -> None:
    data = header_bytes.gguf([pair("general.architecture", STRING, "futurix")], [tensor("t", (8,))], data=32)
    with pytest.raises(UserError, match="futurix") as caught:
        facts_of_bytes(data)
    assert caught.value.kind == "not-supported"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"block_count": None}, "lacks the model itself"),
        ({"block_count": 0}, "lacks the model itself"),
        ({"embedding_length": None}, "lacks the model itself"),
        ({"block_count": 2**32 - 1}, "figures is impossible"),
        ({"attention.head_count": 2**31}, "figures is impossible"),
        ({"embedding_length": 2**31}, "figures is impossible"),
    ],
)
def test_a_model_with_absurd_figures_is_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        facts_of_bytes(tiny_model(**change))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_a_figure_that_is_no_whole_number_is_refused(value: float) -> None:
    pairs = [pair("general.architecture", STRING, "llama"), pair("llama.block_count", header_bytes.F32, value)]
    with pytest.raises(UserError, match="figures is impossible"):
        facts_of_bytes(header_bytes.gguf(pairs, [tensor("t", (8,))], data=32))


def test_the_prevailing_type_serves_where_none_is_stated() -> None:
    assert facts_of_bytes(tiny_model()).file_type == "F32"


def part(number: int, count: int, name: str, *, first: bool = False) -> bytes:
    pairs = [pair("split.no", U16, number), pair("split.count", U16, count)]
    if first:
        figures = {"block_count": 2, "embedding_length": 32, "attention.head_count": 4}
        pairs += [pair("general.architecture", STRING, "llama")]
        pairs += [pair(f"llama.{key}", U32, value) for key, value in figures.items()]
    return header_bytes.gguf(pairs, [tensor(name, (32, 8))], data=32 * 8 * 4)


def test_a_split_model_is_the_sum_of_its_parts() -> None:
    headers = [
        read_header(BytesSource(data))
        for data in (part(0, 3, "a", first=True), part(1, 3, "b"), part(2, 3, "token_embd.weight"))
    ]
    facts = facts_from_headers(headers, 5000)
    assert facts.parameters == 3 * 256
    assert facts.input_embedding_bytes == 1024
    assert facts.file_bytes == 5000


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((part(0, 3, "a", first=True),), "one of 3 parts"),
        ((part(0, 3, "a", first=True), part(1, 3, "b")), "one of 3 parts"),
        ((part(0, 2, "a", first=True), part(0, 2, "b", first=True)), "do not belong together"),
        ((part(0, 2, "a", first=True), tiny_model()), "do not belong together"),
    ],
)
def test_parts_that_are_missing_or_foreign_are_told(parts: tuple[bytes, ...], words: str) -> None:
    with pytest.raises(UserError, match=words):
        facts_from_headers([read_header(BytesSource(data)) for data in parts], 100)


def test_a_name_that_is_no_utf8_is_shown_with_marks() -> None:
    data = header_bytes.gguf(
        [pair("general.architecture", STRING, "llama"), pair("general.name", STRING, b"caf\xe9")]
        + [pair(f"llama.{key}", U32, 1) for key in ("block_count", "embedding_length")],
        [tensor("t", (8,))],
        data=32,
    )
    assert facts_of_bytes(data).name == "caf\ufffd"
    assert struct.calcsize("<Q") == 8
