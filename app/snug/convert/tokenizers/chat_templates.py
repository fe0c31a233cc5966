"""The chat templates of a checkpoint, from every place where they may stand."""

from __future__ import annotations

import string

from snug.convert.tokenizers.tokenizer_files import MOST_TEMPLATE_BYTES, TEMPLATE_FOLDER, TokenizerFiles
from snug.convert.tokenizers.vocabulary import Entries

MOST_TEMPLATES = 100
_PLAIN = frozenset(string.ascii_letters + string.digits)

Templates = dict[str, str]
"""Templates by name; the one that is used by itself is "default"."""


def chat_templates(files: TokenizerFiles) -> Templates | None:
    """The templates, None where there are none. tokenizer_config.json comes first, as in llama.cpp's converter."""
    settings = files.object("tokenizer_config.json")
    if "chat_template" in settings:
        return _from_value(settings["chat_template"])
    if "chat_template.jinja" in files:
        found = {"default": files.text("chat_template.jinja", MOST_TEMPLATE_BYTES)}
        for name in files.template_names()[:MOST_TEMPLATES]:
            found[name] = files.text(f"{TEMPLATE_FOLDER}{name}.jinja", MOST_TEMPLATE_BYTES)
        return found
    return _from_value(files.object("chat_template.json").get("chat_template"))


def _from_value(value: object) -> Templates | None:
    """A template's text, or a list of objects with `name` and `template`."""
    if isinstance(value, str):
        return {"default": value}
    if not isinstance(value, list):
        return None
    found = {}
    for choice in value[:MOST_TEMPLATES]:
        if isinstance(choice, dict) and isinstance(choice.get("template"), str):
            found[str(choice.get("name") or "")] = choice["template"]
    return found or None


def put_chat_templates(templates: Templates, entries: Entries) -> None:
    """Write them under llama.cpp's keys; a name keeps its ASCII letters and digits."""
    names = []
    for name, template in templates.items():
        plain = "".join(letter if letter in _PLAIN else "_" for letter in name)
        if plain == "default":
            entries.put("tokenizer.chat_template", "str", template)
        elif plain:
            names.append(plain)
            entries.put(f"tokenizer.chat_template.{plain}", "str", template)
    if names:
        entries.put("tokenizer.chat_templates", "[str", sorted(set(names)))
