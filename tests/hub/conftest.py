"""A running test Hub, and downloads that are impatient enough for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from snug.hub.downloader import Fetched, Order, Report, download
from snug.hub.patience import MIB, Patience, Plan
from snug.hub.remote import Access, File
from tests.hub.blobs import Blob, Bytes, Filler
from tests.hub.content import Repository
from tests.hub.server import Hub

REPO = "maker/model-GGUF"
FILE = "model-Q4_K_M.gguf"
SIZE = 3 * MIB + 12_345

QUICK = Patience(
    connect_s=3.0, answer_s=2.0, hint_s=0.3, stall_s=1.5, tries=3, backoff_first_s=0.01, backoff_most_s=0.05
)
SMALL_PLAN = Plan(
    range_bytes=MIB, smallest_range_bytes=MIB // 2, step_bytes=MIB // 4, smallest_step_bytes=MIB // 16, spare_bytes=0
)


def small_repository() -> Repository:
    files: dict[str, Blob] = {
        FILE: Filler(SIZE, seed=11),
        "other-Q8_0.gguf": Filler(200_000, seed=12),
        "config.json": Bytes(b'{"model_type": "llama"}\n', in_lfs=False),
        "README.md": Bytes(b"# Model\n", in_lfs=False),
    }
    return Repository(REPO, files, tags=["gguf"])


def described(repository: Repository, *names: str) -> tuple[File, ...]:
    """Files as a model page gives them."""
    blobs = [(name, repository.files[name]) for name in names]
    return tuple(
        File(name=name, size_bytes=blob.size, sha256=blob.sha256 if blob.in_lfs else "") for name, blob in blobs
    )


@pytest.fixture
def repository() -> Repository:
    return small_repository()


@pytest.fixture
def hub(repository: Repository) -> Iterator[Hub]:
    with Hub([repository]) as running:
        yield running


@pytest.fixture
def access(hub: Hub) -> Access:
    return Access(endpoint=hub.endpoint)


@dataclass
class Fetcher:
    """Downloads in this process, and remembers what a person would have been told."""

    order: Order
    patience: Patience = QUICK
    plan: Plan = SMALL_PLAN
    reports: list[Report] = field(default_factory=list)

    def __call__(self, *, should_stop: Callable[[], bool] = lambda: False, **changes: object) -> list[Fetched]:
        order = replace(self.order, **changes)  # type: ignore[arg-type]
        return download(
            order, report=self.reports.append, should_stop=should_stop, patience=self.patience, plan=self.plan
        )[0]

    @property
    def kinds_told(self) -> set[str]:
        return {report.kind for report in self.reports if report.kind}


@pytest.fixture
def fetcher(hub: Hub, access: Access, repository: Repository, tmp_path: Path) -> Fetcher:
    order = Order(
        access=access, repo=REPO, revision="main", files=described(repository, FILE), folder=tmp_path / "models"
    )
    return Fetcher(order)


def left_behind(folder: Path) -> list[str]:
    """Files below `folder` that are no finished models."""
    marks = (".part", ".journal", ".lock", ".new")
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.name.endswith(marks))
