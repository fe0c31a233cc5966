"""Damaged, contradictory and hostile tokenizers end in a sentence, soon, and never in a traceback."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snug.convert.tokenizers import Vocabulary, read_tokenizer, tokenizer_files_in
from snug.convert.tokenizers.tokenizer_files import MOST_TOKENIZER_BYTES
from snug.core.errors import UserError
from tests.convert.tokenizers.make_samples import SAMPLE_MAKERS, SAMPLES

KINDS = {"bad-tokenizer", "no-tokenizer", "bad-checkpoint"}


def read(folder: Path, architecture: str = "llama", config: dict[str, Any] | None = None) -> Vocabulary:
    return read_tokenizer(tokenizer_files_in(folder), {"vocab_size": 32} if config is None else config, architecture)


def refused(folder: Path, architecture: str = "llama", config: dict[str, Any] | None = None) -> UserError:
    with pytest.raises(UserError) as caught:
        read(folder, architecture, config)
    assert caught.value.kind in KINDS
    assert caught.value.bad_input
    assert caught.value.advice
    return caught.value


def small_bpe(**changes: Any) -> dict[str, Any]:
    model = {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]} | changes
    return {"version": "1.0", "added_tokens": [], "model": model}


def write(folder: Path, value: object) -> Path:
    (folder / "tokenizer.json").write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return folder


def test_a_small_one_is_read(tmp_path: Path) -> None:
    assert read(write(tmp_path, small_bpe())).token_count == 32


def test_no_tokenizer_at_all_is_told(tmp_path: Path) -> None:
    error = refused(tmp_path)
    assert error.kind == "no-tokenizer"
    assert "missing" in error.title
    assert refused(tmp_path, "gemma").kind == "no-tokenizer"
    assert refused(tmp_path, "bert").kind == "no-tokenizer"


DAMAGED: dict[str, object] = {
    "empty": "",
    "no json": "{",
    "a list": "[]",
    "null": "null",
    "a web page": "<!doctype html><html>login</html>",
    "deeply nested": "[" * 200_000,
    "nested in the model": '{"model":{"vocab":' + '{"a":' * 50_000,
    "nested in a part": '{"model":{"vocab":{"a":0},"merges":[]},"normalizer":' + "[" * 5_000 + "]" * 5_000 + "}",
    "no vocabulary": {"model": {"type": "BPE"}},
    "an empty vocabulary": small_bpe(vocab={}, merges=[]),
    "ids that are texts": small_bpe(vocab={"a": "0"}),
    "ids that are fractions": small_bpe(vocab={"a": 0.5}),
    "ids below zero": small_bpe(vocab={"a": -1, "b": 1, "ab": 2}),
    "ids beyond all bounds": small_bpe(vocab={"a": 0, "b": 1, "ab": 10**12}),
    "the same id twice": small_bpe(vocab={"a": 0, "b": 0, "ab": 2}),
    "a token twice": '{"model":{"type":"BPE","vocab":{"a":0,"b":1,"a":2},"merges":[]}}',
    "merges of unknown tokens": small_bpe(merges=[["a", "c"]]),
    "merges into unknown tokens": small_bpe(merges=[["b", "a"]]),
    "merges of nothing": small_bpe(merges=[["", "a"]]),
    "merges in threes": small_bpe(merges=[["a", "b", "ab"]]),
    "merges that are numbers": small_bpe(merges=[1]),
    "an added token of another's id": small_bpe()
    | {"added_tokens": [{"id": 3, "content": "x"}, {"id": 3, "content": "y"}]},
    "an added token without text": small_bpe() | {"added_tokens": [{"id": 3}]},
    "an added token beyond all bounds": small_bpe() | {"added_tokens": [{"id": 2**40, "content": "x"}]},
    "an unknown kind": small_bpe(type="Magic"),
    "a pattern that is none": small_bpe()
    | {"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(("}, "behavior": "Isolated", "invert": False}},
    "an unknown pre-tokenizer": small_bpe() | {"pre_tokenizer": {"type": "Magic"}},
    "a post-processor of unknown tokens": small_bpe()
    | {"post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x", "type_id": 0}}],
                          "pair": [], "special_tokens": {}}},
    "half a letter": '{"model":{"type":"BPE","vocab":{"\\ud83d":0},"merges":[]}}',
    "more tokens than the model": small_bpe(vocab={f"t{i}": i for i in range(64)}, merges=[]),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_tokenizer_json_is_refused(name: str, tmp_path: Path) -> None:
    started = time.monotonic()
    refused(write(tmp_path, DAMAGED[name]), "gpt2")
    assert time.monotonic() - started < 10


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_bytes(b'{"model":{"vocab":{"\xff\xfe":0}}}')
    refused(tmp_path)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    for name, architecture in (("tokenizer.json", "gpt2"), ("tokenizer.model", "llama"), ("tekken.json", "llama")):
        folder = tmp_path / name.replace(".", "-")
        folder.mkdir()
        with (folder / name).open("wb") as file:
            file.truncate(MOST_TOKENIZER_BYTES + 1)
        assert "impossibly large" in refused(folder, architecture).title


def test_a_folder_in_a_file_s_place_is_no_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").mkdir()
    assert refused(tmp_path).kind == "no-tokenizer"


def test_a_million_merges_and_more_are_refused(tmp_path: Path) -> None:
    merges = ",".join(['["a","b"]'] * 1_000_001)
    write(tmp_path, f'{{"model":{{"type":"BPE","vocab":{{"a":0,"b":1,"ab":2}},"merges":[{merges}]}}}}')
    assert "merges" in refused(tmp_path, "gpt2").title


@pytest.mark.parametrize("size", [0, -1, 10**9, "32", 1.5, True])
def test_a_config_with_an_impossible_number_of_tokens_is_refused(size: object, tmp_path: Path) -> None:
    refused(write(tmp_path, small_bpe()), "gpt2", {"vocab_size": size})


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0" * 1000,
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        b"\x0a\x05\x0a\x03ab",
        b"\x80" * 64,
        b"\x0b\x0c",
        b"\x0a\x09\x0a\x02\xff\xfe\x15\0\0\0\0",
        b"\x0a\x0a\x0a\x03<s>\x15\0\0\xc0\x7f",
        b"\x0a\x07\x0a\x01a\x15\0\0\0\0\x18\x63",
        2 * b"\x0a\x08\x0a\x01a\x15\0\0\0\0",
    ],
)
def test_a_damaged_sentencepiece_model_is_refused(raw: bytes, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.model").write_bytes(raw)
    refused(tmp_path)


SETTINGS: tuple[dict[str, Any], ...] = (
    {"added_tokens_decoder": {"x": {"content": "a"}}},
    {"added_tokens_decoder": {"1": {}}},
    {"added_tokens_decoder": {"1": 7}},
    {"added_tokens_decoder": {"9" * 5000: {"content": "a"}}},
)


@pytest.mark.parametrize("settings", SETTINGS)
def test_damaged_settings_are_refused(settings: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path, small_bpe())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    refused(tmp_path, "gpt2")


ODD: tuple[dict[str, Any], ...] = (
    {"chat_template": 7},
    {"chat_template": [{"name": 3, "template": None}, "x", {}]},
    {"bos_token": 7, "eos_token": {"content": 5}, "add_bos_token": "yes"},
    {"added_tokens_decoder": [], "additional_special_tokens": {"a": 1}, "extra_special_tokens": [1]},
    {"tokenizer_class": ["LlamaTokenizer"], "add_prefix_space": "no"},
)


@pytest.mark.parametrize("settings", ODD)
def test_odd_settings_are_passed_over(settings: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path, small_bpe())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
    assert read(tmp_path, "gpt2").token_count == 32


def test_generation_defaults_of_wrong_types_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, small_bpe())
    odd = {
        "temperature": "hot",
        "top_k": 2**40,
        "top_p": [],
        "min_p": 1e300,
        "mirostat": True,
        "repetition_penalty": 1.1,
    }
    (tmp_path / "generation_config.json").write_text(json.dumps(odd))
    vocabulary = read(tmp_path, "gpt2")
    kept = [meta.key for meta in vocabulary.metadata if meta.key.startswith("general.sampling.")]
    assert kept == ["general.sampling.penalty_repeat"]
    assert any("temperature" in note for note in vocabulary.details)


def mutated(raw: bytes, chance: random.Random) -> bytes:
    """A few bytes changed, cut out, doubled, or the end missing."""
    data = bytearray(raw)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        length = min(chance.choice((1, 1, 1, 2, 8, 200)), len(data) - at)
        how: Callable[[], bytes] = chance.choice(
            (
                lambda length=length: chance.randbytes(length),
                lambda: b"",
                lambda at=at, length=length: bytes(data[at : at + length]) * 2,
                lambda: chance.choice((b"[", b"{", b'"', b"null", b"-1", b"1e999", b"\xff", b"99999999999999999999")),
            )
        )  # type: ignore[misc]
        data[at : at + length] = how()
        if chance.random() < 0.05:
            del data[at:]
    return bytes(data)


@pytest.mark.parametrize("name", ["llama-3", "llama-spm", "gpt2-files", "bert", "xlm-roberta-model", "gemma4"])
def test_mutated_files_are_read_or_refused(name: str, tmp_path: Path) -> None:
    rounds = 2_000 if os.environ.get("SNUG_FULL_TESTS") else 25
    chance = random.Random(f"{name} 1")
    source = tokenizer_files_in(SAMPLES / name)
    originals = {file: path.read_bytes() for file, path in source.items()}
    refusals: list[str] = []
    for _ in range(rounds):
        file = chance.choice(sorted(set(originals) - {"config.json"}))
        for other, raw in originals.items():
            (tmp_path / other).write_bytes(mutated(raw, chance) if other == file else raw)
        config = json.loads(originals["config.json"])
        try:
            read(tmp_path, SAMPLE_MAKERS[name][0], config)
        except UserError as error:
            refusals.append(error.kind)
    assert refusals
    assert set(refusals) <= KINDS
