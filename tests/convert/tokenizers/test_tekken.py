"""Mistral's tekken.json: special tokens first, merges worked out from the ranks, cut by the engine as by rank."""

from __future__ import annotations

import base64
import json
from itertools import pairwise
from pathlib import Path

import pytest

from snug.convert.tokenizers import read_tokenizer, tokenizer_files_in
from snug.convert.tokenizers.tekken import byte_letters, tekken_merges
from snug.core.errors import UserError
from snug.engine.bare_vocabulary import BareVocabulary
from tests.convert.tokenizers.vocabulary_file import write_vocabulary

WORDS = [bytes([byte]) for byte in range(256)] + [b"he", b"ll", b"hell", b"hello", b" w", b" wo", b"rld", b"ld"]
WORDS[-2:] = [b"ld", b"rld"]
SPECIALS = 30


def write(folder: Path, words: list[bytes] = WORDS, specials: int = SPECIALS) -> Path:
    value = {
        "config": {"default_vocab_size": specials + len(words), "default_num_special_tokens": specials, "pattern": "x"},
        "vocab": [{"rank": i, "token_bytes": base64.b64encode(word).decode()} for i, word in enumerate(words)],
    }
    (folder / "tekken.json").write_text(json.dumps(value))
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    return folder


def by_rank(text: str) -> list[int]:
    """The plain algorithm: join the pair that makes the word of lowest rank, until none does."""
    ranks = {word: rank for rank, word in enumerate(WORDS)}
    parts = [bytes([byte]) for byte in text.encode()]
    while True:
        pairs = [(ranks[a + b], i) for i, (a, b) in enumerate(pairwise(parts)) if a + b in ranks]
        if not pairs:
            return [ranks[part] + SPECIALS for part in parts]
        _, at = min(pairs)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]


def test_the_engine_cuts_by_rank(tmp_path: Path) -> None:
    vocabulary = read_tokenizer(tokenizer_files_in(write(tmp_path)), {"vocab_size": 1}, "llama")
    assert vocabulary.token_count == SPECIALS + len(WORDS)
    assert vocabulary.pre_tokenizer == "tekken"
    assert vocabulary.value("tokenizer.ggml.bos_token_id") == 1
    assert vocabulary.value("tokenizer.chat_template") == "{{ messages }}"
    path = write_vocabulary(tmp_path / "v.gguf", "llama", vocabulary.metadata)
    with BareVocabulary(path) as engine:
        for text in ("hello", " world", "shell", "hell"):
            assert engine.tokenize(text) == by_rank(text), text
        assert engine.tokenize("<s>[INST]", with_special=True) == [1, 3]
        assert engine.text_of(SPECIALS - 1) == f"<SPECIAL_{SPECIALS - 1}>"


def test_merges_stand_in_the_order_of_their_words() -> None:
    made = [first + second for first, second in tekken_merges(tuple(WORDS))]
    assert [WORDS.index(word) for word in made] == sorted(WORDS.index(word) for word in made)
    assert set(made) == set(WORDS[256:])


def test_bytes_are_written_as_gpt_2_does() -> None:
    letters = byte_letters()
    assert letters[ord(" ")] == "Ġ"
    assert letters[ord("\n")] == "Ċ"
    assert letters[ord("a")] == "a"
    assert len(set(letters)) == 256


@pytest.mark.parametrize(
    "words",
    [WORDS[:100], [*WORDS[:256], b"xyz"], [*WORDS, b"hello"], [b"ab", *WORDS[1:]], [*WORDS[:256], b""]],
)
def test_a_contradicting_tekken_is_refused(words: list[bytes], tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        read_tokenizer(tokenizer_files_in(write(tmp_path, words)), {}, "llama")
    assert caught.value.kind == "bad-tokenizer"
