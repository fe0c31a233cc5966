"""Real children: Snug's own, and a stub that misbehaves."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from snug.worker.client import WorkerClient
from snug.worker.death import MemoryFacts

STUB = Path(__file__).with_name("stub_child.py")
PIP = Path(__file__).parents[2] / "resources" / "models" / "pip" / "pip-7m-Q8_0.gguf"


@pytest.fixture
def pip_path() -> str:
    return str(PIP)


@pytest.fixture
def start_child(tmp_path: Path) -> Iterator[Callable[[], WorkerClient]]:
    """Starts a real child; all end with the test."""
    with ExitStack() as children:
        yield lambda: children.enter_context(WorkerClient(tmp_path / "logs"))


@pytest.fixture
def start_stub(tmp_path: Path) -> Iterator[Callable[..., WorkerClient]]:
    """Starts a stub child with a fault."""
    with ExitStack() as children:

        def start(fault: str, memory: MemoryFacts | None = None) -> WorkerClient:
            command = [sys.executable, str(STUB), fault]
            return children.enter_context(WorkerClient(tmp_path / "logs", command=command, memory=memory))

        yield start
