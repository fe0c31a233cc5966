"""The engine's plan in the window: the formula's figures at once, the exact ones as soon as they are known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from snug.core.catalogue import load_catalogue
from snug.core.fit import FitSettings
from snug.core.machine import Cpu, Machine, Memory
from snug.formats.gguf_header import read_file_header
from snug.paths import Paths, resources_folder
from snug.store import open_store
from snug.ui.child_requests import ChildRequests
from snug.ui.children import Children
from snug.ui.download_queue import DownloadQueue
from snug.ui.getting import Getting
from snug.ui.memory_plans import KeptHeader, MemoryPlans
from snug.ui.model_details import ModelDetails
from tests.hub.server import Hub

LAPTOP = Machine(os="linux", cpu=Cpu("laptop", 8, 8, ("avx2",)), memory=Memory(16_000_000_000, 12_000_000_000, 50e9))
PIP = resources_folder() / "models" / "pip" / "pip-7m-Q8_0.gguf"
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
    return MemoryPlans(paths.cache, paths.headers, requests, children)


def kept_pip(folder: Path) -> KeptHeader:
    header = PIP.read_bytes()[: read_file_header(PIP).data_offset]
    folder.mkdir(parents=True)
    (folder / "pip.header").write_bytes(header)
    return KeptHeader(str(folder / "pip.header"), hashlib.sha256(header).hexdigest(), PIP.stat().st_size)


def test_a_plan_arrives_and_is_known_from_then_on(plans: MemoryPlans, paths: Paths, qtbot: QtBot) -> None:
    header, settings = kept_pip(paths.headers), FitSettings(context=1024)
    with qtbot.waitSignal(plans.arrived, timeout=WAIT_MS):
        assert plans.find(header, settings) is None
    plan = plans.find(header, settings)
    assert plan is not None
    assert plan.conversation == pytest.approx(6 * 2 * 64 * 2 * 2 * 1024, abs=20_000)
    again = MemoryPlans(paths.cache, paths.headers, ChildRequests(no_child), plans)
    assert again.find(header, settings) == plan


def test_of_many_questions_the_latest_is_answered(plans: MemoryPlans, paths: Paths, qtbot: QtBot) -> None:
    header = kept_pip(paths.headers)
    for context in (256, 512, 768, 1024):
        assert plans.find(header, FitSettings(context=context)) is None
    for _ in range(2):
        qtbot.waitSignal(plans.arrived, timeout=WAIT_MS).wait()
    answered = [context for context in (256, 1024) if plans.find(header, FitSettings(context=context))]
    assert answered == [256, 1024]
    assert plans.find(header, FitSettings(context=512)) is None


def test_a_header_that_is_gone_leaves_the_formula(plans: MemoryPlans, paths: Paths, qtbot: QtBot) -> None:
    header = replace(kept_pip(paths.headers), path=str(paths.headers / "gone.header"))
    wanted = FitSettings(context=1024)
    assert plans.find(header, wanted) is None
    with qtbot.waitSignal(plans.arrived, timeout=WAIT_MS):
        plans.find(kept_elsewhere(header, paths), wanted)
    assert plans.find(header, wanted) is None


def kept_elsewhere(header: KeptHeader, paths: Paths) -> KeptHeader:
    return replace(header, path=str(paths.headers / "pip.header"))


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
