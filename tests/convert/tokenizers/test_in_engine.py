"""The engine cuts text with a written vocabulary as the checkpoint's own library does."""

from __future__ import annotations

from pathlib import Path

import pytest

from snug.convert.tokenizers import tokenizer_files_in
from snug.convert.tokenizers.own_tokenizer import own_tokenizer
from snug.convert.tokenizers.pre_tokenizers import CHECK_TEXT, MORE_TEXT
from snug.engine.bare_vocabulary import BareVocabulary
from tests.convert.tokenizers.make_samples import SAMPLE_MAKERS, SAMPLES
from tests.convert.tokenizers.test_against_reference import read_sample
from tests.convert.tokenizers.vocabulary_file import write_vocabulary

PLAIN = (
    "Hello world",
    "def f(x):\n    return x + 1\n",
    " a leading space",
    "Zażółć gęślą jaźń",
    "wide \uff21\uff22\uff23 letters",
)
ODD = (CHECK_TEXT, MORE_TEXT, "日本語テキスト", "tabs\tand\n\nlines  and   spaces ")
ENGINE_DIFFERS = ("bert", "xlm-roberta-json", "xlm-roberta-model")
"""llama.cpp's WordPiece takes more marks off Khmer and Hangul, its unigram counts unknown characters otherwise."""


@pytest.mark.parametrize("name", [name for name in SAMPLE_MAKERS if name != "xlm-roberta-model"])
def test_the_engine_gives_the_same_ids(name: str, tmp_path: Path) -> None:
    vocabulary = read_sample(name)
    own = own_tokenizer(tokenizer_files_in(SAMPLES / name))
    assert own is not None
    path = write_vocabulary(tmp_path / "vocabulary.gguf", SAMPLE_MAKERS[name][0], vocabulary.metadata)
    with BareVocabulary(path) as engine:
        assert engine.size == vocabulary.token_count
        for text in PLAIN if name in ENGINE_DIFFERS else PLAIN + ODD:
            assert engine.tokenize(text) == own.encode(text), text
        assert engine.chat_template == (vocabulary.value("tokenizer.chat_template") or "")


@pytest.mark.parametrize("name", ["llama-3", "qwen2", "deepseek", "gpt-oss", "command-r", "glm4", "starcoder2"])
def test_special_tokens_in_a_text_have_the_same_ids(name: str, tmp_path: Path) -> None:
    vocabulary = read_sample(name)
    own = own_tokenizer(tokenizer_files_in(SAMPLES / name))
    assert own is not None
    path = write_vocabulary(tmp_path / "vocabulary.gguf", SAMPLE_MAKERS[name][0], vocabulary.metadata)
    text = "One two ".join(["", *own.specials().values(), ""]) + "\nend"
    with BareVocabulary(path) as engine:
        assert engine.tokenize(text, with_special=True) == own.encode_whole(text)
