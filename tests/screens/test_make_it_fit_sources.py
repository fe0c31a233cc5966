"""Make it fit from the Hub: links of all kinds, what keeps a model from being made, and work that was interrupted."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from snug.formats.random_checkpoint import TINY, write_checkpoint
from snug.main import Rooms
from tests.convert.test_lora_source import write_adapter
from tests.hub.blobs import Blob, Bytes
from tests.hub.content import Repository
from tests.hub.pip_variants import pip_bytes
from tests.hub.server import Hub
from tests.screens.conftest import Hands

LIMIT_MS = 90_000
TOKENIZER = Path(__file__).parents[1] / "data" / "tokenizers" / "qwen2"
SLOW_BYTES_PER_S = 400_000


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Blob]:
    """A small model with a tokenizer that reads any text."""
    folder = write_checkpoint(tmp_path_factory.mktemp("checkpoint") / "Tiny", TINY, shards=2)
    (folder / "tokenizer.model").unlink()
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(TOKENIZER / name, folder)
    return {path.name: Bytes(path.read_bytes()) for path in folder.iterdir()}


@pytest.fixture
def hub(checkpoint: dict[str, Blob], monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    finished: dict[str, Blob] = {"pip-Q8_0.gguf": Bytes(pip_bytes())}
    with Hub(
        [
            Repository("maker/Tiny", dict(checkpoint), tags=["safetensors"]),
            Repository("maker/Both", {**checkpoint, **finished}, tags=["safetensors", "gguf"]),
            Repository("maker/Pip-GGUF", finished, tags=["gguf"]),
            Repository("maker/Asks", dict(checkpoint), gated="manual", granted=frozenset({"hf_granted"})),
        ]
    ) as running:
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        yield running


def paste(hands: Hands, text: str) -> None:
    """Put a text into the line as a person does, and wait for what comes of it."""
    fit = hands.rooms.fit
    hands.go("fit")
    hands.click("fitSource")
    hands.app.copy(text)
    hands.item("fitSource").selectAll()
    hands.item("fitSource").paste()
    hands.item("fitSource").textEdited.emit()
    hands.bot.waitUntil(lambda: fit.phase == "ready" or fit.problem.title != "", timeout=LIMIT_MS)
    hands.settle()


def wait_for(hands: Hands, phase: str) -> None:
    fit = hands.rooms.fit

    def is_there() -> None:
        assert fit.phase == phase, f"{fit.sourceText}: {fit.problem.title} {fit.problem.advice} {fit.problem.details}"

    hands.bot.waitUntil(is_there, timeout=LIMIT_MS)
    hands.settle()


def made(hands: Hands) -> list:
    return [model for model in hands.rooms.store.models.all() if model.source == "made"]


def test_a_link_becomes_a_measured_file_that_the_library_and_a_comparison_agree_on(hub: Hub, hands: Hands) -> None:
    paste(hands, f"  {hub.endpoint}/maker/Tiny/tree/main?library=true ")
    assert "to fetch" in hands.text("fitSentence")
    assert any("qwen2" in detail for detail in hands.rooms.fit.details)
    assert not any("qwen2" in name for name in hands.spoken()), "technical findings are folded away"
    assert not hands.is_shown("fitFinished")
    hands.save_pictures("make-it-fit-link")
    hands.click("makeIt")
    wait_for(hands, "done")
    assert "same word as the original" in " ".join(str(item.property("text")) for item in hands.items("fitCheck"))
    assert "Comparing fetches" in hands.text("fitCompareCost")
    assert not hands.nameless()
    assert not hands.outside()
    hands.click("fitCompare")
    hands.bot.waitUntil(lambda: hands.rooms.fit.result.comparison != "", timeout=LIMIT_MS)
    hands.settle()
    said = hands.text("fitComparison")
    assert "of 1,000 words the same" in said
    hands.save_pictures("make-it-fit-compared")
    [model] = made(hands)
    assert hands.rooms.store.file_quality.words_same(model.sha256) == int(said.split()[0])
    hands.go("library")
    row = next(row for row in hands.rooms.library.rows.rows() if row["modelId"] == model.id)
    assert " ".join(said.split()[:5]) in row["line"]
    hands.save_pictures("library-made-here")


def test_a_second_file_of_the_same_kind_gets_a_name_of_its_own(hub: Hub, hands: Hands) -> None:
    for _ in range(2):
        paste(hands, "maker/Tiny")
        hands.click("makeIt")
        wait_for(hands, "done")
        hands.click("fitAnother")
        wait_for(hands, "ready")
    assert len({Path(model.path).name for model in made(hands)}) == 2


def test_finished_files_beside_the_weights_are_offered_in_discover(hub: Hub, hands: Hands) -> None:
    paste(hands, "maker/Both")
    assert "Finished files" in hands.text("fitFinished")
    hands.click("fitShowFinished")
    assert hands.app.screen == "discover"
    assert hands.item("search").property("text") == "maker/Both"


@pytest.mark.parametrize("text", ["maker/Pip-GGUF", "{hub}/maker/Pip-GGUF/blob/main/pip-Q8_0.gguf"])
def test_a_finished_file_leads_to_discover(text: str, hub: Hub, hands: Hands) -> None:
    paste(hands, text.format(hub=hub.endpoint))
    assert hands.text("fitProblemAction") == "Show it in Discover"
    hands.click("fitProblemAction")
    assert hands.app.screen == "discover"
    assert hands.item("search").property("text") == "maker/Pip-GGUF"


def test_an_adapter_is_no_model_to_be_made(hub: Hub, hands: Hands, tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "adapter", "maker/Tiny", TINY)
    files: dict[str, Blob] = {path.name: Bytes(path.read_bytes()) for path in adapter.iterdir()}
    hub.repositories["maker/Adapter"] = Repository("maker/Adapter", files)
    paste(hands, "maker/Adapter")
    assert "adapter" in hands.rooms.fit.problem.title
    assert "snug convert" in hands.rooms.fit.problem.advice
    assert hands.rooms.fit.phase != "ready"


def test_a_model_whose_makers_ask_first_leads_to_the_settings_and_its_page(hub: Hub, hands: Hands) -> None:
    paste(hands, f"{hub.endpoint}/maker/Asks")
    assert "page" in hands.text("fitProblemAction")
    hands.save_pictures("make-it-fit-gated")
    assert not hands.nameless()
    assert hands.text("fitProblemSecond") == "Open Settings"
    hands.click("fitProblemSecond")
    assert hands.app.screen == "settings"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("https://example.org/maker/Tiny", "example.org"),
        ("huggingface.co/datasets/maker/facts", "a data set"),
        ("just words", "names no model"),
        ("maker/Nothing", "Nothing"),
    ],
)
def test_what_names_no_model_is_said_in_words(text: str, words: str, hub: Hub, hands: Hands) -> None:
    paste(hands, text)
    problem = hands.rooms.fit.problem
    assert words in problem.title + problem.advice
    assert problem.advice
    assert not hands.is_shown("makeIt")


def test_without_the_hub_it_says_so_and_tries_again(hub: Hub, hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    paste(hands, "maker/Tiny")
    hands.save_pictures("make-it-fit-no-network")
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    assert hands.text("fitProblemAction") == "Try again"
    hands.click("fitProblemAction")
    hands.bot.waitUntil(lambda: hands.rooms.fit.phase == "ready", timeout=LIMIT_MS)


def begin_slowly(hub: Hub, hands: Hands) -> None:
    """A conversion that is in the middle of fetching."""
    paste(hands, "maker/Tiny")
    hub.rate = SLOW_BYTES_PER_S
    hands.click("makeIt")
    hands.bot.waitUntil(lambda: hands.rooms.fit.fraction > 0.1, timeout=LIMIT_MS)


def test_a_killed_child_loses_nothing_and_goes_on(hub: Hub, hands: Hands) -> None:
    begin_slowly(hub, hands)
    os.kill(hands.rooms.fit._run._child._child.pid, signal.SIGKILL)
    hands.bot.waitUntil(lambda: hands.rooms.fit.problem.title != "", timeout=LIMIT_MS)
    hands.settle()
    assert "Go on" in hands.text("makeIt")
    hands.save_pictures("make-it-fit-ended")
    hub.rate = 0
    hands.click("fitProblemAction")
    hands.bot.waitUntil(lambda: hands.rooms.fit.phase == "done", timeout=LIMIT_MS)
    assert len(made(hands)) == 1


def test_after_a_restart_the_screen_offers_to_go_on_or_to_throw_away(
    hub: Hub, hands: Hands, hands_on: Callable[[Rooms], Hands], open_rooms: Callable[[Path], Rooms], known_home: Path
) -> None:
    begin_slowly(hub, hands)
    hands.rooms.close()
    hub.rate = 0
    again = hands_on(open_rooms(known_home))
    again.go("fit")
    wait_for(again, "ready")
    assert again.rooms.fit.sourceText == "maker/Tiny"
    assert again.text("makeIt").startswith("Go on")
    again.save_pictures("make-it-fit-go-on")
    again.click("fitDiscard")
    again.click("fitDiscardAskDanger")
    again.bot.waitUntil(lambda: again.rooms.fit.phase == "ready" and not again.rooms.fit.isUnfinished, timeout=LIMIT_MS)
    folder = Path(again.rooms._queue.folder())
    assert not list(folder.glob("*.making*")) + list(folder.glob("*.fetching/*"))
    again.settle()
    assert again.text("makeIt") == "Make it"
