"""Mistral's own tekken.json, of models that come without a tokenizer.json.

Follows `MistralVocab` in llama.cpp's `gguf-py/gguf/vocab.py`: the special tokens come first, and the merges are worked
out from the ranks.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

import msgspec

from snug.convert.tokenizers.errors import bad_tokenizer
from snug.convert.tokenizers.tokenizer_files import TokenizerFiles
from snug.convert.tokenizers.vocabulary import MOST_TOKENS, Entries, TokenTable, TokenType

_LONGEST_WORD = 512


class _Entry(msgspec.Struct):
    rank: int
    token_bytes: str


class _Special(msgspec.Struct):
    rank: int
    token_str: str


class _Settings(msgspec.Struct):
    default_vocab_size: int
    default_num_special_tokens: int


class _File(msgspec.Struct):
    config: _Settings
    vocab: list[_Entry]
    special_tokens: list[_Special] | None = None


_OLD_SPECIALS = (
    "<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]",
    "[/TOOL_RESULTS]", "[TOOL_CALLS]", "[IMG]", "<pad>", "[IMG_BREAK]", "[IMG_END]", "[PREFIX]", "[MIDDLE]",
    "[SUFFIX]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]", "[TOOL_CONTENT]",
)  # fmt: skip
"""The special tokens of the versions whose tekken.json does not list them."""


@dataclass(frozen=True, slots=True)
class Tekken:
    """The words by rank as bytes, and the special tokens by id."""

    words: tuple[bytes, ...]
    specials: tuple[str, ...]


def read_tekken(files: TokenizerFiles) -> Tekken:
    try:
        parsed = msgspec.json.decode(files.raw("tekken.json"), type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise bad_tokenizer("tekken.json is damaged", str(error)[:200]) from error
    specials = parsed.config.default_num_special_tokens
    count = parsed.config.default_vocab_size - specials
    if not 0 <= specials <= 100_000 or not 256 <= count <= min(MOST_TOKENS, len(parsed.vocab)):
        raise bad_tokenizer("it claims an impossible number of tokens", f"{count} of {len(parsed.vocab)}, {specials}")
    words = []
    for rank, entry in enumerate(parsed.vocab[:count]):
        try:
            word = base64.b64decode(entry.token_bytes, validate=True)
        except (binascii.Error, ValueError) as error:
            raise bad_tokenizer("one of its tokens is damaged", entry.token_bytes[:40]) from error
        if entry.rank != rank or not 1 <= len(word) <= _LONGEST_WORD or (rank < 256 and len(word) != 1):
            raise bad_tokenizer("its tokens are out of order", f"rank {entry.rank} at place {rank}")
        words.append(word)
    if len(set(words)) != len(words):
        raise bad_tokenizer("one of its tokens is named twice")
    return Tekken(tuple(words), _specials(parsed, specials))


def _specials(parsed: _File, count: int) -> tuple[str, ...]:
    names = [f"<SPECIAL_{number}>" for number in range(count)]
    known = parsed.special_tokens
    for rank, text in enumerate(_OLD_SPECIALS) if known is None else ((item.rank, item.token_str) for item in known):
        if not 0 <= rank < count:
            raise bad_tokenizer("one of its tokens has an impossible number", f"{rank}")
        names[rank] = text
    return tuple(names)


def put_tekken(tekken: Tekken, entries: Entries) -> TokenTable:
    """Write the vocabulary with its special ids: a text begins with "<s>" and nothing ends it."""
    letters = byte_letters()
    shift = len(tekken.specials)
    table = TokenTable.padded(shift + len(tekken.words))
    for token, text in enumerate(tekken.specials):
        table.put(token, text, TokenType.CONTROL)
    for rank, word in enumerate(tekken.words):
        table.put(shift + rank, _as_letters(word, letters), TokenType.NORMAL)
    entries.put("tokenizer.ggml.model", "str", "gpt2")
    entries.put("tokenizer.ggml.pre", "str", "tekken")
    entries.put_merges([f"{_as_letters(a, letters)} {_as_letters(b, letters)}" for a, b in tekken_merges(tekken.words)])
    for kind, text in (("bos", "<s>"), ("eos", "</s>"), ("unknown", "<unk>"), ("padding", "<pad>")):
        if text in tekken.specials:
            entries.put(f"tokenizer.ggml.{kind}_token_id", "u32", tekken.specials.index(text))
    entries.put_tokens(table, with_scores=True)
    entries.put("tokenizer.ggml.add_bos_token", "bool", True)
    entries.put("tokenizer.ggml.add_eos_token", "bool", False)
    return table


def tekken_merges(words: tuple[bytes, ...]) -> list[tuple[bytes, bytes]]:
    """Every pair of words that makes another, in the order of the words that they make."""
    ranks = {word: rank for rank, word in enumerate(words)}
    merges = []
    for word in words[256:]:
        pairs = [(word[:at], word[at:]) for at in range(1, len(word)) if word[:at] in ranks and word[at:] in ranks]
        if not pairs:
            raise bad_tokenizer("one of its tokens cannot be made from others", repr(word[:40]))
        merges += sorted(pairs, key=lambda pair: (ranks[pair[0]], ranks[pair[1]]))
    return merges


def byte_letters() -> list[str]:
    """The letter for each byte in GPT-2's writing: printable ones stand for themselves, others from U+0100 on."""
    plain = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]


def _as_letters(word: bytes, letters: list[str]) -> str:
    return "".join(letters[byte] for byte in word)
