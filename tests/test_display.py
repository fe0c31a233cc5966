"""A window is opened only where a display server really answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from snug.display import has_display


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Path]:
    """A socket that answers, as a display server's does."""
    path = tmp_path / "wayland-0"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        yield path


@pytest.mark.parametrize(
    ("environment", "platform", "shown"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ""}, "linux", False),
        ({"DISPLAY": ":59999"}, "linux", False),
        ({"DISPLAY": "localhost:58999"}, "linux", False),
        ({"DISPLAY": "nonsense"}, "linux", False),
        ({"WAYLAND_DISPLAY": "wayland-0", "XDG_RUNTIME_DIR": "/nowhere"}, "linux", False),
        ({"QT_QPA_PLATFORM": "offscreen"}, "linux", True),
        ({}, "darwin", True),
        ({}, "win32", True),
    ],
)
def test_a_window_needs_a_display(environment: dict[str, str], platform: str, shown: bool) -> None:
    assert has_display(environment, platform) is shown


def test_a_server_that_answers_is_a_display(server: Path) -> None:
    assert has_display({"WAYLAND_DISPLAY": server.name, "XDG_RUNTIME_DIR": str(server.parent)}, "linux")
    assert has_display({"DISPLAY": str(server)}, "linux")
