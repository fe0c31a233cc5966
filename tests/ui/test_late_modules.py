"""Stand-ins for modules that are loaded only when something in them is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOOKS = {
    "as an attribute of the package": "import importlib.metadata; importlib.metadata.version",
    "by name": "from importlib.metadata import version",
    "after another import of the package": "import importlib, importlib.metadata; importlib.metadata.version",
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_a_module_behind_a_stand_in_is_there_when_it_is_asked_for(look: str) -> None:
    program = f"""
import sys
from snug.ui.late_modules import load_late
load_late()
assert "email" not in sys.modules
{look}
assert "email" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_the_windows_view_models_and_store_load_without_it() -> None:
    program = """
import sys
from snug.ui.late_modules import load_late
load_late()
import sqlalchemy
from pathlib import Path
from snug.store.plans import Plans
Plans(Path("a"), Path("b"))
assert "email" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
