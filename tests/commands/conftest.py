"""The command line as a person runs it: a real process with its own home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def snug(home: Path) -> Callable[..., Ran]:
    """Runs `snug` with these arguments; there is no display and no network."""

    def run(*arguments: str, typed: str = "", **environment: str) -> Ran:
        hidden = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "HF_TOKEN")
        kept = {name: value for name, value in os.environ.items() if name not in hidden}
        finished = subprocess.run(
            [sys.executable, "-m", "snug", *arguments],
            input=typed,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=kept | {"SNUG_HOME": str(home), "HF_ENDPOINT": "http://127.0.0.1:9", "PYTHONUTF8": "1"} | environment,
            timeout=120,
            check=False,
        )
        return Ran(finished.returncode, finished.stdout, finished.stderr)

    return run
