"""Model files on this computer: what a child says of one, and of all that other apps keep."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from snug.core.errors import UserError
from snug.worker import protocol
from snug.worker.client import WorkerClient
from snug.worker.handlers import files
from snug.worker.loop import Job, Stopped

StartChild = Callable[[], WorkerClient]


class RecordingLoop:
    """Takes what a job says; `stop_after` events the parent wants it to stop."""

    def __init__(self, stop_after: int = 1000) -> None:
        self.sent: list[protocol.Event] = []
        self.stop_after = stop_after

    def send(self, number: int, event: protocol.Event) -> None:
        self.sent.append(event)

    def is_cancelled(self, number: int) -> bool:
        return len(self.sent) >= self.stop_after


def test_a_file_is_inspected_with_its_hash(start_child: StartChild, pip_path: str) -> None:
    heard: list[object] = []
    answer = start_child().request(protocol.InspectFile(path=pip_path, check_hash=True), on_event=heard.append)
    assert isinstance(answer, protocol.FileInspected)
    assert answer.sha256 == hashlib.sha256(Path(pip_path).read_bytes()).hexdigest()
    assert (answer.path, answer.parts) == (pip_path, [pip_path])
    assert answer.facts.architecture == "llama"
    assert any(isinstance(event, protocol.Progress) and event.done == event.total > 0 for event in heard)


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("absent.gguf", None, "no-file"),
        ("x" * 300, None, "no-file"),
        ("nul\0.gguf", None, "no-file"),
        ("empty.gguf", b"", "bad-gguf"),
        ("page.gguf", b"<!doctype html><html>" + b"x" * 99, "bad-gguf"),
        ("part-00002-of-00003.gguf", b"GGUF", "missing-part"),
        ("part-99999-of-00002.gguf", b"GGUF", "missing-part"),
        ("part-00001-of-99999.gguf", b"GGUF", "missing-part"),
    ],
)
def test_a_bad_file_is_a_clear_error(
    start_child: StartChild, tmp_path: Path, name: str, content: bytes | None, kind: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError) as error:
        start_child().request(protocol.InspectFile(path=str(path)))
    assert (error.value.kind, error.value.bad_input) == (kind, True)
    assert "Traceback" not in error.value.details


def test_a_folder_is_not_a_model_file(start_child: StartChild, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is a folder"):
        start_child().request(protocol.InspectFile(path=str(tmp_path)))


def test_hashing_stops_on_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "big.gguf"
    path.write_bytes(b"\0" * 100_000)
    monkeypatch.setattr(files, "CHUNK_BYTES", 1000)
    loop = RecordingLoop(stop_after=1)
    with pytest.raises(Stopped):
        files.hash_of((path,), Job(1, loop))  # type: ignore[arg-type]
    assert len(loop.sent) == 1


def test_a_scan_lists_usable_models_and_says_why_others_are_not(
    start_child: StartChild, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pip_path: str
) -> None:
    home = tmp_path / "person"
    studio = home / ".lmstudio" / "models" / "snug" / "pip-GGUF"
    studio.mkdir(parents=True)
    shutil.copy(pip_path, studio / "pip-7m-Q8_0.gguf")
    (studio / "damaged.gguf").write_bytes(b"GGUF" + b"\xff" * 200)
    ollama = home / ".ollama" / "models"
    digest = hashlib.sha256(Path(pip_path).read_bytes()).hexdigest()
    (ollama / "blobs").mkdir(parents=True)
    shutil.copy(pip_path, ollama / "blobs" / f"sha256-{digest}")
    manifest = ollama / "manifests" / "registry.ollama.ai" / "library" / "pip" / "latest"
    manifest.parent.mkdir(parents=True)
    layer = {
        "mediaType": "application/vnd.ollama.image.model",
        "digest": f"sha256:{digest}",
        "size": Path(pip_path).stat().st_size,
    }
    manifest.write_text(json.dumps({"schemaVersion": 2, "layers": [layer]}))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    answer = start_child().request(protocol.ScanFolders())
    assert isinstance(answer, protocol.ScanDone)
    assert [(model.app, model.name) for model in answer.found] == [
        ("LM Studio", "pip-7m-Q8_0"),
        ("Ollama", "pip:latest"),
    ]
    assert all(model.facts.parameters == 6950144 and model.parts == [model.path] for model in answer.found)
    assert [Path(path).name for path, _ in answer.skipped] == ["damaged.gguf"]
    assert ("Ollama", str(ollama)) in answer.looked_in
