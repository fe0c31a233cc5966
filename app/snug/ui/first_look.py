"""What the first frame needs before the database is open: the window's place and the chosen look, in a small file."""

from __future__ import annotations

import contextlib
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QJsonDocument

SMALLEST = (720, 520)
LARGEST = 20_000


@dataclass(frozen=True, slots=True)
class FirstLook:
    """Place in pixels (`x` and `y` None: wherever the system puts it); the look is a copy of the settings."""

    width: int = 1280
    height: int = 800
    x: int | None = None
    y: int | None = None
    maximised: bool = False
    theme: str = "system"
    text_size: int = 100
    reduced_motion: bool = False


def read_first_look(path: Path) -> FirstLook:
    """What was kept; the defaults for whatever is missing, damaged or out of bounds."""
    try:
        document: Any = QJsonDocument.fromJson(QByteArray(path.read_bytes()[:10_000])).object()  # json loads slowly
    except OSError:
        return FirstLook()
    usable = {
        field.name: document[field.name]
        for field in fields(FirstLook)
        if field.name in document and _is_usable(field.name, document[field.name])
    }
    return FirstLook(**usable)


def write_first_look(path: Path, look: FirstLook) -> None:
    """Keep it. A failure costs only the window's place, so it stays without a word."""
    partial = path.with_suffix(".part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial.write_bytes(QJsonDocument.fromVariant(asdict(look)).toJson().data())
        os.replace(partial, path)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def _is_usable(name: str, value: object) -> bool:
    if name == "theme":
        return value in ("system", "light", "dark")
    if name in ("maximised", "reduced_motion"):
        return isinstance(value, bool)
    if value is None:
        return name in ("x", "y")
    if isinstance(value, bool) or not isinstance(value, int):
        return False
    lowest, highest = {
        "width": (SMALLEST[0], LARGEST),
        "height": (SMALLEST[1], LARGEST),
        "text_size": (75, 200),
    }.get(name, (-LARGEST, LARGEST))
    return lowest <= value <= highest
