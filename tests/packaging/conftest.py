"""A tiny checkout that the real dev.py sets up: real environments and real pip, packages of a few bytes, no network."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "packaging"))

from devtool import engine  # noqa: E402 - only there since the line above

PYPROJECT = """[build-system]
requires = ["nanobind==1.0"]
build-backend = "tiny_backend"
backend-path = ["."]

[project]
name = "snug"
version = "0.1.0"
dependencies = ["PySide6-Essentials", "llama-cpp-python==1.0"]

[project.optional-dependencies]
test = ["pytest"]
"""
PACKAGES = {
    "PySide6-Essentials": {"PySide6/__init__.py": "", "PySide6/QtQml.py": "", "PySide6/QtQuick.py": ""},
    "nanobind": {"nanobind/__init__.py": ""},
    "cmake": {"cmake/__init__.py": ""},
    "ninja": {"ninja/__init__.py": ""},
    "pytest": {"pytest/__init__.py": "", "pytest/__main__.py": "print('1 passed in 0.01s')"},
    "llama-cpp-python": {"llama_cpp/__init__.py": "VERSION = '1.0'"},
}
SNUG = {
    "snug/__init__.py": "",
    "snug/_native.py": "",
    "snug/core/__init__.py": "",
    "snug/core/errors.py": "",
    "snug/__main__.py": "import sys; print('snug', *sys.argv[1:])",
}
# A build backend that writes the same few bytes each time; it waits for a file where one is named.
BACKEND = """
import os, pathlib, shutil, time

def get_requires_for_build_editable(config_settings=None):
    return []

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    marker = pathlib.Path("building")
    marker.touch()
    while os.environ.get("TINY_WAIT_FOR") and not os.path.exists(os.environ["TINY_WAIT_FOR"]):
        time.sleep(0.01)
    marker.unlink(missing_ok=True)
    return shutil.copy("snug-0.1.0-py3-none-any.whl", wheel_directory).rsplit("/", 1)[-1]
"""


def write_wheel(folder: Path, name: str, version: str, files: Mapping[str, str]) -> Path:
    """A wheel with those text files, as pip wants it: metadata, and a record with hashes and sizes."""
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    contents = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in contents.items():
            data = text.encode()
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
            record += f"{file},sha256={digest},{len(data)}\n"
            archive.writestr(file, data)
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return path


class TinyCheckout:
    """A checkout with the real packaging folder and packages of a few bytes, and its commands."""

    def __init__(self, folder: Path) -> None:
        self.wheels = folder / "wheels"
        self.cache = folder / "cache"
        self.root = folder / "checkout"
        for path in (self.wheels, self.root / "native"):
            path.mkdir(parents=True)
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "packaging" / "devtool", self.root / "packaging" / "devtool", ignore=ignored)
        shutil.copy(ROOT / "packaging" / "dev.py", self.root / "packaging" / "dev.py")
        (self.root / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
        (self.root / "tiny_backend.py").write_text(BACKEND, encoding="utf-8")
        write_wheel(self.root, "snug", "0.1.0", SNUG)
        for name, files in PACKAGES.items():
            write_wheel(self.wheels, name, "1.0", files)
        self.pin("1.0")
        engine_wheel = self.wheels / "llama_cpp_python-1.0-py3-none-any.whl"
        engine.keep_wheel(self.cache, engine.this_recipe("1.0"), engine_wheel)

    def pin(self, version: str) -> None:
        """Writes constraints with all packages at 1.0 but pytest, which gets that version."""
        lines = [f"{name}=={version if name == 'pytest' else '1.0'}" for name in PACKAGES]
        (self.root / "packaging" / "constraints.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
        own = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), "SNUG_WHEEL_CACHE": str(self.cache)}
        return {**kept, **own, "PIP_CONFIG_FILE": os.devnull, **more}

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        # The interpreter below this test's own environment, as a person would start it.
        python = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
        return subprocess.Popen(
            [str(python), str(self.root / "packaging" / "dev.py"), *arguments],
            env=self.environment(**more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, **more)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)


@pytest.fixture(scope="session")
def tiny_checkout(tmp_path_factory: pytest.TempPathFactory) -> TinyCheckout:
    """One tiny checkout for all tests; each of them leaves it in a state that the next start mends."""
    return TinyCheckout(tmp_path_factory.mktemp("tiny"))
