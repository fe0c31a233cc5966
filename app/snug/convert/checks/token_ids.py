"""Whether the new file cuts text into the same tokens as the checkpoint's own tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from snug.convert.checks.report import Check
from snug.convert.tokenizers.bpe import SPACE
from snug.convert.tokenizers.own_tokenizer import OwnTokenizer, own_tokenizer
from snug.convert.tokenizers.pre_tokenizers import CHECK_TEXT, MORE_TEXT
from snug.engine.bare_vocabulary import BareVocabulary

NAME = "tokens"
MOST_SPECIALS = 300

PROBES: tuple[str, ...] = (
    "The quick brown fox jumps over the lazy dog; it wasn't amused, and we'll see why in 2031.",
    "def area(radius: float) -> float:\n    # πr²\n\treturn round(3.14 * radius ** 2, 4)\n\n\nprint(area(2))\n",
    '{"name": "Zoë", "sizes": [1, 22, 333, 4444], "path": "C:\\\\Users\\\\zoë", "url": "https://example.org/?q=a%20b"}\n',
    "Grüße aus Köln! Où est l'été? ¿Qué tal, mañana? Zażółć gęślą jaźń. Příliš žluťoučký kůň.",
    "Съешь ещё этих мягких французских булок. Ἡ γρήγορη αλεπού. გამარჯობა მსოფლიო",
    "我能吞下玻璃而不伤身体。今天是2031年3月14日。 私はガラスを食べられます。 나는 유리를 먹을 수 있어요.",
    "أنا قادر على أكل الزجاج ولا يؤلمني. אני יכול לאכול זכוכית. मैं काँच खा सकता हूँ। ฉันกินกระจกได้",
    "Emoji: 🙂 👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇳🇴 ✅ and symbols ≤ ∑ √ → € £ ½ №",
    "  two spaces before,\ttabs,\n\n\nempty lines,\r\nanother line end,   and spaces after   ",
    CHECK_TEXT,
    MORE_TEXT,
)
"""Texts in several scripts, with code, emoji and white space of all kinds."""
LATIN = 4
"""The first so many are in Latin script."""

Encode = Callable[[str], list[int]]


def check_token_ids(files: Mapping[str, Path], result: Path) -> Check:
    """Compare with the tokenizer in `files`. Raises UserError where the engine refuses the result."""
    own = own_tokenizer(files)
    if own is None:
        return _not_done(
            "This model's own tokenizer cannot be run beside the new file, so its tokens were not compared."
        )
    with BareVocabulary(result) as engine:
        wrong = _plain(own.encode, engine, PROBES)
        if wrong and not own.is_followed_exactly and not _plain(own.encode, engine, PROBES[:LATIN]):
            words = (
                "The new file cuts Latin script into the same tokens as the original; some other scripts and white "
                "space the engine itself cuts otherwise."
            )
            return Check(NAME, True, words, "\n".join(wrong[:12]))
        if not wrong:
            wrong = _specials(own, engine)
        return _check(wrong, len(PROBES))


def check_same_file_tokens(source: Path, result: Path) -> Check:
    """The same for a GGUF that was made from another GGUF."""
    with BareVocabulary(source) as before, BareVocabulary(result) as engine:
        wrong = _plain(before.tokenize, engine, PROBES)
        if before.size != engine.size or before.special_ids() != engine.special_ids():
            wrong.append(f"{before.size} tokens, {before.special_ids()} became {engine.size}, {engine.special_ids()}")
        return _check(wrong, len(PROBES))


def _plain(own: Encode, engine: BareVocabulary, texts: Iterable[str]) -> list[str]:
    """Where plain texts are cut otherwise, in words for the details."""
    wrong = []
    for text in texts:
        before, after = own(text), engine.tokenize(text)
        if before != after:
            wrong.append(f"{text[:40]!r}: {_first_difference(before, after, engine)}")
    return wrong


def _specials(own: OwnTokenizer, engine: BareVocabulary) -> list[str]:
    """Special tokens that the engine does not find at their ids, alone and amid text."""
    wrong = []
    known = [
        (token, text)
        for token, text in own.specials().items()
        if token < engine.size and text.strip() and not _has_spaces(text, engine.text_of(token))
    ]
    for token, text in known[:MOST_SPECIALS]:
        after = engine.tokenize(text, with_special=True)
        if after != [token] and after[-1:] != [token]:
            wrong.append(f"{text!r}: token {token} became {after[:8]}")
    joined = "One ".join(["", *(text for _, text in known[:40]), ""]) + "\nend"
    before = own.encode_whole(joined)
    if before is not None and not wrong and before != (after := engine.tokenize(joined, with_special=True)):
        wrong.append(f"special tokens amid text: {_first_difference(before, after, engine)}")
    return wrong


def _has_spaces(text: str, written: str) -> bool:
    """Whether a token's "▁" were written as the spaces that they stand for: in a text it is then met otherwise."""
    return SPACE in text and written == text.replace(SPACE, " ")


def _first_difference(before: Sequence[int], after: Sequence[int], engine: BareVocabulary) -> str:
    at = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(before), len(after)))
    shown = [[f"{token} {engine.text_of(token)!r}" for token in ids[at : at + 3]] for ids in (before, after)]
    was, is_now = (", ".join(words) for words in shown)
    return f"{len(before)} tokens, now {len(after)}; from token {at} on {was} became {is_now}"


def _check(wrong: list[str], count: int) -> Check:
    if not wrong:
        return Check(NAME, True, "It reads text in the same pieces as the original, in every script tried.")
    return Check(
        NAME,
        False,
        f"The new file cuts some text into other tokens than the original ({len(wrong)} of {count} probes): "
        "answers may be worse. Please report this model.",
        "\n".join(wrong[:12]),
    )


def _not_done(words: str) -> Check:
    return Check(NAME, True, words, is_done=False)
