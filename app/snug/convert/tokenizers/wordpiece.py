"""BERT's vocabularies of word pieces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from snug.convert.tokenizers.bpe import SPACE, base_table
from snug.convert.tokenizers.errors import bad_tokenizer
from snug.convert.tokenizers.pre_tokenizers import identify
from snug.convert.tokenizers.rust_tokenizer import RustTokenizer
from snug.convert.tokenizers.vocabulary import Entries, TokenType

_CONTINUES = "##"


def put_wordpiece(tokenizer: RustTokenizer, size: int | None, entries: Entries) -> tuple[str, int]:
    """Write the vocabulary; the name of its pre-tokenizer and the number of tokens.

    llama.cpp marks where a word begins, not where it goes on: "##ing" becomes "ing", "the" becomes "▁the".
    """
    if tokenizer.parsed.kind() != "WordPiece":
        raise bad_tokenizer("it is of a kind that this architecture never has", tokenizer.parsed.kind()[:80])
    table = base_table(tokenizer, size, entries)
    for token, (text, kind) in enumerate(zip(table.texts, table.types, strict=True)):
        if kind != TokenType.CONTROL:
            table.texts[token] = text[2:] if text.startswith(_CONTINUES) else SPACE + text
    name = identify(tokenizer).name
    if name not in _KNOWN:
        name = "bert-bge"
    entries.put("tokenizer.ggml.model", "str", "bert")
    entries.put("tokenizer.ggml.pre", "str", name)
    entries.put_tokens(table, with_scores=False)
    return name, len(table)


_KNOWN = frozenset({"bert-bge", "bert-bge-large", "jina-v2-en", "jina-v2-de", "jina-v1-en"})
"""Names of WordPiece tokenizers; llama.cpp treats all of them alike, so that an unknown one is given the first."""


def put_token_types(config: Mapping[str, Any], entries: Entries) -> None:
    """How many kinds of text (question, answer) a BERT tells apart."""
    count = config.get("type_vocab_size", 1)
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count < 2**16:
        raise bad_tokenizer("its config names an impossible number of token types", repr(count)[:80])
    entries.put("tokenizer.ggml.token_type_count", "u32", count)
