"""The static check of QML: it accepts what is right and refuses what is broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from check_qml import ROOT, check, type_modules

MODEL = '''
from PySide6.QtCore import Property, QObject, Signal
from PySide6.QtQml import QmlElement

QML_IMPORT_NAME = "Trial.Models"
QML_IMPORT_MAJOR_VERSION = 1


@QmlElement
class Kettle(QObject):
    """A view-model."""

    warmChanged = Signal()

    @Property(bool, notify=warmChanged)
    def warm(self) -> bool:
        return True
'''
SCREEN = """import QtQuick
import Trial.Models

Item {
    id: root

    required property Kettle kettle

    visible: root.kettle.warm
}
"""


@pytest.fixture
def trial(tmp_path: Path) -> tuple[Path, Path]:
    """A folder with one view-model and a folder with one screen that uses it."""
    models, qml = tmp_path / "models", tmp_path / "qml"
    (qml / "Trial").mkdir(parents=True)
    models.mkdir()
    (models / "kettle.py").write_text(MODEL, encoding="utf-8")
    (models / "plain.py").write_text("NUMBER = 1\n", encoding="utf-8")
    (qml / "Trial" / "Screen.qml").write_text(SCREEN, encoding="utf-8")
    (qml / "Trial" / "qmldir").write_text("module Trial\nScreen 1.0 Screen.qml\n", encoding="utf-8")
    return models, qml


def test_right_qml_passes_and_leaves_no_files_behind(trial: tuple[Path, Path]) -> None:
    models, qml = trial
    before = sorted(qml.parent.rglob("*"))
    assert check(models, qml) == []
    assert sorted(qml.parent.rglob("*")) == before


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        ("root.kettle.warm", "root.kettle.wram", "wram"),
        ("required property Kettle", "required property Kettel", "Kettel"),
        ("visible: root.kettle.warm", "visible: kettle.warm && nobody", "nobody"),
        ("import Trial.Models", "import Trial.Modles", "Modles"),
        ("visible:", "visibel:", "visibel"),
        ("Item {", "Item {{", "Screen.qml"),
    ],
)
def test_broken_qml_is_named(trial: tuple[Path, Path], right: str, wrong: str, words: str) -> None:
    models, qml = trial
    screen = qml / "Trial" / "Screen.qml"
    screen.write_text(SCREEN.replace(right, wrong), encoding="utf-8")
    said = "\n".join(check(models, qml))
    assert words in said
    assert str(screen) in said


def test_a_member_that_the_view_model_lost_is_found(trial: tuple[Path, Path]) -> None:
    models, qml = trial
    (models / "kettle.py").write_text(MODEL.replace("def warm", "def cold"), encoding="utf-8")
    assert "warm" in "\n".join(check(models, qml))


def test_an_empty_folder_does_not_pass(tmp_path: Path) -> None:
    assert check(tmp_path, tmp_path) != []


def test_view_models_are_grouped_by_the_module_that_they_declare(trial: tuple[Path, Path]) -> None:
    models, _ = trial
    (modules,) = type_modules(models.rglob("*.py"))
    assert (modules.name, modules.major_version) == ("Trial.Models", 1)
    assert [path.name for path in modules.files] == ["kettle.py"]


def test_all_qml_of_snug_is_right() -> None:
    assert check(ROOT / "app" / "snug" / "ui", ROOT / "resources" / "qml") == []
