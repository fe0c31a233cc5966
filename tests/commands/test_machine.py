"""`snug machine` as it is typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from snug.core.machine_document import machine_from_document
from snug.paths import Paths
from snug.store import open_store


def snug(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "snug", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture(autouse=True)
def own_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNUG_HOME", str(home))


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What `snug machine --json` prints here, the bandwidth measured where the native module is built."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SNUG_HOME", str(tmp_path_factory.mktemp("home")))
        done = snug("machine", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_the_document_is_a_machine_file(document: dict[str, object]) -> None:
    machine = machine_from_document(document)
    assert machine.memory.total >= machine.memory.available > 0
    assert machine.cpu.cores >= 1
    assert machine.engine_devices
    assert machine.disks


def test_every_figure_of_the_document_has_a_source_or_a_reason(document: dict[str, object]) -> None:
    machine = machine_from_document(document)
    for key in ("cpu.name", "cpu.cores", "cpu.features", "memory.total", "memory.available", "memory.bandwidth"):
        assert (key in machine.sources) != (key in machine.unread), key


def test_the_words_name_the_sources(home: Path) -> None:
    done = snug("machine", "--quick")
    assert (done.returncode, done.stderr) == (0, "")
    assert "free for a model" in done.stdout
    assert "[" in done.stdout
    assert "measured here" not in done.stdout
    assert "Traceback" not in done.stdout


def test_the_machine_file_is_accepted_by_recommend(home: Path, document: dict[str, object], tmp_path: Path) -> None:
    file = tmp_path / "machine.json"
    file.write_text(json.dumps(document))
    done = snug("recommend", "--machine", str(file), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)


def test_what_changed_is_said_until_it_is_noted(home: Path, document: dict[str, object]) -> None:
    card = {"name": "NVIDIA GeForce RTX 9999", "kind": "discrete", "memory_total": 12 * 2**30, "vendor": "nvidia"}
    before = machine_from_document({**document, "gpus": [card]})
    store, _ = open_store(Paths(home))
    store.machine.remember(before)
    store.close()
    said = snug("machine", "--quick")
    assert "New since last time: NVIDIA GeForce RTX 9999 is gone" in said.stdout
    changes = json.loads(snug("machine", "--quick", "--json").stdout)["changes"]
    assert changes == [line for line in changes if "RTX 9999 is gone" in line] != []
    noted = snug("machine", "--quick", "--noted")
    assert (noted.returncode, noted.stderr) == (0, "")
    assert "RTX 9999" in noted.stdout
    assert "RTX 9999" not in snug("machine", "--quick").stdout


def test_a_figure_can_be_corrected_and_taken_back(home: Path) -> None:
    said = snug("machine", "--quick", "--correct", "memory.bandwidth=51.2", "--json")
    assert (said.returncode, said.stderr) == (0, "")
    machine = machine_from_document(json.loads(said.stdout))
    assert machine.memory.bandwidth == 51.2e9
    assert machine.sources["memory.bandwidth"].startswith("corrected by you")
    assert "51 GB a second   [corrected by you" in snug("machine", "--quick").stdout
    assert "corrected by you" not in snug("machine", "--quick", "--take-back", "memory.bandwidth").stdout
    assert "corrected by you" not in snug("machine", "--quick").stdout


@pytest.mark.parametrize(
    "figure", ["memory.total=lots", "memory.total=0", "memory.total", "gpus.7.memory_total=8", "x=1"]
)
def test_a_nonsense_correction_is_refused_in_one_line(home: Path, figure: str) -> None:
    said = snug("machine", "--quick", "--correct", figure)
    assert said.returncode == 2
    assert said.stdout == ""
    assert len(said.stderr.strip().splitlines()) == 1


def test_the_document_names_who_holds_memory_and_where_two_sources_differ(document: dict[str, object]) -> None:
    machine = machine_from_document(document)
    sizes = [holder.size_bytes for holder in machine.memory_holders]
    assert sizes == sorted(sizes, reverse=True)
    assert isinstance(document["disagreements"], list)
