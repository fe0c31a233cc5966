"""Names on the disk: Snug's own, made from the repository's by an allow-list; theirs is only a label."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from pathlib import PurePosixPath

MOST_BYTES = 180
"""Of one name: 255 is the limit of most file systems, and a part file adds a suffix."""

_SUFFIX = re.compile(r"(-\d{5}-of-\d{5})?(\.gguf)?$", re.IGNORECASE)
_RESERVED = re.compile(r"(CON|PRN|AUX|NUL|CLOCK\$|COM[0-9¹²³]|LPT[0-9¹²³])(\..*)?", re.IGNORECASE)
_OURS = (".part", ".journal", ".lock", ".new")
_KEPT_CATEGORIES = ("L", "M", "N")
_KEPT_SIGNS = frozenset("._-+()[]@ ")


def folder_name(repo: str) -> str:
    """The folder of a repository: "OWNER--NAME"."""
    return _safe(repo.replace("/", "--"), repo)


def file_path(name: str) -> PurePosixPath:
    """The path of a repository's file below its folder; two different names never share one.

    The last part of a split set's name (-00001-of-00009.gguf) is kept, since the engine finds the others by it.
    """
    *folders, base = [part for part in name.split("/") if part] or ["unnamed"]
    return PurePosixPath(*(_safe(folder, folder) for folder in folders), _safe(base, base))


def _safe(text: str, original: str) -> str:
    """`text` made safe; where that changed it, with a piece of the hash of `original`, so that names stay apart."""
    suffix = _SUFFIX.search(text)
    ending = suffix[0] if suffix else ""
    stem = text[: len(text) - len(ending)]
    safe = "".join(c if _is_kept(c) else "_" for c in unicodedata.normalize("NFC", stem)).strip(" ")
    safe = safe.lstrip(".-") if safe[:1] in (".", "-") else safe
    if not ending:
        safe = safe.rstrip(". ")
    is_bad = not safe or _RESERVED.fullmatch(safe + ending) or safe.lower().endswith(_OURS)
    if safe == stem and not is_bad and len((safe + ending).encode()) <= MOST_BYTES:
        return safe + ending
    safe = f"_{safe}" if _RESERVED.fullmatch(safe + ending) else safe
    mark = hashlib.sha256(original[: len(original) - len(ending)].encode("utf-8", "surrogatepass")).hexdigest()[:8]
    room = MOST_BYTES - len(ending.encode()) - len(mark) - 2
    return f"{_cut(safe, room) or 'file'}~{mark}{ending}"


def _is_kept(character: str) -> bool:
    if character.isascii():
        return character.isalnum() or character in _KEPT_SIGNS
    return unicodedata.category(character)[0] in _KEPT_CATEGORIES


def _cut(text: str, room: int) -> str:
    """`text` cut to `room` bytes between two characters, with no dot or space at its end."""
    return text.encode("utf-8", "ignore")[:room].decode("utf-8", "ignore").rstrip(". ")
