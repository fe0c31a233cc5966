"""The engine's plan in the window: the formula's figures at once, the exact ones as soon as they are known."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from snug.core.catalogue import load_catalogue
from snug.core.fit import Fit, FitSettings, Parts
from snug.core.machine import Cpu, Machine, Memory
from snug.formats.gguf_facts import facts_from_header
from snug.formats.gguf_header import read_file_header
from snug.paths import Paths, resources_folder
from snug.store import open_store
from snug.ui.child_requests import ChildRequests
from snug.ui.children import Children
from snug.ui.download_queue import DownloadQueue
from snug.ui.getting import Getting
from snug.ui.memory_plans import MemoryPlans, ModelSource
from snug.ui.model_details import ModelDetails
from tests.hub.server import Hub

LAPTOP = Machine(os="linux", cpu=Cpu("laptop", 8, 8, ("avx2",)), memory=Memory(16_000_000_000, 12_000_000_000, 50e9))
PIP = resources_folder() / "models" / "pip" / "pip-7m-Q8_0.gguf"
FACTS = facts_from_header(read_file_header(PIP))
WAIT_MS = 20_000


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "home")


@pytest.fixture
def children(qtbot: QtBot, paths: Paths) -> Iterator[Children]:
    made = Children(paths.logs)
    yield made
    made.kill_all()


@pytest.fixture
def plans(children: Children, paths: Paths) -> MemoryPlans:
    requests = ChildRequests(lambda: children.make("dry-run"), children)
    return MemoryPlans(paths.cache, paths.home, paths.headers, requests, children)


def kept_pip(folder: Path) -> ModelSource:
    header = PIP.read_bytes()[: read_file_header(PIP).data_offset]
    folder.mkdir(parents=True)
    (folder / "pip.header").write_bytes(header)
    return ModelSource(str(folder / "pip.header"), PIP.stat().st_size)


def find(plans: MemoryPlans, source: ModelSource, context: int = 1024, *, is_listed: bool = False) -> Fit:
    return plans.fit(FACTS, FitSettings(context=context), LAPTOP, source=source, is_listed=is_listed)


def test_a_plan_arrives_and_is_known_from_then_on(plans: MemoryPlans, paths: Paths, qtbot: QtBot) -> None:
    source = kept_pip(paths.headers)
    with qtbot.waitSignal(plans.arrived, timeout=WAIT_MS):
        assert find(plans, source).basis == "formula"
    planned = find(plans, source)
    assert planned.basis == "dry-run"
    assert planned.memory.conversation == pytest.approx(6 * 2 * 64 * 2 * 2 * 1024, abs=20_000)
    again = MemoryPlans(paths.cache, paths.home, paths.headers, ChildRequests(no_child), plans)
    assert find(again, source) == planned


def test_of_many_questions_the_latest_is_answered(plans: MemoryPlans, paths: Paths, qtbot: QtBot) -> None:
    source = kept_pip(paths.headers)
    for context in (256, 512, 768, 1024):
        assert find(plans, source, context).basis == "formula"
    for _ in range(2):
        qtbot.waitSignal(plans.arrived, timeout=WAIT_MS).wait()
    known = {context: find(plans, source, context).basis for context in (256, 1024, 512)}
    assert known == {256: "dry-run", 1024: "dry-run", 512: "formula"}


def test_of_a_list_every_model_is_answered(plans: MemoryPlans, paths: Paths, qtbot: QtBot, tmp_path: Path) -> None:
    """Also where the models lie in folders of their own, which a child cannot read one after the other."""
    elsewhere = tmp_path / "elsewhere" / "pip.gguf"
    elsewhere.parent.mkdir()
    shutil.copy(PIP, elsewhere)
    questions = [(kept_pip(paths.headers), 256), (ModelSource(str(elsewhere)), 512), (ModelSource(str(PIP)), 768)]
    for source, context in questions:
        find(plans, source, context, is_listed=True)
    for _ in questions:
        qtbot.waitSignal(plans.arrived, timeout=WAIT_MS).wait()
    assert [find(plans, source, context).basis for source, context in questions] == ["dry-run"] * 3


def test_a_header_that_is_gone_leaves_the_formula(plans: MemoryPlans, paths: Paths, qtbot: QtBot) -> None:
    source = kept_pip(paths.headers)
    assert find(plans, replace(source, path=str(paths.headers / "gone.header")), 512).basis == "formula"
    with qtbot.waitSignal(plans.arrived, timeout=WAIT_MS):
        find(plans, source)
    assert find(plans, source, 512).basis == "formula"


def test_what_a_load_took_is_shown_from_then_on(plans: MemoryPlans, paths: Paths, qtbot: QtBot) -> None:
    source = ModelSource(str(PIP))
    before = plans.fit(FACTS, FitSettings(), LAPTOP)
    taken = Parts(weights=7_392_460, conversation=3_145_728, compute=9_447_669, other=48_840_704)
    with qtbot.waitSignal(plans.arrived, timeout=WAIT_MS):
        plans.record("Pip", FACTS, FitSettings(), before, [taken])
    after = plans.fit(FACTS, FitSettings(), LAPTOP, source=source)
    assert (after.basis, after.memory.total) == ("measured", taken.total)


def test_the_details_go_on_to_the_engines_own_plan(
    plans: MemoryPlans, children: Children, paths: Paths, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = load_catalogue(resources_folder() / "catalogue" / "models.json")[0]
    pip = replace(entry, repo="snug-test/pip-7m-GGUF", gguf_repos=("snug-test/pip-7m-GGUF",))
    store = open_store(paths, now=lambda: datetime.now(UTC))[0]
    owner = QObject()
    hub = ChildRequests(lambda: children.make("hub"), children)
    queue = DownloadQueue(store, paths, lambda: children.make("download"), lambda: "", owner)
    getting = Getting(store, queue, hub, owner)
    details = ModelDetails(lambda: LAPTOP, store.settings, hub, getting, owner, plans=plans)
    with Hub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        details.open(pip, "Q8_0", None)
        assert "Basis: formula" in details.rawText
        qtbot.waitUntil(lambda: "Basis: dry-run" in details.rawText, timeout=WAIT_MS)
    assert "Weights 7,394,304 bytes" in details.rawText
    queue.stop()
    store.close()


def no_child() -> None:
    raise AssertionError("the plan was kept")
