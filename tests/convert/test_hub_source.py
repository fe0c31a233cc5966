"""Conversions straight from the Hub: a real client, a server on loopback, shard by shard."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from snug.convert.conversion import Report, Result, Settings, convert
from snug.convert.open_source import open_local, open_remote
from snug.convert.pipeline import Stopped
from snug.convert.source import Source
from snug.core.errors import UserError
from snug.formats.random_checkpoint import LlamaShape, write_checkpoint
from snug.hub.remote import Access
from snug.worker import protocol
from snug.worker.client import WorkerClient
from snug.worker.conversion_messages import (
    ConversionDone,
    ConversionPreviewed,
    ConversionSource,
    Convert,
    PreviewConversion,
)
from tests.convert.test_lora_source import write_adapter
from tests.hub.blobs import Bytes
from tests.hub.content import Repository
from tests.hub.server import Hub

REPO = "maker/Tiny-Llama"
SHAPE = LlamaShape(layers=6, width=512, feed_forward=1024, heads=8, kv_heads=4, vocabulary=2048)
SHARDS = 4


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("checkpoint") / "Tiny-Llama", SHAPE, shards=SHARDS)


@pytest.fixture(scope="module")
def wanted(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    with open_local(checkpoint) as source:
        return made(source, tmp_path_factory.mktemp("whole") / "whole.gguf").sha256


@pytest.fixture
def repository(checkpoint: Path) -> Repository:
    files = {path.name: Bytes(path.read_bytes()) for path in checkpoint.iterdir()}
    files |= {name: Bytes(b"import os\n", in_lfs=False) for name in ("modeling_tiny.py", "pytorch_model.bin")}
    return Repository(REPO, files, tags=["safetensors"])


@pytest.fixture
def hub(repository: Repository) -> Iterator[Hub]:
    with Hub([repository]) as running:
        yield running


def opened(hub: Hub, folder: Path, repo: str = REPO) -> Source:
    access = Access(endpoint=hub.endpoint)
    return open_remote(access, repo, "main", cache=folder / "cache", shards=folder / "out.gguf.fetching")


def made(
    source: Source,
    out: Path,
    stop_after: int = 10**9,
    reports: list[Report] | None = None,
    types: str = "Q4_K_M",
) -> Result:
    reports = [] if reports is None else reports
    return convert(
        source,
        out,
        Settings(types),
        on_progress=reports.append,
        is_cancelled=lambda: len(reports) >= stop_after,
    )


def shards_here(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*.safetensors"))


def test_the_plan_is_known_from_the_headers_before_any_shard_is_fetched(hub: Hub, tmp_path: Path) -> None:
    with opened(hub, tmp_path) as source:
        assert source.parameters == SHAPE.parameters
        assert source.fetch_bytes > source.largest_shard_bytes > 0
    assert shards_here(tmp_path) == []


def test_licence_tags_origin_templates_and_pooling_come_along(
    hub: Hub, repository: Repository, checkpoint: Path, tmp_path: Path
) -> None:
    head = "license: apache-2.0\ntags: [small]\nlanguage: [en, de]\nbase_model: maker/Larger-7B"
    beside = {
        "README.md": f"---\n{head}\n---\n# Tiny",
        "chat_template.jinja": "{{ messages }}",
        "additional_chat_templates/tools.jinja": "{{ tools }}",
        "modules.json": '[{"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}]',
        "1_Pooling/config.json": '{"pooling_mode_mean_tokens": true}',
    }
    folder = tmp_path / "Tiny-Llama"
    shutil.copytree(checkpoint, folder)
    for name, text in beside.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
        repository.files[name] = Bytes(text.encode(), in_lfs=False)
    with opened(hub, tmp_path) as source, open_local(folder) as local:
        assert source.entries(15, 2) == local.entries(15, 2)
        found = {meta.key: meta.value for meta in source.metadata}
    assert found["general.license"] == "apache-2.0"
    assert found["general.tags"] == ["small"]
    assert found["general.languages"] == ["en", "de"]
    assert found["general.base_model.0.repo_url"] == "https://huggingface.co/maker/Larger-7B"
    assert found["tokenizer.chat_template.tools"] == "{{ tools }}"
    assert found["llama.pooling_type"] == 1


def test_an_adapter_on_the_hub_becomes_the_file_that_it_becomes_here(
    hub: Hub, checkpoint: Path, tmp_path: Path
) -> None:
    adapter = write_adapter(tmp_path / "Tiny-Adapter", REPO, SHAPE)
    with open_local(adapter, base=checkpoint) as local:
        wanted_sha = made(local, tmp_path / "local.gguf", types="F32").sha256
    files = {path.name: Bytes(path.read_bytes()) for path in adapter.iterdir()}
    hub.repositories["maker/Tiny-Adapter"] = Repository("maker/Tiny-Adapter", files)
    hub.log.clear()
    with opened(hub, tmp_path, "maker/Tiny-Adapter") as source:
        assert source.kind == "lora"
        result = made(source, tmp_path / "out.gguf", types="F32")
    assert result.sha256 == wanted_sha
    asked = {entry.path.rsplit("/", 1)[-1] for entry in hub.log.entries() if REPO in entry.path}
    assert not [name for name in asked if name.endswith(".safetensors")]
    assert shards_here(tmp_path / "cache") == []
    assert not (tmp_path / "out.gguf.fetching").exists()


def test_an_adapter_on_the_hub_that_names_no_model_says_what_to_do(hub: Hub, tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "adapter", "/home/maker/model", SHAPE)
    files = {path.name: Bytes(path.read_bytes()) for path in adapter.iterdir()}
    hub.repositories["maker/lost"] = Repository("maker/lost", files)
    with pytest.raises(UserError) as caught:
        opened(hub, tmp_path, "maker/lost")
    assert "--base" in caught.value.advice


def test_shards_come_one_by_one_and_go_when_they_were_used(hub: Hub, wanted: str, tmp_path: Path) -> None:
    most = 0

    class Watching(list[Report]):
        def append(self, report: Report) -> None:
            nonlocal most
            most = max(most, len(shards_here(tmp_path)))
            super().append(report)

    reports = Watching()
    with opened(hub, tmp_path) as source:
        result = made(source, tmp_path / "out.gguf", reports=reports)
    assert result.sha256 == wanted
    assert {report.stage for report in reports} == {"fetching", "converting", "verifying"}
    assert most <= 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "out.gguf"]


def test_code_and_pickles_are_never_asked_for(hub: Hub, tmp_path: Path) -> None:
    with opened(hub, tmp_path) as source:
        made(source, tmp_path / "out.gguf")
    asked = " ".join(entry.path for entry in hub.log.entries())
    assert ".safetensors" in asked
    assert ".py" not in asked
    assert ".bin" not in asked
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".py", ".bin")]


def test_a_stopped_conversion_goes_on_without_fetching_used_shards_again(
    hub: Hub, wanted: str, tmp_path: Path, checkpoint: Path
) -> None:
    reports: list[Report] = []

    def second_shard_is_used() -> bool:
        return len(reports) > 5 and reports[-1].stage == "fetching" and "00003" in reports[-1].doing

    with opened(hub, tmp_path) as source, pytest.raises(Stopped):
        convert(
            source,
            tmp_path / "out.gguf",
            Settings("Q4_K_M"),
            on_progress=reports.append,
            is_cancelled=second_shard_is_used,
        )
    assert not (tmp_path / "out.gguf").exists()
    hub.log.clear()
    with opened(hub, tmp_path) as source:
        result = made(source, tmp_path / "out.gguf")
    assert result.sha256 == wanted
    assert result.resumed_from > 0
    first = f"{REPO}/model-00001-of-0000{SHARDS}.safetensors"
    size = (checkpoint / f"model-00001-of-0000{SHARDS}.safetensors").stat().st_size
    assert sum(end - begin for begin, end in hub.log.sent_ranges(first)) < size  # its header alone


def test_a_new_commit_begins_anew(hub: Hub, repository: Repository, tmp_path: Path) -> None:
    reports: list[Report] = []
    with opened(hub, tmp_path) as source, pytest.raises(Stopped):
        made(source, tmp_path / "out.gguf", stop_after=12, reports=reports)
    repository.replace_file("README.md", Bytes(b"new", in_lfs=False))
    with opened(hub, tmp_path) as source:
        assert made(source, tmp_path / "out.gguf").resumed_from == 0


@pytest.mark.parametrize("name", ["../../evil.safetensors", "/etc/x.safetensors", "a\\b.safetensors", ".x.safetensors"])
def test_shard_names_that_lead_elsewhere_are_refused(
    name: str, hub: Hub, repository: Repository, tmp_path: Path
) -> None:
    index = json.loads(repository.files["model.safetensors.index.json"].read(0, 10**7))
    index["weight_map"] = dict.fromkeys(index["weight_map"], name)
    repository.files["model.safetensors.index.json"] = Bytes(json.dumps(index).encode(), in_lfs=False)
    with pytest.raises(UserError) as caught:
        opened(hub, tmp_path)
    assert caught.value.kind == "unsafe-checkpoint"
    assert shards_here(tmp_path) == []


def test_a_missing_shard_is_named_before_anything_is_fetched(hub: Hub, repository: Repository, tmp_path: Path) -> None:
    del repository.files[f"model-00003-of-0000{SHARDS}.safetensors"]
    with pytest.raises(UserError) as caught:
        opened(hub, tmp_path)
    assert caught.value.kind == "missing-part"
    assert "00003" in caught.value.title


def test_a_repository_of_pickles_and_one_of_nothing_are_refused_in_words(hub: Hub, tmp_path: Path) -> None:
    hub.repositories["maker/old"] = Repository(
        "maker/old", {"config.json": Bytes(b"{}"), "pytorch_model.bin": Bytes(b"PK")}
    )
    hub.repositories["maker/none"] = Repository("maker/none", {"config.json": Bytes(b"{}")})
    kinds = []
    for repo in ("maker/old", "maker/none"):
        with pytest.raises(UserError) as caught:
            opened(hub, tmp_path, repo)
        assert caught.value.bad_input
        kinds.append(caught.value.kind)
    assert kinds[1] == "no-checkpoint"
    assert kinds[0] != kinds[1]


def test_a_damaged_shard_is_fetched_again_or_refused(hub: Hub, repository: Repository, tmp_path: Path) -> None:
    name = f"model-00002-of-0000{SHARDS}.safetensors"
    blob = repository.files[name]
    raw = bytearray(blob.read(0, blob.size))
    promised = blob.sha256
    raw[-100] ^= 1

    class Damaged(Bytes):
        """Says that it is what it was."""

        @property
        def sha256(self) -> str:
            return promised

    repository.files[name] = Damaged(bytes(raw))
    with opened(hub, tmp_path) as source, pytest.raises(UserError) as caught:
        made(source, tmp_path / "out.gguf")
    assert caught.value.kind == "source-damaged"
    assert not (tmp_path / "out.gguf").exists()


def test_the_identity_is_that_of_the_commit(hub: Hub, tmp_path: Path) -> None:
    with opened(hub, tmp_path) as one, opened(hub, tmp_path / "other") as other:
        assert one.identity == other.identity
        assert hashlib.sha256(b"").hexdigest() != one.identity


def test_the_child_converts_from_the_hub_shut_in(
    hub: Hub, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNUG_HOME", str(tmp_path / "home"))
    source = ConversionSource(repo=REPO, access=protocol.HubAccess(endpoint=hub.endpoint))
    out = tmp_path / "models" / "out.gguf"
    with WorkerClient(tmp_path / "logs") as child:
        previewed = child.request(PreviewConversion(source=source, folder=str(tmp_path)), timeout=60)
    assert isinstance(previewed, ConversionPreviewed)
    assert previewed.fetch_bytes > previewed.working_bytes > 0
    with WorkerClient(tmp_path / "logs") as child:
        request = Convert(source=source, out=str(out), type_name="Q4_K_M", check=False)
        done = child.request(request, timeout=60)
    assert isinstance(done, ConversionDone)
    assert done.sha256 == wanted
    assert [path.name for path in out.parent.iterdir()] == ["out.gguf"]
