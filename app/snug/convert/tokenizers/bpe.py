"""Vocabularies of byte-pair encoding as GPT-2 does it, and of its kin that keep plain UTF-8."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from snug.convert.tokenizers.errors import bad_tokenizer
from snug.convert.tokenizers.pre_tokenizers import identify
from snug.convert.tokenizers.rust_tokenizer import RustTokenizer
from snug.convert.tokenizers.tokenizer_json import TokenizerJson
from snug.convert.tokenizers.vocabulary import MOST_TOKENS, Entries, TokenTable, TokenType

_LOOKS_SPECIAL = frozenset({"<pad>", "<mask>", "<2mass>", "[@BOS@]"})
_BRACKETS = (("<|", "|>"), ("<\uff5c", "\uff5c>"), ("<unused", ">"))
SPACE = "▁"


def looks_special(text: str) -> bool:
    """Whether a token that is not marked so is one for control, by its text, as llama.cpp's converter judges."""
    return text in _LOOKS_SPECIAL or any(text.startswith(left) and text.endswith(right) for left, right in _BRACKETS)


def config_vocab_size(config: Mapping[str, Any], keys: tuple[str, ...] = ("vocab_size",)) -> int | None:
    """The number of tokens that the model has room for; the text part of a config counts first."""
    inner = config.get("text_config")
    merged = {**config, **inner} if isinstance(inner, Mapping) else config
    for key in keys:
        value = merged.get(key)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_TOKENS:
            raise bad_tokenizer("its config names an impossible number of tokens", f"{key} {value!r}"[:80])
        return value
    return None


def base_table(tokenizer: RustTokenizer, size: int | None, entries: Entries) -> TokenTable:
    """All tokens of a fast tokenizer with their types, padded to `size`.

    Added tokens beyond `size`, which the model has no row for, are left out and told among the details.
    """
    vocab = tokenizer.vocab()
    by_id = {token: text for text, token in vocab.items()}
    added = tokenizer.added()
    by_id.update({token: value.content for token, value in added.items()})
    table = TokenTable.padded(size or max(by_id) + 1)
    beyond = [token for token in by_id if token >= len(table)]
    if any(token not in added for token in beyond):
        raise bad_tokenizer("it has more tokens than the model", f"{max(by_id) + 1} tokens, the model has {len(table)}")
    if beyond:
        entries.detail(f"{len(beyond)} added tokens for which the model has no room are left out.")
    for token, text in by_id.items():
        if token >= len(table):
            continue
        if token in added:
            text, kind = _added_text(tokenizer, text, added[token])
        else:
            kind = TokenType.NORMAL
        table.put(token, text, kind)
    return table


def _added_text(tokenizer: RustTokenizer, text: str, token: Any) -> tuple[str, TokenType]:
    """llama.cpp looks for added tokens in the text as it is: they are written as they come out again."""
    if not token.normalized:
        text = tokenizer.decode(tokenizer.encode(text))
    if token.special or looks_special(text):
        return text, TokenType.CONTROL
    return text.replace(SPACE, " "), TokenType.USER_DEFINED


def merge_texts(parsed: TokenizerJson) -> list[str]:
    """The merges as GGUF writes them: two texts with a space between; a space within one is written as "Ġ"."""
    return [f"{first.replace(' ', 'Ġ')} {second.replace(' ', 'Ġ')}" for first, second in parsed.merge_pairs()]


def put_bpe(tokenizer: RustTokenizer, size: int | None, entries: Entries) -> str:
    """Write the vocabulary; the name of its pre-tokenizer."""
    if tokenizer.parsed.kind() != "BPE":
        raise bad_tokenizer("it is of a kind that this architecture never has", tokenizer.parsed.kind()[:80])
    table = base_table(tokenizer, size, entries)
    found = identify(tokenizer)
    if found.note:
        entries.note(found.note)
    if found.detail:
        entries.detail(found.detail)
    entries.put("tokenizer.ggml.model", "str", "gpt2")
    entries.put("tokenizer.ggml.pre", "str", found.name)
    entries.put_tokens(table, with_scores=False)
    entries.put_merges(merge_texts(tokenizer.parsed))
    return found.name
