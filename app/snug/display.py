"""Whether a window can be shown here: Qt would end the process where its display server does not answer."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from pathlib import Path

ANSWER_LIMIT_S = 1.0
_X_DISPLAY = re.compile(r"(?:unix)?(?P<host>[^:/]*):(?P<number>\d+)(?:\.\d+)?$")


def has_display(environment: Mapping[str, str], platform: str) -> bool:
    """Whether a window can be shown: always on Windows and macOS, elsewhere where a display server answers."""
    if platform in ("win32", "darwin") or environment.get("QT_QPA_PLATFORM"):
        return True
    return _wayland_answers(environment) or _x_answers(environment.get("DISPLAY", ""))


def _wayland_answers(environment: Mapping[str, str]) -> bool:
    name = environment.get("WAYLAND_DISPLAY", "")
    return bool(name) and _is_open_socket(Path(environment.get("XDG_RUNTIME_DIR", "/"), name))


def _x_answers(display: str) -> bool:
    """An X display is "HOST:NUMBER"; without a host it is a socket of this computer (X(7), "Display names")."""
    if display.startswith("/"):
        return _is_open_socket(Path(display))
    found = _X_DISPLAY.match(display)
    if found is None:
        return False
    number = int(found["number"])
    if not found["host"]:
        abstract = f"\0/tmp/.X11-unix/X{number}"
        return _is_open_socket(Path(f"/tmp/.X11-unix/X{number}")) or _connects(socket.AF_UNIX, abstract)
    return number < 59_000 and _connects(socket.AF_INET, (found["host"], 6000 + number))


def _is_open_socket(path: Path) -> bool:
    return path.is_socket() and _connects(socket.AF_UNIX, str(path))


def _connects(family: int, address: str | tuple[str, int]) -> bool:
    with socket.socket(family) as connection:
        connection.settimeout(ANSWER_LIMIT_S)
        try:
            connection.connect(address)
        except OSError:
            return False
    return True
