"""Pip in two sizes, written once: with checks that pass, and to be broken by each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from snug.convert.conversion import Settings, convert
from snug.convert.gguf_source import GgufSource
from snug.paths import resources_folder

PIP = next((resources_folder() / "models" / "pip").glob("*.gguf"))


@pytest.fixture(scope="session")
def pip_source() -> Iterator[GgufSource]:
    with GgufSource(PIP) as source:
        yield source


@pytest.fixture(scope="session")
def small_pip(pip_source: GgufSource, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("converted") / "pip.gguf"
    convert(pip_source, out, Settings(types="Q6_K", threads=1), on_progress=lambda _: None, is_cancelled=lambda: False)
    return out
