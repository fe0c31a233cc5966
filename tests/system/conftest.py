"""Recorded computers: what their files, commands and libraries said, read back as an environment."""

from __future__ import annotations

import json
import ntpath
import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from snug.core.machine import EngineDevice
from snug.system.environment import Environment, NotReadable

MACHINES = Path(__file__).parents[1] / "data" / "machines"


class RecordedEnvironment(Environment):
    """A computer out of a recording; what is not recorded is not there."""

    def __init__(self, sections: Mapping[str, str]) -> None:
        self.sections = dict(sections)
        self._system, self._architecture = sections["system"].split()
        windows = self._system == "windows"
        super().__init__("C:\\Users\\ann\\Snug\\models" if windows else "/home/ann/.local/share/Snug/models")

    @property
    def system(self) -> str:
        return self._system

    @property
    def architecture(self) -> str:
        return self._architecture

    def data(self, path: str) -> bytes:
        if f"hex {path}" in self.sections:
            return bytes.fromhex(self.sections[f"hex {path}"])
        return self._section(f"file {path}").encode()

    def names(self, folder: str) -> list[str]:
        return self._section(f"folder {folder}").split()

    def output(self, command: Sequence[str], timeout_s: float = 0) -> str:
        return self._section("command " + " ".join(command))

    def processes(self) -> list[dict[str, Any]]:
        return self._json("processes")

    def drm_clients(self) -> list[dict[str, Any]]:
        return self._json("drm-clients")

    def programs(self, pids: Sequence[int]) -> dict[int, dict[str, Any]]:
        known = self._json("programs")
        return {pid: known[str(pid)] for pid in pids if str(pid) in known}

    def dxgi(self) -> list[dict[str, Any]]:
        return self._json("dxgi")

    def library_figures(self) -> Mapping[str, Any]:
        return self._json("psutil")

    def has_processor_feature(self, number: int) -> bool:
        return number in self._json("processor-features")

    def has_folder(self, folder: str) -> bool:
        paths = ntpath if self.system == "windows" else posixpath
        return paths.normpath(folder) in self._json("disk")["folders"] if "json disk" in self.sections else False

    def disk_space(self, folder: str) -> tuple[int, int]:
        disk = self._json("disk")
        return disk["free"], disk["total"]

    def nvidia(self) -> list[dict[str, Any]]:
        if "nvml-error" in self.sections:
            raise NotReadable(self.sections["nvml-error"].strip())
        return self._json("nvml")

    def bandwidth(self, threads: int, available_bytes: int) -> Mapping[str, Any]:
        return self._json("bandwidth")

    def usable_threads(self) -> int:
        return 64

    @property
    def engine_devices(self) -> tuple[EngineDevice, ...]:
        """What llama.cpp listed there; empty where that is not recorded."""
        return tuple(EngineDevice(**row) for row in self._json("engine")) if "json engine" in self.sections else ()

    @property
    def expected(self) -> dict[str, Any]:
        return self._json("expect")

    def _json(self, name: str) -> Any:
        return json.loads(self._section(f"json {name}" if name != "expect" else name))

    def _section(self, name: str) -> str:
        if name not in self.sections:
            raise NotReadable(f"{name} is not recorded")
        return self.sections[name]


def load_recording(name: str) -> RecordedEnvironment:
    text = (MACHINES / f"{name}.txt").read_text("utf-8")
    parts = re.split(r"^=== (.+)\n", text, flags=re.MULTILINE)
    return RecordedEnvironment(dict(zip(parts[1::2], parts[2::2], strict=True)))


@pytest.fixture
def recording() -> Callable[[str], RecordedEnvironment]:
    """Loads a recorded computer by its name in tests/data/machines."""
    return load_recording


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `recorded` runs once for every recorded computer."""
    if "recorded" in metafunc.fixturenames:
        names = sorted(path.stem for path in MACHINES.glob("*.txt"))
        metafunc.parametrize("recorded", [load_recording(name) for name in names], ids=names)
