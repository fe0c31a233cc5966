"""Which pre-tokenizer of llama.cpp cuts text as the checkpoint's own one does.

First by the hash of a fixed text's token ids, as llama.cpp's converter does; a tokenizer that it does not know is
recognised by how it cuts that text and more of the kind, compared with each pattern that llama.cpp has.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from tokenizers import Regex, pre_tokenizers

from snug.convert.tokenizers.known_hashes import NAME_BY_HASH
from snug.convert.tokenizers.rust_tokenizer import RustTokenizer, guarded

CHECK_TEXT = (
    "\n \n\n \n\n\n \t \t\t \t\n  \n   \n    \n     \n🚀 (normal) 😶\u200d🌫️ (multiple emojis concatenated) ✅ 🦙🦙"
    " 3 33 333 3333 33333 333333 3333333 33333333 3.3 3..3 3...3 កាន់តែពិសេសអាច😁 ?我想在apple工作1314151天\uff5e"
    " ------======= нещо на Български ''''''```````\"\"\"\"......!!!!!!?????? I've been 'told he's there, 'RE you sure?"
    " 'M not sure I'll make it, 'D you like some tea? We'Ve a'lL"
)
"""The text whose token ids llama.cpp's converter hashes: it must be exactly this one."""

MORE_TEXT = (
    " HelloWorld helloWORLD's iPhone15 XMLHttpRequest naïve İstanbul'un ǅ straße ΑΒΓαβγ مرحبا १२३ ٣٤٥६"
    " 你好\uff0c世界。3月14日 ひらがなカタカナ漢字 한국어입니다 हिन्दी ภาษาไทย123"
    " x=1+2/3*4;//a\r\n\r\n\t\tif(a&&b){return~c^d|e;}  $5.00+€7 @name #tag"
    " (a|b) https://example.org/a?b=c&d=%20 a  b   c    d\n\n\n e\t f \u00a0g 1,234,567.89 12345678901 don't DON'T"
    " 'tis rock'n'roll …dots。、\uff01 `code` <tag/> [x]{y} \\n /* c */ --flag=1 _under_score_ a/b/c\n/d end  "
)

_CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_ENDING = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_LLAMA3 = _CONTRACTION + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}" + _ENDING
_QWEN2 = _CONTRACTION + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + _ENDING
_QWEN35 = (
    _CONTRACTION + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_LEAD = r"[^\r\n\p{L}\p{N}]?"
_SLASHED = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_TEKKEN = f"{_LEAD}{_UPPER}*{_LOWER}+|{_LEAD}{_UPPER}+{_LOWER}*" + r"|\p{N}" + _SLASHED
_GPT4O = (
    f"{_LEAD}{_UPPER}*{_LOWER}+{_CONTRACTION}?|{_LEAD}{_UPPER}+{_LOWER}*{_CONTRACTION}?" + r"|\p{N}{1,3}" + _SLASHED
)
_MARKS = r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"
_DEEPSEEK3 = _MARKS + r"|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_JAIS_SPACES = "".join(rf"|\s{{{count}}}(?!\S)" for count in (512, 256, 128, 64, 32, 16, 8, 4, "1,2")) + r"|\s{1}"
_BLOOM = " ?[^(\\s|[.,!?…。\uff0c、।\u06d4،])]+"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One way of cutting text: the regular expressions one after the other. `ignores_merges` says that llama.cpp takes
    a whole word that is a token without asking the merges."""

    name: str
    regexes: tuple[str, ...]
    ignores_merges: bool = False


PATTERNS: tuple[Pattern, ...] = (
    Pattern("llama-bpe", (_LLAMA3,), True),
    Pattern("smaug-bpe", (_LLAMA3,)),
    Pattern("qwen2", (_QWEN2,)),
    Pattern("qwen35", (_QWEN35,)),
    Pattern("gpt-2", (_GPT2,)),
    Pattern("starcoder", (r"\p{N}", _GPT2)),
    Pattern("falcon", (r"[\p{P}\$\+<=>\^~\|`]+", _GPT2, r"[0-9][0-9][0-9]")),
    Pattern("default", (r"[\p{P}\$\+<=>\^~\|]+", _GPT2, r"\p{N}+", r"[0-9][0-9][0-9]")),
    Pattern("tekken", (_TEKKEN,), True),
    Pattern("gpt-4o", (_GPT4O,)),
    Pattern("deepseek-v3", (r"\p{N}{1,3}", "[一-龥\u3040-ゟ\u30a0-ヿ]+", _DEEPSEEK3)),
    Pattern("deepseek-coder", (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+", r"\p{N}")),
    Pattern("bloom", (_BLOOM,)),
    Pattern("viking", (_BLOOM, r"\p{N}")),
    Pattern("tiny_aya", (r"\d{1,3}(?=(?:\d{3})*\b)", _GPT4O)),
    Pattern("superbpe", (r"\p{N}+", r"(?=(\d{3})+(?!\d))")),
    Pattern(
        "bailingmoe",
        (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+",),
    ),
    Pattern(
        "seed-coder",
        (_CONTRACTION + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+",),
    ),
    Pattern("ufakzeka", (r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}" + _ENDING,)),
    Pattern("laguna", (r"[^\n]+|[\n]+", _QWEN2)),
    Pattern(
        "exaone-moe",
        (
            _CONTRACTION
            + r"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}"
            + r"| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+",
        ),
    ),
    Pattern(
        "deepseek-llm",
        (
            r"[\r\n]",
            r"\s?[\p{Lu}\p{Ll}\p{Lt}]+",
            "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+",
            r"\s+$",
            "[一-龥ࠀ-一가-퟿]+",
            r"\p{N}+",
        ),
    ),
    Pattern("jais-2", (_LLAMA3.removesuffix(r"|\s+(?!\S)|\s+") + _JAIS_SPACES,)),
    Pattern(
        "spark2_5",
        (
            r"\p{N}{1,3}",
            "[一-龥\u3040-ゟ\u30a0-ヿ]+",
            _MARKS + r"|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+",
            r"\p{N}",
        ),
    ),
    Pattern("granite-embed-multi-97m", (_GPT4O.replace("\\p{L}\\p{N}]?", "\\p{L}\\p{M}\\p{N}]?"),), True),
    Pattern("minicpm5", (r"\p{N}{1,3}", _CONTRACTION + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+" + _ENDING), True),
)
"""The ways in which llama.cpp cuts text before BPE by regular expressions (`llm_tokenizer_bpe` in its
`llama-vocab.cpp`), most usual first; afmoe, chameleon, kimi-k2 and youtu are known by their hashes alone. Names that
stand for the same cuts (olmo, stablelm2, smollm …) have the name of the best-known one."""

WHOLE_LINES = "gemma4"
"""BPE on plain UTF-8 with "▁" for a space, as SentencePiece does it: llama.cpp cuts at line ends only."""


@dataclass(frozen=True, slots=True)
class Identified:
    """llama.cpp's name for a pre-tokenizer; `detail` says how it was found where it was not known by its hash.

    `note` warns the person where only a similar one was found.
    """

    name: str
    detail: str = ""
    note: str = ""


def identify(tokenizer: RustTokenizer) -> Identified:
    """The pre-tokenizer of a BPE tokenizer or, for WordPiece, the one known by its hash."""
    ids = tokenizer.encode(CHECK_TEXT, with_special=True)
    known = NAME_BY_HASH.get(hashlib.sha256(str(ids).encode()).hexdigest())
    if known is not None:
        return Identified(known)
    if tokenizer.parsed.kind() != "BPE":
        return Identified("default")
    if tokenizer.parsed.model.byte_fallback and not _encodes_bytes(tokenizer):
        return Identified(WHOLE_LINES, _FOUND.format(how="joins the pieces of words as SentencePiece does"))
    return _by_cuts(tokenizer)


_FOUND = "It {how}, so it is read that way: its own name for how it cuts text is new to llama.cpp."
_UNLIKE = (
    "It cuts text into pieces in a way that is new to Snug. The nearest known way is used: some words may be read "
    "differently, and answers may be slightly worse."
)
_NEAREST = "It cuts text into pieces as no model that llama.cpp knows; the nearest way is that of {name}."


def _by_cuts(tokenizer: RustTokenizer) -> Identified:
    own = tokenizer.library.pre_tokenizer
    text = CHECK_TEXT + MORE_TEXT
    ignores = bool(tokenizer.parsed.model.ignore_merges)
    cuts = _cuts(own, text)
    scored = []
    for place, pattern in enumerate(PATTERNS):
        theirs = _cuts(_sequence(pattern), text)
        scored.append((len(cuts ^ theirs), pattern.ignores_merges != ignores, place, pattern.name))
    differences, _, _, name = min(scored)
    if differences:
        return Identified(name, _NEAREST.format(name=name), _UNLIKE)
    return Identified(name, _FOUND.format(how=f"cuts a trial text into the same pieces as {name}"))


def _sequence(pattern: Pattern) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(regex), behavior="isolated") for regex in pattern.regexes]
    )


def _cuts(pre_tokenizer: pre_tokenizers.PreTokenizer | None, text: str) -> set[int]:
    """The places in the text where it is cut."""
    if pre_tokenizer is None:
        return {0}
    pieces = guarded(lambda: pre_tokenizer.pre_tokenize_str(text), "its way of cutting text is damaged")
    return {start for _, (start, _) in pieces}


def _encodes_bytes(tokenizer: RustTokenizer) -> bool:
    """Whether it turns bytes into GPT-2's letters before the merges."""
    return '"ByteLevel"' in json.dumps([tokenizer.parsed.part("pre_tokenizer"), tokenizer.parsed.part("decoder")])
