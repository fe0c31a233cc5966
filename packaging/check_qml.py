"""Checks all QML against the view-models without running it; 0 only when there is not one warning.

Usage: check_qml.py [--models FOLDER] [--qml FOLDER]. Types are written to a temporary folder, never beside the sources.
"""

from __future__ import annotations

import argparse
import ast
import json
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOREIGN_MODULES = ("core", "gui", "qml", "qmlmodels", "quick")


class CheckFailed(Exception):
    """A tool could not do its part; the words are its own."""


@dataclass(frozen=True)
class TypeModule:
    """A QML module whose types are Python classes: its import name and version, and the files that declare them."""

    name: str
    major_version: int
    files: tuple[Path, ...]


def type_modules(files: Iterable[Path]) -> list[TypeModule]:
    """The QML modules that those Python files declare with QML_IMPORT_NAME, sorted by name."""
    found: dict[tuple[str, int], list[Path]] = {}
    for path in sorted(files):
        constants = _constants(path)
        name = constants.get("QML_IMPORT_NAME")
        if isinstance(name, str):
            version = constants.get("QML_IMPORT_MAJOR_VERSION", 1)
            found.setdefault((name, int(str(version))), []).append(path)
    return [TypeModule(name, version, tuple(paths)) for (name, version), paths in sorted(found.items())]


def _constants(path: Path) -> dict[str, object]:
    constants: dict[str, object] = {}
    for statement in ast.parse(path.read_text(encoding="utf-8"), str(path)).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            constants.update({t.id: statement.value.value for t in statement.targets if isinstance(t, ast.Name)})
    return constants


def write_types(module: TypeModule, import_folder: Path) -> None:
    """Writes the qmldir and the type description of a module below the import folder."""
    folder = import_folder.joinpath(*module.name.split("."))
    folder.mkdir(parents=True, exist_ok=True)
    dumped = folder / "types.json"
    _call("pyside6-metaobjectdump", "--quiet", "--compact", "-o", str(dumped), *(str(path) for path in module.files))
    complete_properties(dumped, module.files)
    _call(
        "pyside6-qmltyperegistrar",
        *("--generate-qmltypes", str(folder / "types.qmltypes")),
        *("-o", str(folder / "types.cpp")),
        *("--import-name", module.name),
        *("--major-version", str(module.major_version)),
        f"--foreign-types={','.join(str(path) for path in _foreign_types())}",
        str(dumped),
    )
    (folder / "qmldir").write_text(f"module {module.name}\ntypeinfo types.qmltypes\n", encoding="utf-8")


def complete_properties(dumped: Path, files: Iterable[Path]) -> None:
    """Says in the dump what metaobjectdump (6.11) leaves out: constant properties, lists, pointers to objects."""
    constant = {name for path in files for name in _constant_properties(path)}
    units = json.loads(dumped.read_text(encoding="utf-8"))
    classes = [item for unit in units for item in unit["classes"]]
    objects = {item["className"] for item in classes} | {"QObject"}
    for item in classes:
        for entry in item.get("properties", ()):
            entry["constant"] = (item["className"], entry["name"]) in constant
            entry["type"] = {"list": "QVariantList"}.get(entry["type"], entry["type"])
            if entry["type"] in objects:
                entry["type"] += "*"
    dumped.write_text(json.dumps(units), encoding="utf-8")


def _constant_properties(path: Path) -> list[tuple[str, str]]:
    """(class, property) of each `@Property(…, constant=True)` in that file."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return [
        (owner.name, method.name)
        for owner in ast.walk(tree)
        if isinstance(owner, ast.ClassDef)
        for method in owner.body
        if isinstance(method, ast.FunctionDef)
        for decorator in method.decorator_list
        if isinstance(decorator, ast.Call)
        and any(k.arg == "constant" and isinstance(k.value, ast.Constant) and k.value.value for k in decorator.keywords)
    ]


def _foreign_types() -> list[Path]:
    folder = Path(sysconfig.get_path("purelib")) / "PySide6" / "Qt" / "metatypes"
    return [path for name in FOREIGN_MODULES if (path := folder / f"qt6{name}_metatypes.json").is_file()]


def _program(name: str) -> str:
    beside = shutil.which(name, path=sysconfig.get_path("scripts"))
    if beside is None:
        raise CheckFailed(f"{name} is not installed beside {sys.executable}.")
    return beside


def _call(name: str, *arguments: str) -> None:
    done = subprocess.run([_program(name), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CheckFailed(f"{name} failed:\n{done.stdout}{done.stderr}")


def check(models: Path, qml: Path) -> list[str]:
    """Every warning about the QML below `qml`, with the types of the Python files below `models`. [] is good."""
    with tempfile.TemporaryDirectory(prefix="snug-qml-") as temporary:
        import_folder = Path(temporary)
        shutil.copytree(qml, import_folder, dirs_exist_ok=True)
        for module in type_modules(models.rglob("*.py")):
            write_types(module, import_folder)
        files = sorted(import_folder.rglob("*.qml"))
        if not files:
            return [f"There is no QML below {qml}."]
        command = [_program("pyside6-qmllint"), "-W", "0", "-I", str(import_folder), *(str(path) for path in files)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return []
        said = (done.stdout + done.stderr).replace(str(import_folder), str(qml)).strip()
        return said.splitlines() or [f"pyside6-qmllint ended with {done.returncode}."]


def main() -> int:
    parser = argparse.ArgumentParser(description="Check the QML against the view-models.")
    parser.add_argument("--models", type=Path, default=ROOT / "app" / "snug" / "ui")
    parser.add_argument("--qml", type=Path, default=ROOT / "resources" / "qml")
    chosen = parser.parse_args()
    try:
        lines = check(chosen.models, chosen.qml)
    except CheckFailed as error:
        lines = [str(error)]
    print("\n".join(lines) or "All QML is right.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
