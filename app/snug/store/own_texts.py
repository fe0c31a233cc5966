"""The person's own conversations as a text to learn from: one conversation a line, as JSON, kept only while needed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from snug.core.errors import UserError

if TYPE_CHECKING:
    from snug.store.store import Store

CHATS = "chats"
"""The name by which a conversion is asked to learn from the person's own conversations."""
OWN_TEXT = "own-conversations.jsonl"
MOST_CHATS = 200
MOST_MESSAGES = 200


def write_conversations(store: Store, folder: Path) -> Path:
    """A file with the conversations used last, readable for this person only; whoever asked removes it.

    Raises UserError where there are none, or where it cannot be written.
    """
    lines = []
    for chat in store.chats.list(limit=MOST_CHATS):
        rows = store.chats.messages(chat.id, limit=MOST_MESSAGES)
        turns = [{"role": row.role, "text": row.text} for row in rows if row.text.strip()]
        if turns:
            lines.append(json.dumps(turns, ensure_ascii=False))
    if not lines:
        raise UserError(
            "There are no conversations to learn from yet.",
            "Talk to a model for a while first, or choose a text.",
            kind="no-chats",
            bad_input=True,
        )
    path = folder / OWN_TEXT
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write("\n".join(lines) + "\n")
    except OSError as error:
        path.unlink(missing_ok=True)
        raise UserError(
            f"Your conversations cannot be handed on ({error.strerror or error}).",
            "Make room on the disk, or choose a text.",
            kind="unwritable",
        ) from error
    return path
