"""What the head of a model's README says of it: licence, languages, tags, the models and data that it was made from.

The keys that come of it are those of llama.cpp's converter (gguf-py/gguf/metadata.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snug.convert.architectures.model_names import name_parts, title
from snug.convert.plan import Meta

CARD = "README.md"
MOST_BYTES = 1024 * 1024
MOST_HEAD_CHARACTERS = 64 * 1024
MOST_SOURCES = 64
ANOTHER_NAME = {"author": "model_creator", "basename": "model_type"}
"""Keys that some pages use instead."""
STATED = ("name", "author", "version", "organization", "description", "finetune", "basename", "size_label", "license",
          "license_name", "license_link")  # fmt: skip
_ADDRESS = re.compile(r"(?:https?|ssh)://")
_HUB_ADDRESS = re.compile(r"https?://huggingface\.co/([^/]+/[^/]+)$")


def read_card(folder: Path) -> Mapping[str, Any]:
    """The head of README.md in `folder`, texts and lists; empty where there is none or it cannot be read."""
    path = folder / CARD
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return {}
        return parse_card(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return {}


def parse_card(text: str) -> Mapping[str, Any]:
    """The YAML between the first two lines of three dashes; nothing in it is taken for a number or a truth value."""
    import yaml  # type: ignore[import-untyped]  # slow to load, and few need it

    lines = text[:MOST_HEAD_CHARACTERS].splitlines()
    if not lines or lines[0] != "---" or "---" not in lines[1:]:
        return {}
    head = "\n".join(lines[1 : lines.index("---", 1)]).replace("\t", "  ")
    if "&" in head and "*" in head and re.search(r"[:\-\[,{]\s*\*\w", head):
        return {}  # references inside YAML can make a short text huge, and no page needs them
    try:
        found = yaml.load(head, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def stated(card: Mapping[str, Any]) -> dict[str, str]:
    """The general.* keys that the page gives as they are."""
    found = {}
    for key in STATED:
        for name in (key, f"model_{key}", ANOTHER_NAME.get(key, key)):
            value = card.get(name)
            if isinstance(value, list):
                value = ",".join(item for item in value if isinstance(item, str))
            if isinstance(value, str) and value:
                found[key] = value
                break
    return found


def lists(card: Mapping[str, Any]) -> list[Meta]:
    """The page's tags and languages."""
    metas = []
    for key, sources in (("tags", ("tags", "pipeline_tag")), ("languages", ("languages", "language"))):
        items = [item for source in sources for item in _texts(card.get(source))]
        if items:
            metas.append(Meta(f"general.{key}", "[str", items))
    return metas


def made_from(card: Mapping[str, Any], parameters: int) -> list[Meta]:
    """The models and data sets that the model was made from: names, organisations, addresses."""
    metas = []
    for key, names in (
        ("base_model", ("base_model", "base_models", "base_model_sources")),
        ("dataset", ("datasets", "dataset", "dataset_sources")),
    ):
        given = next((name for name in names if name in card), None)
        if given is None:
            continue
        ids = _texts(card[given])[:MOST_SOURCES]
        metas.append(Meta(f"general.{key}.count", "u32", len(ids)))
        for number, model_id in enumerate(ids):
            parts = _source(model_id, parameters)
            metas += [Meta(f"general.{key}.{number}.{part}", "str", value) for part, value in parts.items()]
    return metas


def _source(model_id: str, parameters: int) -> dict[str, str]:
    found = {}
    if _ADDRESS.match(model_id):
        found["repo_url"] = model_id
        on_hub = _HUB_ADDRESS.match(model_id)
        if on_hub is None:
            return found
        model_id = on_hub[1]
    parts = name_parts(model_id, parameters)
    found["name"] = title(parts.name)
    if parts.organization:
        found["organization"] = title(parts.organization)
        found.setdefault("repo_url", f"https://huggingface.co/{parts.organization}/{parts.name}")
    if parts.version:
        found["version"] = parts.version
    return found


def _texts(value: Any) -> list[str]:
    items = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, str) and item]
