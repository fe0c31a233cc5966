"""What the Hub tells, as Snug holds it: access, files, search results, model pages."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to reach the Hub. An empty token means none; `offline` forbids every connection."""

    endpoint: str = "https://huggingface.co"
    token: str = field(default="", repr=False)
    proxy: str = field(default="", repr=False)
    offline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file of a repository as the Hub describes it; `sha256` is "" for a file that is not in LFS."""

    name: str
    size_bytes: int
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One search result. `parameters` and `architecture` are 0 and "" where the Hub does not say."""

    repo: str
    author: str
    name: str
    downloads: int = 0
    likes: int = 0
    updated: str = ""
    licence: str = ""
    gated: bool = False
    task: str = ""
    parameters: int = 0
    architecture: str = ""
    context: int = 0
    has_gguf: bool = False
    file_format: str = ""
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One thing a person can get: a GGUF, all its parts as one item, and the projector it needs for pictures."""

    title: str
    group: str
    file_type: str
    size_bytes: int
    files: list[File]
    companions: list[File] = field(default_factory=list)
    complete: bool = True
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A model's page. `card` is Markdown source that nobody has checked.

    Where there are no `choices`, `other_format` names what it holds instead, `can_convert` says whether Snug reads
    that, and `gguf_instead` names a repository with the same model as GGUF. Sizes in bytes, of the weights' files.
    """

    repo: str
    revision: str
    model: Model
    choices: list[Choice]
    card: str = ""
    base_model: str = ""
    other_format: str = ""
    can_convert: bool = False
    weights_bytes: int = 0
    largest_file_bytes: int = 0
    gguf_instead: str = ""


REPO_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")


def text_of(value: object, limit: int = 200) -> str:
    """`value` as one line for people, at most `limit` characters, "" where it is no text.

    Control, formatting and direction characters are left out: a name must not rearrange the words around it.
    """
    if not isinstance(value, str):
        return ""
    kept = "".join(c for c in value[: 4 * limit] if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))
    return " ".join(kept.split())[:limit]


def count_of(value: object) -> int:
    """`value` as a count, 0 where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(value) if 0 <= value < 2**62 else 0
