"""A vocabulary as a GGUF holds it: every entry with its type, and what a token is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from snug.convert.plan import Meta
from snug.convert.tokenizers.errors import bad_tokenizer

MOST_TOKENS = 1_000_000
MOST_MERGES = 1_000_000
LONGEST_TOKEN_BYTES = 64 * 1024
ADDED_SCORE = -1000.0
PADDING_SCORE = -10000.0


class TokenType(IntEnum):
    """What a token is, with the numbers of `llama_token_type` in llama.cpp's `llama.h`."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a GGUF says of its tokenizer, chat template and generation defaults.

    `token_count` tokens, padding included; `pre_tokenizer` is the name that llama.cpp knows; `notes` are sentences
    that the person must read, `details` such as only experts ask for.
    """

    metadata: tuple[Meta, ...]
    token_count: int
    pre_tokenizer: str
    notes: tuple[str, ...] = ()
    details: tuple[str, ...] = ()

    def value(self, key: str) -> object:
        """The value at `key`, None where there is none."""
        return next((entry.value for entry in self.metadata if entry.key == key), None)


@dataclass(slots=True)
class TokenTable:
    """The tokens in the order of their ids, padded to `size` with unused ones."""

    texts: list[str]
    types: list[int]
    scores: list[float]

    @classmethod
    def padded(cls, size: int) -> TokenTable:
        if not 1 <= size <= MOST_TOKENS:
            raise bad_tokenizer("it claims an impossible number of tokens", str(size))
        return cls([f"[PAD{index}]" for index in range(size)], [int(TokenType.UNUSED)] * size, [PADDING_SCORE] * size)

    def __len__(self) -> int:
        return len(self.texts)

    def put(self, token: int, text: str, kind: TokenType, score: float = 0.0) -> None:
        self.texts[token] = text
        self.types[token] = int(kind)
        self.scores[token] = score


@dataclass(slots=True)
class Entries:
    """The metadata while they are gathered; a later value of a key replaces an earlier one in its place."""

    by_key: dict[str, Meta] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)

    def put(self, key: str, kind: str, value: object) -> None:
        self.by_key[key] = Meta(key, kind, value)

    def put_tokens(self, table: TokenTable, with_scores: bool) -> None:
        check_texts(table.texts, "a token")
        self.put("tokenizer.ggml.tokens", "[str", table.texts)
        if with_scores:
            self.put("tokenizer.ggml.scores", "[f32", table.scores)
        self.put("tokenizer.ggml.token_type", "[i32", table.types)

    def put_merges(self, merges: list[str]) -> None:
        check_texts(merges, "a merge")
        if merges:
            self.put("tokenizer.ggml.merges", "[str", merges)

    def note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)

    def detail(self, sentence: str) -> None:
        if sentence not in self.details:
            self.details.append(sentence)


def check_texts(texts: Iterable[str], what: str) -> None:
    """Raises UserError where a text cannot be written as UTF-8 or is longer than any real one."""
    for text in texts:
        try:
            length = len(text.encode("utf-8"))
        except UnicodeEncodeError as error:
            raise bad_tokenizer(f"{what} is no text", repr(text)[:80]) from error
        if length > LONGEST_TOKEN_BYTES:
            raise bad_tokenizer(f"{what} is impossibly long", f"{length} bytes")
