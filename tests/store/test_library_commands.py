"""`snug models`, `add`, `remove` and `scan`, as typed, with real children."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snug.cli import run_command
from snug.commands.command import Context
from snug.commands.library import COMMANDS
from snug.core.errors import UserError
from snug.paths import Paths, resources_folder
from snug.store import InstanceLock, NewModel, Store

Snug = Callable[..., tuple[int, str, str]]
PIP = resources_folder() / "models" / "pip" / "pip-7m-Q8_0.gguf"


@pytest.fixture
def snug(paths: Paths) -> Snug:
    """Runs a command line; its exit code, output and errors."""
    import argparse

    def run(name: str, *arguments: str, is_json: bool = False) -> tuple[int, str, str]:
        command = next(command for command in COMMANDS if command.name == name)
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        context = Context(paths, json=is_json, out=io.StringIO(), err=io.StringIO())
        code = run_command(command, parser.parse_args(arguments), context)
        return code, context.out.getvalue(), context.err.getvalue()  # type: ignore[attr-defined]

    return run


def document(answer: tuple[int, str, str]) -> dict[str, Any]:
    code, out, _ = answer
    assert code == 0
    found = json.loads(out)
    assert isinstance(found, dict)
    return found


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    return Path(shutil.copyfile(PIP, tmp_path / "mine.gguf"))


def test_a_new_library_holds_pip(snug: Snug) -> None:
    assert [model["source"] for model in document(snug("models", is_json=True))["models"]] == ["built-in"]
    code, out, err = snug("models")
    assert (code, err) == (0, "")
    assert "Pip, a tiny test model  Q8_0, 7.5 MB" in out


def test_a_file_is_validated_and_used_in_place(snug: Snug, gguf: Path) -> None:
    added = document(snug("add", str(gguf), "--name", "Mine", is_json=True))["added"]
    assert (added["name"], added["path"], added["is_ours"]) == ("Mine", str(gguf), False)
    assert added["facts"]["parameters"] == 6_950_144
    assert len(document(snug("models", is_json=True))["models"]) == 2


def test_adding_twice_and_adding_pip_change_nothing(snug: Snug, gguf: Path) -> None:
    snug("add", str(gguf))
    snug("add", str(gguf))
    snug("add", str(PIP))
    models = document(snug("models", is_json=True))["models"]
    assert [model["source"] for model in models] == ["file", "built-in"]


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"GGUF" + b"\xff" * 60, b"GGUF\x03\0\0\0" + b"\0" * 16, bytes(range(256)) * 16],
    ids=["empty", "web page", "absurd counts", "no tensors", "noise"],
)
def test_a_bad_file_is_refused_in_one_line(snug: Snug, tmp_path: Path, content: bytes) -> None:
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(content)
    code, out, err = snug("add", str(bad))
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert len(document(snug("models", is_json=True))["models"]) == 1


def test_a_file_that_is_not_there_is_bad_input(snug: Snug) -> None:
    code, _, err = snug("add", "/no/such/file.gguf")
    assert code == 2
    assert "There is no file" in err


def test_removing_needs_a_yes_and_leaves_the_persons_file(snug: Snug, gguf: Path) -> None:
    snug("add", str(gguf), "--name", "Mine")
    code, _, err = snug("remove", "mine", is_json=True)
    assert code == 2
    assert "--yes" in err
    assert document(snug("remove", "MINE", "--yes", is_json=True)) == {"removed": "Mine", "files": [], "freed_bytes": 0}
    assert gguf.exists()
    assert len(document(snug("models", is_json=True))["models"]) == 1


def test_pip_cannot_be_removed(snug: Snug) -> None:
    code, _, err = snug("remove", "pip", "--yes")
    assert code == 2
    assert "part of Snug" in err


def test_a_name_that_could_mean_two_models_is_asked_back(snug: Snug, gguf: Path, tmp_path: Path) -> None:
    other = shutil.copyfile(PIP, tmp_path / "other.gguf")
    snug("add", str(gguf), "--name", "Big one")
    snug("add", str(other), "--name", "Big two")
    code, _, err = snug("remove", "big", "--yes")
    assert code == 2
    assert "Big one (2), Big two (3)" in err
    assert document(snug("remove", "3", "--yes", is_json=True))["removed"] == "Big two"
    assert document(snug("remove", "mine.gguf", "--yes", is_json=True))["removed"] == "Big one"


def test_the_window_keeps_writers_out_but_not_readers(snug: Snug, paths: Paths, gguf: Path) -> None:
    lock = InstanceLock(paths)
    assert snug("models")[0] == 0
    assert lock.acquire()
    assert snug("models")[0] == 0
    code, _, err = snug("add", str(gguf))
    assert code == 1
    assert "Snug is already open" in err
    lock.release()


def test_models_of_other_apps_are_found_and_used_in_place(
    snug: Snug, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "HF_HOME", "HF_HUB_CACHE", "OLLAMA_MODELS"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "person" / ".lmstudio" / "models" / "maker" / "model"
    folder.mkdir(parents=True)
    shutil.copyfile(PIP, folder / "model-Q8_0.gguf")
    (folder / "broken.gguf").write_bytes(b"<html>")

    found = document(snug("scan", "--add", is_json=True))

    assert [(model["app"], model["path"]) for model in found["found"]] == [
        ("LM Studio", str(folder / "model-Q8_0.gguf"))
    ]
    assert found["added"] == 1
    assert document(snug("scan", "--add", is_json=True))["added"] == 0
    sources = [model["source"] for model in document(snug("models", is_json=True))["models"]]
    assert sources == ["app:LM Studio", "built-in"]


def test_what_snug_fetched_is_kept_when_its_file_is_added_by_hand(
    snug: Snug, opened: Callable[[], Store], gguf: Path, paths: Paths
) -> None:
    store = opened()
    fetched = paths.models / "fetched.gguf"
    fetched.parent.mkdir(parents=True)
    shutil.copyfile(gguf, fetched)
    facts = store.models.all()[0].facts
    store.models.add(NewModel("Fetched", str(fetched), facts, source="hub", repo="a/b", is_ours=True))
    store.close()
    assert document(snug("add", str(fetched), is_json=True))["added"]["is_ours"]
    removed = document(snug("remove", "Fetched", "--yes", is_json=True))
    assert removed == {"removed": "Fetched", "files": [str(fetched)], "freed_bytes": 7_526_048}
    assert not fetched.exists()


def test_a_missing_name_is_said() -> None:
    from snug.commands.library import model_named

    with pytest.raises(UserError) as caught:
        model_named([], " ")
    assert caught.value.kind == "no-such-model"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such a name")
def test_a_file_name_that_is_no_text_costs_only_that_file(snug: Snug, gguf: Path) -> None:
    shutil.copy(gguf, os.fsencode(gguf.parent) + b"/caf\xe9.gguf")
    answer = document(snug("scan", str(gguf.parent), is_json=True))
    assert [model["path"] for model in answer["found"]] == [str(gguf)]
    assert "rename it" in answer["skipped"][0][1]
    code, _, err = snug("add", os.fsdecode(os.fsencode(gguf.parent) + b"/caf\xe9.gguf"))
    assert (code, "no text" in err) == (2, True)


def test_a_folder_that_is_not_there_is_said(snug: Snug, tmp_path: Path) -> None:
    code, _, err = snug("scan", str(tmp_path / "nowhere"))
    assert (code, "There is no folder" in err) == (2, True)
