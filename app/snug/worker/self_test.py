"""Tries each way to run a model in a child of its own, and finds the settings that avoid a crash."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from snug.core.errors import UserError
from snug.worker import protocol
from snug.worker.client import WorkerClient

TRY_LIMIT_S = 120.0

WAYS: tuple[tuple[str, dict[str, bool]], ...] = (
    ("as Snug runs it", {"use_extra_buffers": False}),
    ("with rearranged weights", {"use_extra_buffers": True}),
)
"""The ways to run a model, the one that Snug uses first. Rearranged weights (AMX and others) need more memory,
and crash on some processors with some compilers."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way that was tried: what came back, or why its child died."""

    way: str
    settings: dict[str, bool]
    done: protocol.SelfTestDone | None
    error: UserError | None

    @property
    def works(self) -> bool:
        return self.done is not None and self.done.works

    @property
    def words(self) -> str:
        """What happened, for a person."""
        if self.error is not None:
            return f"{self.error.title} {self.error.advice}".strip()
        assert self.done is not None
        return " ".join(words for _, _, words in self.done.checks)


def try_all(start: Callable[[], WorkerClient], path: str) -> tuple[Attempt, ...]:
    """Every way, each in a fresh child from `start`."""
    return tuple(_try(start, path, way, settings) for way, settings in WAYS)


def _try(start: Callable[[], WorkerClient], path: str, way: str, settings: dict[str, bool]) -> Attempt:
    request = protocol.SelfTest(path=path, use_extra_buffers=settings["use_extra_buffers"])
    try:
        with start() as child:
            final = child.request(request, timeout=TRY_LIMIT_S)
    except UserError as error:
        return Attempt(way, settings, None, error)
    assert isinstance(final, protocol.SelfTestDone)
    return Attempt(way, settings, final, None)
