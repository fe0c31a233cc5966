"""A conversion in the child brings its checks with it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from snug.formats.random_checkpoint import TINY, write_checkpoint
from snug.worker.client import WorkerClient
from snug.worker.conversion_messages import (
    CompareModels,
    ConversionDone,
    ConversionProgress,
    ConversionSource,
    Convert,
    ModelsCompared,
)
from snug.worker.message import HubAccess
from tests.convert.checks.conftest import PIP
from tests.hub.blobs import Bytes
from tests.hub.content import Repository
from tests.hub.server import Hub

REPO = "maker/Tiny"
TOKENIZER = Path(__file__).parents[2] / "data" / "tokenizers" / "qwen2"


def converted(folder: Path, *, check: bool) -> tuple[ConversionDone, list[str]]:
    request = Convert(
        source=ConversionSource(path=str(PIP)), out=str(folder / "out.gguf"), type_name="Q6_K", threads=1, check=check
    )
    stages = []
    with WorkerClient(folder / "logs") as child:
        child.wait_ready()
        child.send(request)
        while True:
            event = child.next_frame(timeout=120).body
            if isinstance(event, ConversionProgress):
                stages.append(event.stage)
            elif isinstance(event, ConversionDone):
                return event, stages


def test_the_checks_come_with_the_result(tmp_path: Path) -> None:
    done, stages = converted(tmp_path, check=True)
    assert [check.name for check in done.checks][:4] == ["tokens", "template", "outliers", "memory"]
    assert all(check.ok for check in done.checks), [check for check in done.checks if not check.ok]
    assert done.sample
    assert done.tokens_per_s > 0
    assert 0 <= done.words_changed < 100
    assert 0 <= done.divergence < 0.1
    assert "checking" in stages


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    folder = write_checkpoint(tmp_path / "Tiny", TINY, shards=2)
    (folder / "tokenizer.model").unlink()
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(TOKENIZER / name, folder)
    files = {path.name: Bytes(path.read_bytes()) for path in folder.iterdir()}
    with Hub([Repository(REPO, files, tags=["safetensors"])]) as running:
        yield running


def test_a_small_model_of_the_hub_is_measured_against_its_original_and_compared_again_later(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNUG_HOME", str(tmp_path / "home"))
    source = ConversionSource(repo=REPO, access=HubAccess(endpoint=hub.endpoint))
    out = tmp_path / "models" / "out.gguf"
    request = Convert(source=source, out=str(out), type_name="Q4_K_M", threads=1)
    with WorkerClient(tmp_path / "logs") as child:
        done = child.request(request, timeout=120)
    assert isinstance(done, ConversionDone)
    checks = {check.name: check for check in done.checks}
    assert "compared" in checks["outliers"].words
    assert "same word as the original" in checks["quality"].words
    assert 0 <= done.words_changed < 500
    assert done.divergence > 0
    assert [path.name for path in out.parent.iterdir()] == ["out.gguf"]
    with WorkerClient(tmp_path / "logs") as child:
        compared = child.request(CompareModels(path=str(out), source=source), timeout=120)
    assert isinstance(compared, ModelsCompared)
    assert abs(compared.divergence - done.divergence) < 0.05
    assert not [path for path in (tmp_path / "home").rglob("*") if path.suffix in (".safetensors", ".gguf")]


def test_the_cache_of_the_hubs_own_library_is_read_through_its_links(tmp_path: Path) -> None:
    """There a folder named after a commit holds links to files that are named after their contents."""
    model = write_checkpoint(tmp_path / "model", TINY)
    (model / "tokenizer.model").unlink()
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(TOKENIZER / name, model)
    blobs, snapshot = (tmp_path / "models--maker--Tiny" / place for place in ("blobs", "snapshots/0123abc"))
    snapshot.mkdir(parents=True)
    model.rename(blobs)
    for path in blobs.iterdir():
        (snapshot / path.name).symlink_to(Path("../../blobs") / path.name)
    out = tmp_path / "made" / "out.gguf"
    request = Convert(source=ConversionSource(path=str(snapshot)), out=str(out), type_name="Q8_0", threads=1)
    with WorkerClient(tmp_path / "logs") as child:
        done = child.request(request, timeout=120)
    assert isinstance(done, ConversionDone)
    assert done.facts.name == "Tiny"
    checks = {check.name: check for check in done.checks}
    assert checks["tokens"].ok, checks["tokens"]
    assert checks["template"].ok, checks["template"]


def test_the_result_is_measured_on_the_persons_own_text(tmp_path: Path) -> None:
    said = [[{"role": "user", "text": "What is the capital of France? " * 60}, {"role": "assistant", "text": "Paris."}]]
    text = tmp_path / "own.jsonl"
    text.write_text("\n".join(json.dumps(turns) for turns in said * 4), encoding="utf-8")
    request = Convert(
        source=ConversionSource(path=str(PIP)), out=str(tmp_path / "out.gguf"), type_name="Q8_0", text=str(text),
        threads=1,
    )  # fmt: skip
    with WorkerClient(tmp_path / "logs") as child:
        done = child.request(request, timeout=120)
    assert isinstance(done, ConversionDone)
    [quality] = [check for check in done.checks if check.name == "quality"]
    assert "your text" in quality.words
    assert done.words_changed >= 0


def test_without_checks_nothing_is_run(tmp_path: Path) -> None:
    done, stages = converted(tmp_path, check=False)
    assert not done.checks
    assert "checking" not in stages
