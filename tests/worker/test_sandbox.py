"""The engine's child is shut in where the kernel can do it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from snug.core.errors import UserError
from snug.worker import protocol
from snug.worker.client import WorkerClient
from snug.worker.sandbox import landlock_version, restrict

needs_landlock = pytest.mark.skipif(landlock_version() == 0, reason="this kernel has no Landlock")

PROBE = """
import json, socket, sys
from pathlib import Path
from snug.worker.sandbox import restrict
model, secret, new = map(Path, sys.argv[1:4])
state = restrict([model.parent])
def attempt(action):
    try:
        action()
    except OSError:
        return False
    return True
print(json.dumps({
    "on": state.is_on,
    "model": attempt(lambda: model.read_bytes()),
    "secret": attempt(lambda: secret.read_bytes()),
    "write": attempt(lambda: new.write_bytes(b"x")),
    "write beside the model": attempt(lambda: (model.parent / "new").write_bytes(b"x")),
    "device": attempt(lambda: open("/dev/null", "wb").close()),
    "program": attempt(lambda: open(sys.executable, "rb").close()),
}))
"""


@pytest.fixture
def probed(tmp_path: Path) -> dict[str, bool]:
    (tmp_path / "models").mkdir()
    model, secret = tmp_path / "models" / "m.gguf", tmp_path / "diary.txt"
    model.write_bytes(b"weights")
    secret.write_bytes(b"dear diary")
    command = [sys.executable, "-c", PROBE, str(model), str(secret), str(tmp_path / "new")]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd="/")
    return dict(json.loads(finished.stdout))


@needs_landlock
def test_the_child_reads_its_model_and_the_system_and_nothing_else(probed: dict[str, bool]) -> None:
    assert probed == {
        "on": True,
        "model": True,
        "secret": False,
        "write": False,
        "write beside the model": False,
        "device": True,
        "program": True,
    }


@needs_landlock
def test_a_model_answers_from_inside_the_sandbox(start_child: Callable[[], WorkerClient], pip_path: str) -> None:
    child = start_child()
    loaded = child.request(protocol.LoadModel(path=pip_path, context=256), timeout=60)
    assert isinstance(loaded, protocol.ModelLoaded)
    assert "only its model" in loaded.sandbox


@needs_landlock
def test_a_second_model_from_another_folder_needs_a_new_child(
    start_child: Callable[[], WorkerClient], pip_path: str, tmp_path: Path
) -> None:
    other = tmp_path / "other.gguf"
    other.write_bytes(Path(pip_path).read_bytes())
    child = start_child()
    child.request(protocol.LoadModel(path=pip_path, context=256), timeout=60)
    with pytest.raises(UserError) as error:
        child.request(protocol.LoadModel(path=str(other), context=256), timeout=60)
    assert error.value.kind == "other-folder"


def test_the_sandbox_can_be_switched_off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SNUG_NO_SANDBOX", "1")
    assert not restrict([tmp_path]).is_on
