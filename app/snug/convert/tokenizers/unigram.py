"""Vocabularies of SentencePiece's unigram model as XLM-RoBERTa and its kin use them; llama.cpp calls them "t5"."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from snug.convert.tokenizers.bpe import config_vocab_size
from snug.convert.tokenizers.errors import bad_tokenizer
from snug.convert.tokenizers.rust_tokenizer import RustTokenizer
from snug.convert.tokenizers.sentencepiece import put_pieces
from snug.convert.tokenizers.sentencepiece_model import UNIGRAM, SentencePieceModel
from snug.convert.tokenizers.tokenizer_json import TokenizerJson
from snug.convert.tokenizers.vocabulary import Entries, TokenTable, TokenType
from snug.convert.tokenizers.wordpiece import put_token_types

_FIRST = (
    ("<s>", TokenType.CONTROL),
    ("<pad>", TokenType.CONTROL),
    ("</s>", TokenType.CONTROL),
    ("<unk>", TokenType.UNKNOWN),
)
_NOMIC_MASK = 250001


def put_unigram_model(
    model: SentencePieceModel, config: Mapping[str, Any], entries: Entries, *, with_mask: bool
) -> TokenTable:
    """XLM-RoBERTa's sentencepiece.bpe.model: transformers puts other tokens first and shifts the rest by one."""
    if model.model_type != UNIGRAM:
        raise bad_tokenizer("it is no unigram model", f"type {model.model_type}")
    table = TokenTable.padded(max(config_vocab_size(config) or 0, len(model.pieces)))
    put_pieces(table, model)
    shifted = TokenTable(
        [text for text, _ in _FIRST] + table.texts[3:-1],
        [int(kind) for _, kind in _FIRST] + table.types[3:-1],
        [0.0] * 4 + table.scores[3:-1],
    )
    if with_mask and len(shifted) > _NOMIC_MASK:
        shifted.put(_NOMIC_MASK, "<mask>", TokenType.CONTROL)
    _put(shifted, config, entries, model.add_dummy_prefix, model.remove_extra_whitespaces, model.precompiled_charsmap)
    return shifted


def put_unigram_json(tokenizer: RustTokenizer, config: Mapping[str, Any], entries: Entries) -> TokenTable:
    """The same kind of vocabulary from tokenizer.json."""
    parsed = tokenizer.parsed
    if parsed.kind() != "Unigram" or not isinstance(parsed.model.vocab, list):
        raise bad_tokenizer("it is of a kind that this architecture never has", parsed.kind()[:80])
    pieces = parsed.model.vocab
    table = TokenTable.padded(max(config_vocab_size(config) or 0, len(pieces)))
    vocab = tokenizer.vocab()
    special = {vocab[text] for text in tokenizer.all_special() if text in vocab}
    added = {value.content: token for token, value in tokenizer.added().items()}
    unknown = added.get(tokenizer.special_texts().get("unk_token", ""))
    if unknown is None:
        unknown = parsed.model.unk_id if parsed.model.unk_id is not None else 3
    for token, (text, score) in enumerate(pieces):
        kind = TokenType.NORMAL
        if token == unknown:
            kind = TokenType.UNKNOWN
        elif token in special:
            kind = TokenType.CONTROL
        elif token in added.values():
            kind = TokenType.USER_DEFINED
        table.put(token, text, kind, score)
    removes = tokenizer.settings.get("clean_up_tokenization_spaces") is True
    _put(table, config, entries, _puts_space_before(parsed), removes, _charsmap(parsed))
    return table


def _put(
    table: TokenTable, config: Mapping[str, Any], entries: Entries, prefix: bool, removes: bool, charsmap: bytes
) -> None:
    entries.put("tokenizer.ggml.model", "str", "t5")
    entries.put("tokenizer.ggml.pre", "str", "default")
    entries.put_tokens(table, with_scores=True)
    entries.put("tokenizer.ggml.add_space_prefix", "bool", prefix)
    put_token_types(config, entries)
    entries.put("tokenizer.ggml.remove_extra_whitespaces", "bool", removes)
    if charsmap:
        entries.put("tokenizer.ggml.precompiled_charsmap", "[u8", list(charsmap))


def _puts_space_before(parsed: TokenizerJson) -> bool:
    """Whether its pre-tokenizer puts a space before a text; llama.cpp's converter asks a setting seldom there."""
    part = parsed.part("pre_tokenizer")
    inner = part.get("pretokenizers")
    for step in [part, *(inner if isinstance(inner, list) else [])]:
        if isinstance(step, dict) and step.get("type") == "Metaspace":
            return step.get("prepend_scheme", "always") != "never" and step.get("add_prefix_space", True) is not False
    return False


def _charsmap(parsed: TokenizerJson) -> bytes:
    """The normaliser's table, where it has one, alone or in a sequence."""
    part = parsed.part("normalizer")
    inner = part.get("normalizers")
    for step in [part, *(inner if isinstance(inner, list) else [])]:
        text = step.get("precompiled_charsmap") if isinstance(step, dict) else None
        if isinstance(text, str):
            try:
                return base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError) as error:
                raise bad_tokenizer("its table of characters is damaged", str(error)[:100]) from error
    return b""
