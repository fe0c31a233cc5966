"""Vocabularies of SentencePiece: from tokenizer.model, or from a tokenizer.json that was made from one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from snug.convert.tokenizers.bpe import SPACE, looks_special
from snug.convert.tokenizers.errors import bad_tokenizer
from snug.convert.tokenizers.rust_tokenizer import RustTokenizer
from snug.convert.tokenizers.sentencepiece_model import SentencePieceModel, parse_sentencepiece
from snug.convert.tokenizers.tokenizer_files import TokenizerFiles
from snug.convert.tokenizers.tokenizer_json import AddedTokenJson
from snug.convert.tokenizers.vocabulary import ADDED_SCORE, TokenTable, TokenType

_BYTE = re.compile(r"<0x[0-9A-Fa-f]{2}>")


def read_sentencepiece(files: TokenizerFiles, name: str = "tokenizer.model") -> SentencePieceModel:
    """The SentencePiece model of a checkpoint. Raises UserError where it is missing or damaged."""
    return parse_sentencepiece(files.raw(name))


def sentencepiece_table(model: SentencePieceModel, files: TokenizerFiles, size: int | None) -> TokenTable:
    """The pieces, then the added tokens over them, padded to `size`; what the model has no row for is left out."""
    table = TokenTable.padded(size or len(model.pieces))
    put_pieces(table, model)
    for text, token in files.object("added_tokens.json").items():
        if isinstance(token, int) and 0 <= token < len(table):
            table.put(token, text, TokenType.USER_DEFINED, ADDED_SCORE)
    for token, text, special in _added_in_settings(files):
        if token >= len(table):
            continue
        if special or looks_special(text):
            table.put(token, text, TokenType.CONTROL, ADDED_SCORE)
        else:
            table.put(token, text.replace(SPACE, " "), TokenType.USER_DEFINED, ADDED_SCORE)
    return table


def put_pieces(table: TokenTable, model: SentencePieceModel) -> None:
    """The model's own pieces; llama.cpp's converter counts user-defined ones as normal."""
    for token, piece in enumerate(model.pieces[: len(table)]):
        kind = TokenType.NORMAL if piece.kind == TokenType.USER_DEFINED else piece.kind
        table.put(token, piece.text, kind, piece.score)


def phi3_table(
    model: SentencePieceModel, files: TokenizerFiles, added: Iterable[AddedTokenJson], size: int | None
) -> TokenTable:
    """Phi 3's tokens: every added token is user-defined unless it is marked special, spaces as they are."""
    table = TokenTable.padded(size or len(model.pieces))
    put_pieces(table, model)
    for text, token in files.object("added_tokens.json").items():
        if isinstance(token, int) and 0 <= token < len(table):
            table.put(token, text, TokenType.USER_DEFINED, ADDED_SCORE)
    from_json = [(token.id, token.content, token.special) for token in added]
    for token, text, special in [*_added_in_settings(files), *from_json]:
        if token < len(table):
            table.put(token, text, TokenType.CONTROL if special else TokenType.USER_DEFINED, ADDED_SCORE)
    return table


def _added_in_settings(files: TokenizerFiles) -> list[tuple[int, str, bool]]:
    """The ids, texts and special marks of tokenizer_config.json's `added_tokens_decoder`."""
    found = []
    known = files.object("tokenizer_config.json").get("added_tokens_decoder")
    for number, value in known.items() if isinstance(known, dict) else ():
        text = value.get("content") if isinstance(value, dict) else None
        if not number.isdecimal() or len(number) > 9 or not isinstance(text, str):
            raise bad_tokenizer("one of its added tokens is damaged", f"{number[:20]!r}: {value!r}"[:200])
        found.append((int(number), text, bool(value.get("special"))))
    return found


def llama_hf_table(tokenizer: RustTokenizer, keep_visible: frozenset[str] = frozenset()) -> TokenTable:
    """The tokens of a tokenizer.json that joins pieces as SentencePiece does.

    `keep_visible` are control tokens that answers show.
    """
    vocab = tokenizer.vocab()
    base, added = tokenizer.base_size, tokenizer.added()
    by_id = {token: text for text, token in vocab.items()}
    special_texts = tokenizer.all_special()
    special = {vocab[text] for text in special_texts if text in vocab}
    size = base + sum(token >= base for token in added)
    if max(by_id) >= size:
        raise bad_tokenizer("the numbers of its tokens have gaps", f"{size} tokens, the last is {max(by_id)}")
    table = TokenTable.padded(size)
    for token, text in by_id.items():
        if token >= base and text not in special_texts:
            kind = TokenType.USER_DEFINED
        elif _BYTE.fullmatch(text) and token < base:
            kind = TokenType.BYTE
        else:
            kind = TokenType.CONTROL if token in special else TokenType.NORMAL
        if text in keep_visible:
            kind = TokenType.USER_DEFINED
        table.put(token, text, kind, ADDED_SCORE)
    return table


def score_by_merges(table: TokenTable, tokenizer: RustTokenizer) -> None:
    """Give each token that merges make the score of the first of them: the earlier, the better.

    llama.cpp's SentencePiece joins the pair with the best score first. Its converter gives every token the same score,
    and the engine then cuts words otherwise than the model learnt them.
    """
    scores: dict[str, float] = {}
    for rank, (first, second) in enumerate(tokenizer.parsed.merge_pairs()):
        scores.setdefault(first + second, float(-rank))
    for token, text in enumerate(table.texts):
        if table.types[token] == TokenType.NORMAL:
            table.scores[token] = scores.get(text, ADDED_SCORE)


def is_sentencepiece_bpe(parsed: Any) -> bool:
    """Whether a tokenizer.json is BPE over plain UTF-8 with single bytes for the rest, as made from SentencePiece."""
    return (
        parsed.kind() == "BPE" and bool(parsed.model.byte_fallback) and parsed.part("decoder").get("type") == "Sequence"
    )
