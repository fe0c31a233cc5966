"""How an embedding model makes one vector of many: what sentence-transformers keeps in modules.json and beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from snug.core.errors import UserError
from snug.formats.checkpoints.json_text import parse_object

MOST_BYTES = 1024 * 1024
MODULES = "modules.json"
USUAL_SETTINGS = "1_Pooling/config.json"
FOLDER_NAME = re.compile(r"[A-Za-z0-9_]{1,64}")
FLAGS = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls", "pooling_mode_lasttoken": "last"}
MODES = {"mean": "mean", "cls": "cls", "lasttoken": "last"}


def read_pooling(folder: Path) -> str | None:
    """ "mean", "cls" or "last"; None where the model's folder does not say."""
    modules = _json(folder / MODULES)
    for module in modules if isinstance(modules, list) else ():
        if not isinstance(module, dict) or not str(module.get("type")).endswith("Pooling"):
            continue
        path = module.get("path")
        if not isinstance(path, str) or not FOLDER_NAME.fullmatch(path):
            return None
        settings = _json(folder / path / "config.json")
        if not isinstance(settings, dict):
            return None
        for flag, name in FLAGS.items():
            if settings.get(flag) is True:
                return name
        mode = settings.get("pooling_mode")
        return MODES.get(mode) if isinstance(mode, str) else None
    return None


def _json(path: Path) -> Any:
    """What the file holds, None where there is no such file or it is damaged."""
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return None
        raw = path.read_bytes()
        return parse_object(b'{"file": ' + raw + b"}", path.name)["file"]
    except (OSError, UserError):
        return None
