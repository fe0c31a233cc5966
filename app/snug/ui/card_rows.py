"""The text of a model card as plain rows: what its makers say, without pictures, mark-up or links to press."""

from __future__ import annotations

import re
from typing import Any

from snug.ui.markdown_blocks import Block, parse
from snug.ui.markdown_inline import InlineStyle, render

MOST_CHARACTERS = 40_000
MOST_ROWS = 120
_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_HTML_TAG = re.compile(r"<[^<>]{1,300}>")
_PLAIN = InlineStyle(link="#000000", code_background="#000000")


def card_rows(card: str) -> list[dict[str, Any]]:
    """Rows of {"kind": "heading", "prose" or "code", "text": plain text}; at most `MOST_ROWS` of them."""
    text = _FRONT_MATTER.sub("", card[:MOST_CHARACTERS].replace("\r\n", "\n"))
    rows = [_row(block) for block in parse(text)]
    return [row for row in rows if row["text"]][:MOST_ROWS]


def _row(block: Block) -> dict[str, Any]:
    if block.kind == "code":
        return {"kind": "code", "text": block.source}
    if block.kind == "table":
        return {"kind": "prose", "text": "\n".join(" · ".join(_words(cell) for cell in row) for row in block.rows)}
    words = _words(block.source)
    if block.kind == "item" and words:
        words = f"{'    ' * max(0, block.depth - 1)}{block.marker or '•'} {words}"
    return {"kind": "heading" if block.kind == "heading" else "prose", "text": words}


def _words(source: str) -> str:
    return render(_HTML_TAG.sub("", source), _PLAIN).plain.strip()
