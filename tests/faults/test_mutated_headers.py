"""Damaged model files through the real commands and their child processes.

Each file gets a clear error (exit code 2) or a right answer (0) within five seconds; a child never takes more than
300 MB. `SNUG_FULL_TESTS=1` runs 2,000 files through both commands.
"""

from __future__ import annotations

import json
import os
import random
import re
import sys
import time
from pathlib import Path
from typing import ClassVar

import pytest

from snug import cli
from snug.formats.gguf_header import read_file_header
from snug.paths import Paths
from snug.worker.client import WorkerClient
from tests.formats.gguf_maker import Recipe, write_gguf
from tests.formats.header_bytes import STRING, array, gguf, mutate, pair, tiny_model

PIP = Path(__file__).parents[2] / "resources" / "models" / "pip" / "pip-7m-Q8_0.gguf"
FILES = 2_000 if os.environ.get("SNUG_FULL_TESTS") == "1" else 30
LIMIT_S = 20.0  # five seconds of looking, and a child's start on a busy computer
LIMIT_KB = 300_000
MACHINE = {"os": "linux", "cpu": {"cores": 8, "features": ["avx2"]},
           "memory": {"total": 2**34, "available": 12 * 10**9, "bandwidth": 5e10}}  # fmt: skip


class WatchedClient(WorkerClient):
    """The real client; it notes how much memory each child had at its peak."""

    peaks_kb: ClassVar[list[int]] = []

    def close(self) -> None:
        status = Path(f"/proc/{self.pid}/status")
        match = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
        if match:
            self.peaks_kb.append(int(match[1]))
        super().close()


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[bytes, int]]:
    """Pip, a generated model, a vocabulary and a tiny one, each with its header's length."""
    folder = tmp_path_factory.mktemp("seeds")
    made = write_gguf(folder / "made.gguf", Recipe("gemma3", width=64, feed_forward=64, vocabulary=64))
    words = array("tokenizer.ggml.tokens", STRING, (f"word{number}" for number in range(20_000)))
    (folder / "tiny.gguf").write_bytes(tiny_model())
    (folder / "vocabulary.gguf").write_bytes(gguf([pair("general.architecture", STRING, "llama"), words]))
    files = (PIP, made, folder / "vocabulary.gguf", folder / "tiny.gguf")
    return [(file.read_bytes(), read_file_header(file).data_offset) for file in files]


@pytest.mark.parametrize("command", ["fit", "add"])
def test_a_damaged_file_gets_a_clear_error_or_a_right_answer(
    command: str,
    seeds: list[tuple[bytes, int]],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("snug.commands.command.WorkerClient", WatchedClient)
    monkeypatch.setattr(WatchedClient, "peaks_kb", [])
    machine = tmp_path / "machine.json"
    machine.write_text(json.dumps(MACHINE), "utf-8")
    extra = ["--machine", str(machine)] if command == "fit" else []
    source = random.Random(f"{command} 20261121")
    codes = []
    for number in range(FILES):
        seed, header_bytes = seeds[number % len(seeds)]
        damaged = tmp_path / f"damaged-{number}.gguf"
        damaged.write_bytes(mutate(seed, header_bytes, source) if number >= len(seeds) else seed)
        began = time.monotonic()
        code = cli.run([command, str(damaged), "--json", *extra], Paths(tmp_path / "home"))
        took = time.monotonic() - began
        printed = capfd.readouterr()
        damaged.unlink()
        assert code in (0, 2), printed
        assert "Traceback" not in printed.out + printed.err
        if code == 0:
            assert json.loads(printed.out)
        else:
            assert printed.err.startswith("snug: ")
            assert printed.err.count("\n") == 1
        assert took < LIMIT_S, f"{took:.1f} s: {printed.err}"
        codes.append(code)
    assert {0, 2} == set(codes)
    if sys.platform == "linux":
        assert len(WatchedClient.peaks_kb) == FILES
        assert max(WatchedClient.peaks_kb) < LIMIT_KB
