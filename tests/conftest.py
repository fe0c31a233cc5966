"""What all tests share: Qt without a display, drawn by software."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_QUICK_BACKEND", "software")


@pytest.fixture(scope="session")
def qapp_cls() -> type:
    """Snug has no widgets: the application is the plain one."""
    from PySide6.QtGui import QGuiApplication

    return QGuiApplication


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of Snug's own, which child processes see too."""
    folder = tmp_path / "home"
    monkeypatch.setenv("SNUG_HOME", str(folder))
    return folder
