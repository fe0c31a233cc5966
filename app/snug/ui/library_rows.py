"""What the Library says of one model: its roles, its lines, and whether a file is the one that was missing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from snug.core.errors import UserError
from snug.core.fit import Fit
from snug.core.quantisation import GROUP_WORDS, group_of
from snug.core.words import pages_text, size_text, verdict_text, words_per_second_text
from snug.store.rows import BUILT_IN, MADE_HERE, LibraryModel
from snug.ui.downloads import when_words
from snug.ui.fit_view import raw_figures, verdict_kind
from snug.worker import protocol

ROLES = ("modelId", "name", "line", "phase", "stateText", "verdictKind", "verdictText", "figures", "iconId", "canChat",
         "canRemove", "canFind", "path", "details")  # fmt: skip
STATE_TEXTS = {
    "ready": "",
    "not_connected": "Its drive is not connected. It comes back when the drive does.",
    "missing": "The file is not where it was. Find it again, or remove it from the list.",
    "changed": "The file has changed since it was added. Check it before you use it.",
    "broken": "This file cannot be used.",
}


def shown_order(model: LibraryModel) -> tuple[bool, float, str]:
    """The one used last comes first, the built-in one last."""
    used = model.last_used_at.timestamp() if model.last_used_at else 0.0
    return model.source == BUILT_IN, -used, model.name.lower()


def row_of(model: LibraryModel, fit: Fit, now: datetime, words_same: int | None = None) -> dict[str, Any]:
    """The roles of one model; `fit` is how it would run here, `words_same` of 1,000 are its original's as measured."""
    speed = words_per_second_text(fit.speed).removeprefix("about ").replace(" words a second", " words/s")
    ready = model.state == "ready"
    return {
        "modelId": model.id,
        "name": model.name,
        "line": " · ".join(line_parts(model, now, words_same)),
        "phase": BUILT_IN if model.source == BUILT_IN else model.state,
        "stateText": STATE_TEXTS.get(model.state, ""),
        "verdictKind": verdict_kind(fit) if ready else "quiet",
        "verdictText": verdict_text(fit) if ready else state_word(model.state),
        "figures": f"{speed} · {size_text(model.size_bytes)}",
        "iconId": "box" if ready else "unplug" if model.state == "not_connected" else "triangle-alert",
        "canChat": ready and model.facts.kind == "model",
        "canRemove": model.source != BUILT_IN,
        "canFind": model.state in ("missing", "not_connected"),
        "path": model.path,
        "details": details_text(model, fit),
    }


def line_parts(model: LibraryModel, now: datetime, words_same: int | None = None) -> list[str]:
    """How fine it is, where it came from, when it was last used."""
    parts = [GROUP_WORDS[group_of(model.file_type)]] if group_of(model.file_type) in GROUP_WORDS else []
    if model.source.startswith("app:"):
        parts.append(f"kept by {model.source.removeprefix('app:')}")
    elif model.source == BUILT_IN:
        parts.append("comes with Snug")
    elif model.source == MADE_HERE:
        parts.append(f"made here from {model.repo}")
    elif model.source == "file":
        parts.append("your own file")
    else:
        parts.append(f"from {model.repo}")
    if words_same is not None:
        parts.append(f"{words_same} of 1,000 words the same")
    if model.last_used_at is not None:
        parts.append(f"last used {when_words(model.last_used_at, now)}")
    return parts


def details_text(model: LibraryModel, fit: Fit) -> str:
    """Path, what it takes here, and raw figures, for the fold."""
    lines = [model.path, *model.parts]
    lines.append(f"{model.architecture}, {model.file_type}, {model.size_bytes:,} bytes")
    if model.sha256:
        lines.append(f"SHA-256 {model.sha256}")
    if model.licence:
        lines.append(f"Licence {model.licence}")
    lines.append(f"{size_text(fit.memory.total)} in memory, remembers {pages_text(fit.context)}")
    return "\n".join([*lines, raw_figures(fit)])


def state_word(state: str) -> str:
    """The badge of a model that cannot be used now."""
    return {"not_connected": "Not connected", "missing": "Missing", "changed": "Changed"}.get(state, "Unusable")


def is_same_file(model: LibraryModel, found: protocol.FileInspected) -> bool:
    """Whether what was found is that model: by its hash where that is known, else by size, kind and type."""
    if model.sha256:
        return found.sha256 == model.sha256
    old, new = model.facts, found.facts
    return (old.file_bytes, old.architecture, old.file_type) == (new.file_bytes, new.architecture, new.file_type)


def other_file(model: LibraryModel) -> UserError:
    """The chosen file is not the one that is missing."""
    return UserError(
        f"This is not the file of {model.name}.",
        "Choose the same file that was there before, or add this one as a model of its own.",
        kind="other-file",
        bad_input=True,
    )


def found_words(found: list[protocol.FoundModel]) -> str:
    """ "Snug found 3 in LM Studio and 1 in Jan and can use them where they are." """
    if not found:
        return ""
    apps = sorted({model.app for model in found})
    counts = [f"{sum(model.app == app for model in found)} in {app}" for app in apps]
    joined = counts[0] if len(counts) == 1 else f"{', '.join(counts[:-1])} and {counts[-1]}"
    return f"Snug found {joined} and can use {'them where they are' if len(found) > 1 else 'it where it is'}."


def damaged_file(model: LibraryModel) -> UserError:
    """The file's bytes are not what was downloaded."""
    return UserError(
        f"{model.name} is damaged: its bytes are not what they should be.",
        "Remove it and get it again. Your chats stay.",
        kind="damaged",
        details=model.path,
    )
