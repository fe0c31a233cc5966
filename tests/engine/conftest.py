"""Pip, loaded once into the test process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from snug.engine.model import LoadedModel, LoadSettings, load_model
from snug.engine.session import Session

PIP = Path(__file__).parents[2] / "resources" / "models" / "pip" / "pip-7m-Q8_0.gguf"


@pytest.fixture(scope="session")
def pip_path() -> str:
    return str(PIP)


@pytest.fixture(scope="session")
def pip_model(pip_path: str) -> Iterator[LoadedModel]:
    model = load_model(LoadSettings(path=pip_path, context=1024, threads=1))
    yield model
    model.close()


@pytest.fixture
def session(pip_model: LoadedModel) -> Session:
    """A conversation that remembers nothing."""
    return Session(pip_model)
