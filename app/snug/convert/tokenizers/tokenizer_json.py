"""tokenizer.json, checked: known fields of the right types only, within limits."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import msgspec

from snug.convert.tokenizers.errors import bad_tokenizer
from snug.convert.tokenizers.vocabulary import MOST_MERGES, MOST_TOKENS

MOST_PART_BYTES = 8 * 1024 * 1024
MOST_ADDED_TOKENS = 200_000
DEEPEST_PART = 32


class AddedTokenJson(msgspec.Struct):
    """One entry of `added_tokens`."""

    id: int
    content: str
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = True
    special: bool = False


class ModelJson(msgspec.Struct, omit_defaults=True):
    """The `model` part. `vocab` is an object of ids by text (BPE, WordPiece) or of texts with scores (Unigram)."""

    vocab: dict[str, int] | list[tuple[str, float]]
    type: str = ""
    merges: list[str | tuple[str, str]] | None = None
    dropout: float | None = None
    unk_token: str | None = None
    unk_id: int | None = None
    continuing_subword_prefix: str | None = None
    end_of_word_suffix: str | None = None
    fuse_unk: bool | None = None
    byte_fallback: bool | None = None
    ignore_merges: bool | None = None
    max_input_chars_per_word: int | None = None


class TokenizerJson(msgspec.Struct):
    """The whole file. What has many shapes stays raw until `part` reads it."""

    model: ModelJson
    version: str = "1.0"
    added_tokens: list[AddedTokenJson] = []
    normalizer: msgspec.Raw = msgspec.Raw(b"null")
    pre_tokenizer: msgspec.Raw = msgspec.Raw(b"null")
    post_processor: msgspec.Raw = msgspec.Raw(b"null")
    decoder: msgspec.Raw = msgspec.Raw(b"null")

    def part(self, name: str) -> dict[str, Any]:
        """The object `normalizer`, `pre_tokenizer`, `post_processor` or `decoder`; an empty one for null."""
        raw = bytes(getattr(self, name))
        if len(raw) > MOST_PART_BYTES:
            raise bad_tokenizer(f"its part {name} is impossibly large", f"{len(raw)} bytes")
        try:
            value = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise bad_tokenizer(f"its part {name} is damaged", str(error)[:200]) from error
        if value is None:
            return {}
        if not isinstance(value, dict) or _depth(value) > DEEPEST_PART:
            raise bad_tokenizer(f"its part {name} is damaged", f"a {type(value).__name__}")
        return value

    def kind(self) -> str:
        """The kind of model: "BPE", "Unigram", "WordPiece" or "WordLevel"; old files leave it out."""
        if self.model.type:
            return self.model.type
        if isinstance(self.model.vocab, list):
            return "Unigram"
        return "BPE" if self.model.merges is not None else "WordPiece"

    def merge_pairs(self) -> list[tuple[str, str]]:
        """The merges, first to last, as pairs."""
        pairs = []
        for merge in self.model.merges or ():
            if isinstance(merge, str):
                first, _, second = merge.partition(" ")
                pairs.append((first, second))
            else:
                pairs.append(merge)
        return pairs


class _RawModel(msgspec.Struct):
    vocab: msgspec.Raw


class _RawFile(msgspec.Struct):
    model: _RawModel


def parse_tokenizer(raw: bytes) -> TokenizerJson:
    """tokenizer.json from its bytes. Raises UserError where it is damaged, contradicts itself or is beyond limits."""
    try:
        parsed = msgspec.json.decode(raw, type=TokenizerJson)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise bad_tokenizer("tokenizer.json is damaged", str(error)[:200]) from error
    _check_vocabulary(parsed, raw)
    _check_merges(parsed)
    _check_added(parsed)
    for name in ("normalizer", "pre_tokenizer", "post_processor", "decoder"):
        parsed.part(name)
    return parsed


def _check_vocabulary(parsed: TokenizerJson, raw: bytes) -> None:
    vocab = parsed.model.vocab
    if not 1 <= len(vocab) <= MOST_TOKENS:
        raise bad_tokenizer("it claims an impossible number of tokens", f"{len(vocab)} tokens")
    if isinstance(vocab, list):
        return
    ids = set(vocab.values())
    if len(ids) != len(vocab):
        raise bad_tokenizer("two of its tokens have the same number", f"{len(vocab)} tokens, {len(ids)} numbers")
    if min(ids) < 0 or max(ids) >= MOST_TOKENS:
        raise bad_tokenizer("one of its tokens has an impossible number", f"{min(ids)} to {max(ids)}")
    _check_repeated(raw, len(vocab))


def _check_repeated(raw: bytes, count: int) -> None:
    """Raises UserError where the vocabulary names a token twice: the parser keeps only the last of them."""
    possible = raw.count(b'":')
    if possible > 2 * MOST_TOKENS:
        raise bad_tokenizer("it claims an impossible number of tokens", f"{possible} names")

    text = bytes(msgspec.json.decode(raw, type=_RawFile).model.vocab)
    if text.count(b":") - count <= 0:
        return
    pairs = json.loads(text, object_pairs_hook=lambda found: found)
    if len(pairs) != count:
        (twice, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise bad_tokenizer("one of its tokens is named twice", repr(twice)[:80])


def _check_merges(parsed: TokenizerJson) -> None:
    if len(parsed.model.merges or ()) > MOST_MERGES:
        raise bad_tokenizer("it claims an impossible number of merges", f"{len(parsed.model.merges or ())} merges")
    vocab = parsed.model.vocab
    if not isinstance(vocab, dict) or parsed.kind() != "BPE":
        return
    prefix = len(parsed.model.continuing_subword_prefix or "")
    for number, (first, second) in enumerate(parsed.merge_pairs()):
        if not first or not second or first not in vocab or second not in vocab or first + second[prefix:] not in vocab:
            raise bad_tokenizer(
                "one of its merges makes a token that it does not have",
                f"merge {number}: {first[:40]!r} and {second[:40]!r}",
            )


def _check_added(parsed: TokenizerJson) -> None:
    if len(parsed.added_tokens) > MOST_ADDED_TOKENS:
        raise bad_tokenizer("it claims an impossible number of added tokens", str(len(parsed.added_tokens)))
    seen: dict[int, str] = {}
    for token in parsed.added_tokens:
        if not 0 <= token.id < MOST_TOKENS:
            raise bad_tokenizer("one of its tokens has an impossible number", str(token.id)[:40])
        if seen.setdefault(token.id, token.content) != token.content:
            raise bad_tokenizer("two of its tokens have the same number", f"token {token.id}")


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level:
        deepest += 1
        level = [
            child
            for item in level
            for child in (item.values() if isinstance(item, dict) else item)
            if isinstance(child, (dict, list))
        ]
    return deepest
