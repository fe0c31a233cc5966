"""Vocabularies equal those of llama.cpp's own converter, key by key (see `record.py` for how they were recorded)."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest

from snug.convert.tokenizers import Vocabulary, read_tokenizer, tokenizer_files_in
from tests.convert.tokenizers.make_samples import SAMPLE_MAKERS, SAMPLES
from tests.convert.tokenizers.record import ENDING, UNKNOWN

KINDS = {
    "u32": "UINT32", "i32": "INT32", "f32": "FLOAT32", "bool": "BOOL", "str": "STRING", "[str": "[STRING",
    "[i32": "[INT32", "[f32": "[FLOAT32", "[u8": "[UINT8",
}  # fmt: skip

DIFFERENCES: dict[tuple[str, str], str] = {
    ("gpt2-files", "tokenizer.ggml.add_bos_token"): "the old files say it as well; the engine's default is the same",
    ("gpt2-files", "tokenizer.ggml.add_eos_token"): "the old files say it as well; the engine's default is the same",
    ("llama-json", "tokenizer.ggml.scores"): "equal scores make the engine cut words otherwise than the model learnt",
    ("bert-words", "tokenizer.ggml.bos_token_id"): "the reference leaves the engine with the ids of another BERT",
    ("bert-words", "tokenizer.ggml.mask_token_id"): "the reference leaves the engine with the ids of another BERT",
    ("bert-words", "tokenizer.ggml.padding_token_id"): "the reference leaves the engine with the ids of another BERT",
    ("bert-words", "tokenizer.ggml.seperator_token_id"): "the reference leaves the engine with the ids of another BERT",
    ("bert-words", "tokenizer.ggml.unknown_token_id"): "the reference leaves the engine with the ids of another BERT",
    ("bert-words", "tokenizer.ggml.normalizer.lowercase"): "the engine would lower the case of a model that knows it",
    ("xlm-roberta-json", "tokenizer.ggml.add_space_prefix"): "the engine would begin texts otherwise than the model",
}
"""Where Snug writes something else than the reference, and why; `test_in_engine` shows that its way is right."""


def read_sample(name: str) -> Vocabulary:
    folder = SAMPLES / name
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return read_tokenizer(tokenizer_files_in(folder), config, SAMPLE_MAKERS[name][0])


def entries(vocabulary: Vocabulary) -> dict[str, list[Any]]:
    found = {}
    for meta in vocabulary.metadata:
        value = meta.value
        if meta.kind == "f32":
            (value,) = struct.unpack("<f", struct.pack("<f", value))
        if meta.kind == "[f32":
            assert isinstance(value, list)
            value = list(struct.unpack(f"<{len(value)}f", struct.pack(f"<{len(value)}f", *value)))
        found[meta.key] = [KINDS[meta.kind], value]
    return found


@pytest.mark.parametrize("name", SAMPLE_MAKERS)
def test_every_key_equals_the_reference(name: str) -> None:
    reference = json.loads((SAMPLES / (name + ENDING)).read_text(encoding="utf-8"))
    ours = entries(read_sample(name))
    if reference.get("tokenizer.ggml.pre") == ["STRING", UNKNOWN]:
        reference["tokenizer.ggml.pre"] = ["STRING", SAMPLE_MAKERS[name][1]]
    for found in (ours, reference):  # the reference gathers these names in a set
        if "tokenizer.chat_templates" in found:
            found["tokenizer.chat_templates"][1].sort()
    different = {key for key in ours.keys() | reference.keys() if ours.get(key) != reference.get(key)}
    assert different == {key for sample, key in DIFFERENCES if sample == name}


@pytest.mark.parametrize("name", SAMPLE_MAKERS)
def test_the_pre_tokenizer_is_the_one_that_it_was_made_with(name: str) -> None:
    vocabulary = read_sample(name)
    assert vocabulary.pre_tokenizer == SAMPLE_MAKERS[name][1]
    assert vocabulary.token_count == len(vocabulary.value("tokenizer.ggml.tokens"))  # type: ignore[arg-type]


def test_an_unknown_hash_is_told() -> None:
    assert any("new to llama.cpp" in note for note in read_sample("qwen2").details)
