"""The checkpoint's own tokenizer, as the library of its makers runs it: what a converted vocabulary is held against."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from snug.convert.tokenizers.rust_tokenizer import RustTokenizer, guarded, load_rust_tokenizer
from snug.convert.tokenizers.sentencepiece_model import parse_sentencepiece
from snug.convert.tokenizers.slow_files import read_fast
from snug.convert.tokenizers.tokenizer_files import TokenizerFiles
from snug.convert.tokenizers.vocabulary import TokenType


class OwnTokenizer(Protocol):
    """Text to ids by the checkpoint's own files. Raises UserError where they are damaged."""

    def encode(self, text: str) -> list[int]:
        """The ids of plain text, nothing added around it."""

    def encode_whole(self, text: str) -> list[int] | None:
        """The ids of text with special tokens in it, None where such text is not defined by the files alone."""

    def specials(self) -> dict[int, str]:
        """The texts of the special and added tokens by id, but those that swallow white space or want whole words."""

    @property
    def is_followed_exactly(self) -> bool:
        """Whether llama.cpp means to cut every text as this kind does; its WordPiece and unigram are near only."""


class _ByRust:
    def __init__(self, tokenizer: RustTokenizer) -> None:
        self._tokenizer = tokenizer
        joins = tokenizer.parsed.model.byte_fallback or tokenizer.parsed.kind() != "BPE"
        self._is_exact = not joins

    @property
    def is_followed_exactly(self) -> bool:
        return self._tokenizer.parsed.kind() == "BPE"

    def encode(self, text: str) -> list[int]:
        return self._tokenizer.encode(text)

    def encode_whole(self, text: str) -> list[int] | None:
        return self._tokenizer.encode(text) if self._is_exact else None

    def specials(self) -> dict[int, str]:
        return {
            number: token.content
            for number, token in self._tokenizer.added().items()
            if not (token.lstrip or token.rstrip or token.single_word)
        }


_NO_DUMMY_PREFIX = b"\x1a\x02\x18\x00"
"""`normalizer_spec { add_dummy_prefix: false }`: what stands later in a protocol buffer replaces what stood before."""


class _BySentencePiece:
    """tokenizer.model run by the sentencepiece library, after Snug's own reader found nothing wrong with it."""

    def __init__(self, files: TokenizerFiles, name: str) -> None:
        from sentencepiece import SentencePieceProcessor

        raw = files.raw(name)
        pieces = parse_sentencepiece(raw).pieces
        if files.object("tokenizer_config.json").get("add_prefix_space") is False:
            raw += _NO_DUMMY_PREFIX
        self._processor = guarded(lambda: SentencePieceProcessor(model_proto=raw), f"{name} is damaged")
        special = (TokenType.CONTROL, TokenType.USER_DEFINED)
        self._specials = {number: piece.text for number, piece in enumerate(pieces) if piece.kind in special}

    is_followed_exactly = True

    def encode(self, text: str) -> list[int]:
        return list(guarded(lambda: self._processor.encode(text), "it refuses plain text"))

    def encode_whole(self, text: str) -> list[int] | None:
        return None

    def specials(self) -> dict[int, str]:
        return self._specials


def own_tokenizer(files: Mapping[str, Path]) -> OwnTokenizer | None:
    """The tokenizer of these files; None where no library runs it as it is (tekken.json, shifted pieces)."""
    known = TokenizerFiles(files)
    if "tokenizer.json" in known or "vocab.json" in known or "vocab.txt" in known:
        return _ByRust(load_rust_tokenizer(known, read_fast(known)))
    if "tokenizer.model" in known:
        return _BySentencePiece(known, "tokenizer.model")
    return None
