"""Real vocabularies, which llama.cpp's source carries as GGUF: known by their hashes, written back alike, cut alike.

Set SNUG_LLAMA_SOURCE to the unpacked source package of llama-cpp-python. tokenizer.json is put together again from the
GGUF's tokens and merges with the pre-tokenizer that the model's makers published.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import pytest
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors

from snug.convert.tokenizers import read_tokenizer, tokenizer_files_in
from snug.convert.tokenizers.pre_tokenizers import PATTERNS
from snug.convert.tokenizers.vocabulary import TokenType
from snug.engine.bare_vocabulary import BareVocabulary
from tests.convert.tokenizers.vocabulary_file import write_vocabulary

UNUSED = TokenType.UNUSED
SOURCE = Path(os.environ.get("SNUG_LLAMA_SOURCE", "/nowhere")) / "vendor" / "llama.cpp" / "models"

pytestmark = pytest.mark.skipif(
    not SOURCE.is_dir(), reason="set SNUG_LLAMA_SOURCE to llama-cpp-python's source package"
)


@dataclass(frozen=True)
class Real:
    """`pattern` is the one of Snug's table, `digits` an extra way of cutting digits before it, `bos` a beginning."""

    name: str
    pattern: str
    bos: str = ""
    ignore_merges: bool = False


REAL = (
    Real("llama-bpe", "llama-bpe", "<|begin_of_text|>", ignore_merges=True),
    Real("qwen2", "qwen2"),
    Real("gpt-2", "gpt-2"),
    Real("starcoder", "starcoder"),
    Real("refact", "starcoder"),
    Real("command-r", "starcoder", "<BOS_TOKEN>"),
    Real("deepseek-coder", "deepseek-coder", "<\uff5cbegin\u2581of\u2581sentence\uff5c>"),
    Real("deepseek-llm", "deepseek-llm", "<\uff5cbegin\u2581of\u2581sentence\uff5c>"),
)


def rebuilt(real: Real) -> tuple[Tokenizer, dict[str, Any]]:
    fields = gguf.GGUFReader(SOURCE / f"ggml-vocab-{real.name}.gguf").fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    types = fields["tokenizer.ggml.token_type"].contents()
    merges = [tuple(merge.split(" ", 1)) for merge in fields["tokenizer.ggml.merges"].contents()]
    last = max(i for i, kind in enumerate(types) if kind == TokenType.NORMAL)
    vocab = {text: i for i, (text, kind) in enumerate(zip(tokens, types, strict=True)) if i <= last and kind != UNUSED}
    tokenizer = Tokenizer(models.BPE(vocab, merges, ignore_merges=real.ignore_merges))
    regexes = next(pattern.regexes for pattern in PATTERNS if pattern.name == real.pattern)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(regex), "isolated") for regex in regexes]
        + [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    text = json.loads(tokenizer.to_str())
    text["added_tokens"] = [
        {"id": i, "content": text_, "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": kind == TokenType.USER_DEFINED, "special": kind in (TokenType.CONTROL, TokenType.UNKNOWN)}
        for i, (text_, kind) in enumerate(zip(tokens, types, strict=True))
        if kind not in (TokenType.NORMAL, TokenType.UNUSED)
    ]  # fmt: skip
    tokenizer = Tokenizer.from_str(json.dumps(text))
    if real.bos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{real.bos} $A", pair=f"{real.bos} $A {real.bos} $B",
            special_tokens=[(real.bos, tokenizer.token_to_id(real.bos))],
        )  # fmt: skip
    return tokenizer, {"tokens": tokens, "types": types, "merges": fields["tokenizer.ggml.merges"].contents()}


@pytest.mark.parametrize("real", REAL, ids=lambda real: real.name)
def test_a_real_tokenizer_is_known_by_its_hash_and_written_back(real: Real, tmp_path: Path) -> None:
    tokenizer, expected = rebuilt(real)
    (tmp_path / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    config = {"vocab_size": len(expected["tokens"])}
    vocabulary = read_tokenizer(tokenizer_files_in(tmp_path), config, "gpt2")
    assert vocabulary.pre_tokenizer == real.name, vocabulary.details
    assert not vocabulary.notes
    assert not vocabulary.details
    assert vocabulary.value("tokenizer.ggml.tokens") == expected["tokens"]
    assert vocabulary.value("tokenizer.ggml.merges") == expected["merges"]
    path = write_vocabulary(tmp_path / "v.gguf", "gpt2", vocabulary.metadata)
    texts = (SOURCE / f"ggml-vocab-{real.name}.gguf.inp").read_text(encoding="utf-8").split("\n__ggml_vocab_test__\n")
    ids = (SOURCE / f"ggml-vocab-{real.name}.gguf.out").read_text(encoding="utf-8").splitlines()
    with BareVocabulary(path) as engine:
        for text, line in zip(texts, ids, strict=False):  # the last separator has nothing after it
            assert engine.tokenize(text) == [int(number) for number in line.split()], text
