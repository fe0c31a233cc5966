"""`snug fit` and `snug recommend` as they are typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest

from snug import cli
from snug.commands import planned_memory
from snug.paths import Paths
from tests.formats.gguf_maker import Recipe, write_gguf
from tests.hub.server import Hub

ROOT = Path(__file__).parents[2]
PIP = ROOT / "resources" / "models" / "pip" / "pip-7m-Q8_0.gguf"
MACHINE = {"os": "linux", "cpu": {"name": "Some processor", "cores": 8, "features": ["avx2"]},
           "memory": {"total": 34359738368, "available": 30000000000, "bandwidth": 51200000000},
           "gpus": [{"name": "NVIDIA GeForce RTX 3060", "kind": "discrete", "memory_total": 12884901888,
                     "memory_free": 12400000000}]}  # fmt: skip
FACTS = {"repo": "Qwen/Qwen3-8B", "parameters": 8190735360, "active_parameters": None, "architecture": "qwen3",
         "layers": 36, "kv_heads": 8, "head_dim": 128, "hidden": 4096, "vocab": 151936, "context": 40960,
         "licence": "apache-2.0", "released": "2025-04-28", "capabilities": ["tool_use"], "gguf_repos": []}  # fmt: skip


class Typed:
    """Runs command lines in a folder with a machine file and a facts file."""

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.paths = Paths(folder / "home")
        self.machine = folder / "machine.json"
        self.machine.write_text(json.dumps(MACHINE), "utf-8")
        self.facts = folder / "facts.json"
        self.facts.write_text(json.dumps(FACTS), "utf-8")
        self._capfd = capfd

    def run(self, *arguments: str | Path) -> tuple[int, str, str]:
        code = cli.run([str(argument) for argument in arguments], self.paths)
        printed = self._capfd.readouterr()
        return code, printed.out, printed.err

    def document(self, *arguments: str | Path) -> dict[str, Any]:
        code, out, err = self.run(*arguments, "--json", "--machine", self.machine)
        assert (code, err) == (0, "")
        document = json.loads(out)
        assert isinstance(document, dict)
        return document


@pytest.fixture
def typed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Typed:
    return Typed(tmp_path, capfd)


def test_the_document_of_a_file_has_every_promised_figure(typed: Typed) -> None:
    document = typed.document("fit", PIP)
    assert document["verdict"] == "fits_well"
    assert document["why"].endswith(".")
    assert set(document["memory"]) >= {"weights", "conversation", "compute", "other", "total", "devices"}
    assert document["memory"]["weights"] >= 7_394_304
    for part in ("speed", "prefill"):
        assert document[part]["low"] < document[part]["mid"] < document[part]["high"]
    assert document["basis"] == "dry-run"
    assert document["model"]["exact"]


def test_a_plan_is_made_once(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    first = typed.document("fit", PIP, "--kv", "q8_0")
    monkeypatch.setattr(planned_memory, "WorkerClient", None)
    assert typed.document("fit", PIP, "--kv", "q8_0") == first
    assert first["basis"] == "dry-run"


def test_a_file_that_the_engine_refuses_is_answered_from_its_header(typed: Typed, tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "odd.gguf", Recipe("llama", vocabulary=64, layers=2, heads=4, kv_heads=3))
    code, out, err = typed.run("fit", path, "--json", "--machine", typed.machine)
    assert code == 0
    assert json.loads(out)["basis"] == "formula"
    assert "could not plan" in err
    assert err.count("\n") == 1


def test_a_facts_file_is_answered_with_estimates(typed: Typed) -> None:
    q4, q8 = (typed.document("fit", typed.facts, "--type", kind) for kind in ("Q4_K_M", "Q8_0"))
    assert q4["memory"]["weights"] == pytest.approx(5.03e9, rel=0.05)
    assert q8["memory"]["weights"] > 1.6 * q4["memory"]["weights"]
    assert not q4["model"]["exact"]
    assert q4["gpu_layers"] == 37


def test_context_and_conversation_type_change_the_need(typed: Typed) -> None:
    plain = typed.document("fit", typed.facts, "--context", "8192")
    small = typed.document("fit", typed.facts, "--context", "8192", "--kv", "q8_0")
    assert plain["context"] == small["context"] == 8192
    assert small["memory"]["conversation"] == pytest.approx(plain["memory"]["conversation"] * 8.5 / 16)


def test_the_words_say_verdict_reason_memory_and_speed(typed: Typed) -> None:
    code, out, err = typed.run("fit", typed.facts, "--machine", typed.machine)
    assert (code, err) == (0, "")
    assert "Qwen3-8B (8.2B, Q4_K_M): Fits well\nAll of it runs on the NVIDIA GeForce RTX 3060" in out
    assert "words a second" in out
    assert "estimates" in out


def test_what_is_loaded_beside_the_model_is_looked_into(typed: Typed, tmp_path: Path) -> None:
    """A password list or another model is no part that sees pictures, whatever its size."""
    projector, adapter = tmp_path / "mmproj.gguf", tmp_path / "lora.gguf"
    for path, architecture, kind in ((projector, "clip", "mmproj"), (adapter, "llama", "adapter")):
        writer = gguf.GGUFWriter(path, architecture)
        writer.add_type(kind)
        writer.add_tensor("v.weight", np.zeros((32, 32), dtype=np.float16))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    folder = tmp_path / "peft"
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}", "utf-8")
    (folder / "adapter_model.safetensors").write_bytes(bytes(5000))
    memory = typed.document("fit", PIP, "--projector", projector, "--adapter", adapter, "--adapter", folder)["memory"]
    assert memory["projector"] == pytest.approx(projector.stat().st_size + 256 * 2**20)
    assert memory["adapters"] == adapter.stat().st_size + 5000
    for option, wrong in (("--projector", PIP), ("--projector", adapter), ("--projector", ROOT / "pyproject.toml"),
                          ("--adapter", projector), ("--adapter", tmp_path)):  # fmt: skip
        code, out, err = typed.run("fit", PIP, option, wrong)
        assert (code, out) == (2, "")
        assert f"{wrong} is no {'adapter' if option == '--adapter' else 'part that sees pictures'}." in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nowhere.gguf",), "no file"),
        ((str(PIP), "--projector", "nowhere.gguf"), "no file"),
        (("a model that nobody has",), "no model called"),
        ((str(PIP), "--type", "Q4_K_M"), "is of the type Q8_0"),
        ((str(PIP), "--kv", "q9"), "is no type for conversation memory"),
        ((str(PIP), "--context", "0"), "between 1 and"),
        ((str(PIP), "--context", "many"), "no whole number"),
        ((str(ROOT / "pyproject.toml"),), "no GGUF file"),
        ((str(ROOT),), "is a folder"),
        ((str(PIP), "--machine", "nowhere.json"), "no such file"),
        ((str(PIP), "--machine", str(PIP)), "too large"),
        ((str(PIP), "--machine", str(ROOT / "README.md")), "cannot be used"),
        (("folder/nofile.gguf",), "no file"),
    ],
)
def test_bad_input_is_one_line_and_code_2(typed: Typed, arguments: tuple[str, ...], words: str) -> None:
    code, out, err = typed.run("fit", *arguments)
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "change",
    [{"memory": {"total": 0}}, {"memory": {"total": -5}}, {"memory": {"total": "16 GB"}}, {"memory": {}}, {"gpus": 7}],
)
def test_a_nonsense_machine_is_refused_by_both_commands(typed: Typed, change: dict[str, object]) -> None:
    typed.machine.write_text(json.dumps(MACHINE | change), "utf-8")
    for command in (("fit", typed.facts), ("recommend",)):
        code, out, err = typed.run(*command, "--machine", typed.machine)
        assert (code, out) == (2, "")
        assert "machine file cannot be used" in err


def test_recommend_prints_three_picks_with_their_fit(typed: Typed) -> None:
    document = typed.document("recommend", "--use", "code")
    assert [set(pick) >= {"name", "type", "why", "badge", "fit"} for pick in document["picks"]] == [True] * 3
    assert all(pick["fit"]["verdict"] != "too_big" for pick in document["picks"])
    code, out, _err = typed.run("recommend", "--machine", typed.machine)
    assert code == 0
    assert "snug get " in out


def test_recommend_is_honest_where_nothing_fits(typed: Typed) -> None:
    typed.machine.write_text(json.dumps({"memory": {"total": 10**8}}), "utf-8")
    document = typed.document("recommend")
    assert document["picks"] == []
    assert "No model fits" in document["why"]


def test_a_catalogue_model_is_answered_without_a_network(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    code, out, err = typed.run("fit", "Qwen/Qwen3-8B", "--json", "--machine", typed.machine)
    assert code == 0
    assert json.loads(out)["model"]["name"] == "Qwen3 8B"
    assert "Answering from the catalogue" in err


def test_a_repository_is_answered_from_its_files_header(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    with Hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        document = typed.document("fit", "snug-test/split-pip-GGUF:Q8_0")
        with_parts = document["model"]
        assert (with_parts["name"], with_parts["type"], with_parts["exact"]) == ("Pip 7M", "Q8_0", True)
        assert document["memory"]["weights"] >= 7_394_304
        assert document["basis"] == "dry-run"  # planned from the headers of all its parts
        remote = typed.document("fit", "snug-test/pip-7m-GGUF:Q8_0")
        assert (remote["basis"], remote["memory"]) == ("dry-run", typed.document("fit", PIP)["memory"])
        code, out, err = typed.run("fit", "snug-test/pip-7m:nothing.gguf", "--machine", typed.machine)
        assert (code, out) == (1, "")
        assert "no file" in err or "no nothing.gguf" in err
