"""`snug search`, `snug get` and `snug downloads` as a person types them, against the test Hub."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from snug.hub.patience import MIB
from tests.hub.blobs import Made
from tests.hub.conftest import left_behind
from tests.hub.content import Repository, gated_repository, pip_repository, split_repository, vision_repository
from tests.hub.pip_variants import pip_bytes
from tests.hub.request_log import covered
from tests.hub.server import Hub

BIG = "maker/big-GGUF"
BIG_SIZE = 16 * MIB


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    big = Repository(BIG, {"big-Q8_0.gguf": Made(pip_bytes, pad_to=BIG_SIZE, seed=4)}, tags=["gguf"])
    with Hub([pip_repository(), split_repository(), vision_repository(), gated_repository(), big]) as running:
        yield running


class Snug:
    """The command line with a home and a Hub of its own."""

    def __init__(self, hub: Hub, home: Path) -> None:
        self.home = home
        self.environment = {name: value for name, value in os.environ.items() if name not in ("HF_TOKEN", "HF_HOME")}
        self.environment |= {"SNUG_HOME": str(home), "HF_ENDPOINT": hub.endpoint}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "snug", *arguments],
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def __call__(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=90)
        assert process.returncode == code, err
        assert "Traceback" not in out + err
        return out, err


@pytest.fixture
def snug(hub: Hub, tmp_path: Path) -> Snug:
    hub.rate = 0
    hub.log.clear()
    return Snug(hub, tmp_path / "home")


def test_search_prints_names_and_one_document(snug: Snug) -> None:
    out, _ = snug("search", "pip")
    assert "snug-test/pip-7m-GGUF" in out
    assert "51 234 downloads" in out

    document, _ = snug("search", "vision", "pip", "--json")
    assert [model["repo"] for model in json.loads(document)["models"]] == ["snug-test/vision-pip-GGUF"]


def test_get_puts_the_named_type_into_the_library(snug: Snug) -> None:
    out, err = snug("get", "snug-test/pip-7m-GGUF:Q5_K_M")
    assert "in the library" in out
    assert "Checking that every byte is right" in err

    models = json.loads(snug("models", "--json")[0])["models"]
    (model,) = [model for model in models if model["source"] == "hub"]
    assert (model["file_type"], model["licence"], model["is_ours"]) == ("Q5_K_M", "cc0-1.0", True)
    assert Path(model["path"]).is_file()
    (row,) = json.loads(snug("downloads", "--json")[0])["downloads"]
    assert (row["state"], row["done_bytes"]) == ("done", row["total_bytes"])


def test_get_chooses_a_file_for_this_computer_and_takes_the_projector_along(snug: Snug) -> None:
    document = json.loads(snug("get", "snug-test/vision-pip-GGUF", "--json")[0])

    assert document["model"]["file_type"] == "Q8_0"  # the finest: it fits any computer
    assert Path(document["model"]["projector_path"]).is_file()


@pytest.mark.parametrize(
    ("what", "code", "words"),
    [
        ("not a name", 2, "not the name of a model"),
        ("nobody/nothing", 1, "is not on Hugging Face"),
        ("snug-test/pip-7m-GGUF:Q9_9", 1, "There are:"),
        ("snug-test/split-pip-GGUF:F16", 1, "split-pip-F16-00002-of-00003.gguf"),
        ("snug-test/gated-pip-GGUF:Q8_0", 1, "signed in"),
    ],
)
def test_what_cannot_be_got_is_one_line_with_a_reason(snug: Snug, what: str, code: int, words: str) -> None:
    out, err = snug("get", what, code=code)
    assert words in err
    assert out == "" or "Getting" in out


def test_s1_a_killed_get_goes_on_where_it_stopped(snug: Snug, hub: Hub) -> None:
    hub.rate = MIB
    process = snug.start("get", BIG)
    assert process.stderr is not None
    for line in process.stderr:
        if " % of " in line and int(line.split(" %")[0]) >= 30:
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    hub.rate = 0

    snug("get", BIG)

    file = f"{BIG}/big-Q8_0.gguf"
    assert covered(hub.log.sent_ranges(file)) == BIG_SIZE
    assert hub.log.bytes_sent_twice(file) <= 6 * MIB  # of 16: steps of 4 connections
    assert left_behind(snug.home / "models") == []
    (row,) = json.loads(snug("downloads", "--json")[0])["downloads"]
    assert row["state"] == "done"


def test_a_token_reaches_the_hub_and_no_file(snug: Snug, hub: Hub) -> None:
    snug.environment["HF_TOKEN"] = "hf_granted"
    snug("get", "snug-test/gated-pip-GGUF:Q8_0")

    assert any(entry.authorised for entry in hub.log.entries(where="hub"))
    assert not any(entry.authorised for entry in hub.log.entries(where="cdn"))
    kept = [path for path in snug.home.rglob("*") if path.is_file() and b"hf_granted" in path.read_bytes()]
    assert kept == []
