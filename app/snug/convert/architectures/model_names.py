"""A model's id taken apart: organisation, base name, size, fine-tune, version.

As llama.cpp's converter does it (gguf-py/gguf/metadata.py), so that a file is called the same whoever made it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_VERSION = re.compile(r"(v|iter)?\d+([.]\d+)*", re.IGNORECASE)
_TYPE = re.compile(r"i?q\d(_\w)*|b?fp?(16|32)", re.IGNORECASE)
_SIZE = re.compile(r"(([A]|\d+[x])?\d+([._]\d+)?[KMBT][\d]?|small|mini|medium|large|x?xl)", re.IGNORECASE)
_TUNE = re.compile(r"chat|instruct|vision|lora", re.IGNORECASE)
_KEEPS_CASE = re.compile(r"^(v\d+(?:\.\d+)*|\d.*)$")
MOST_NAME = 512


@dataclass(slots=True)
class NameParts:
    """What a model's id says of it; None where it says nothing."""

    name: str
    organization: str | None = None
    basename: str | None = None
    finetune: str | None = None
    version: str | None = None
    size_label: str | None = None


def title(name: str) -> str:
    """The id's words with capitals, versions as they are."""
    words = name.strip().replace("-", " ").split()
    return " ".join(word.title() if word.islower() and not _KEEPS_CASE.match(word) else word for word in words)


def name_parts(model_id: str, parameters: int) -> NameParts:
    """The parts of "organisation/Name-7B-Instruct-v0.2"; `parameters` tells a size from a length of context."""
    model_id = model_id[:MOST_NAME]
    if " " in model_id:
        return NameParts(model_id)
    organization, slash, full = model_id.partition("/")
    if not slash:
        organization, full = "", model_id
    if organization.startswith("."):
        organization = ""
    words = [word for word in full.split("-") if word]
    kinds = [_kinds(index, words, parameters) for index in range(len(words))]
    numbered = any(char.isdecimal() for word, kind in zip(words, kinds, strict=True) if "size" in kind for char in word)
    for word, kind in zip(words, kinds, strict=True):
        if numbered and "size" in kind and word.isalpha():
            kind.discard("size")
    _mark_base(words, kinds)

    def joined(wanted: str, *, without: str = "") -> str | None:
        chosen = [word for word, kind in zip(words, kinds, strict=True) if wanted in kind and without not in kind]
        return "-".join(dict.fromkeys(chosen) if wanted == "size" else chosen) or None

    parts = NameParts(full, organization or None, joined("base"), joined("tune"), joined("version", without="base"),
                      joined("size"))  # fmt: skip
    if parts.size_label is None and parts.finetune is None and parts.version is None:
        parts.basename = None  # the whole name: too little to tell its parts
    return parts


def _kinds(index: int, words: list[str], parameters: int) -> set[str]:
    """What word `index` may be; sizes are written the usual way in `words`."""
    word = words[index]
    if _VERSION.fullmatch(word):
        return {"version"}
    if _TYPE.fullmatch(word):
        words[index] = word.upper()
        return {"type"}
    if index and _SIZE.fullmatch(word):
        word = word.replace("_", ".")
        if word[-1].isdecimal():  # 7b1 is 7.1B
            word = word[:-2] + "." + word[-1] + word[-2]
        if len(word) > 1 and word[-2].isdecimal() and word[-1] in "kmbt":
            word = word[:-1] + word[-1].upper()
        kind = "size"
        stated = _stated_size(word)
        if parameters and stated is not None and abs(stated - parameters) > 7 * parameters // 8:
            kind, word = "tune", word[:-1] + word[-1].lower()  # a length of context, most likely
        words[index] = word
        return {kind}
    return {"tune"} if index and _TUNE.fullmatch(word) else set()


def _stated_size(word: str) -> float | None:
    try:
        return float(word[:-1]) * 1000.0 ** " KMBT".find(word[-1])
    except (ValueError, OverflowError):
        return None


def _mark_base(words: list[str], kinds: list[set[str]]) -> None:
    """The words at the start are the base name, those left over at the end a fine-tune's."""
    is_start = True
    for word, kind in zip(words, kinds, strict=True):
        if is_start and ((not kind and word[0].isalpha()) or "version" in kind):
            kind.add("base")
        else:
            is_start = False
            if not kind:
                kind.add("tune")
    for kind in reversed(kinds):
        if "base" not in kind or len(kind) == 1:
            break
        kind.discard("base")
