"""A blocking client and children that die, hang, lie and flood."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from snug.core.errors import UserError
from snug.worker import frames, protocol
from snug.worker.client import ChildDied, WorkerClient
from snug.worker.death import MemoryFacts

Start = Callable[..., WorkerClient]

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        pytest.param("kill", "killed", marks=needs_signals),
        pytest.param("segv", "engine-crash", marks=needs_signals),
        pytest.param("abort", "engine-abort", marks=needs_signals),
        pytest.param("bus", "file-gone", marks=needs_signals),
        pytest.param("ill", "wrong-processor", marks=needs_signals),
        pytest.param("out-of-memory", "no-memory", marks=needs_signals),
        ("exit", "ended"),
        ("garbage", "bad-child"),
        ("huge", "bad-child"),
        ("other-version", "other-version"),
        ("dead-at-start", "ended"),
    ],
)
def test_a_child_that_misbehaves_is_an_error_in_words(start_stub: Start, fault: str, kind: str) -> None:
    child = start_stub(fault)
    with pytest.raises(ChildDied) as error:
        child.request(protocol.UnloadModel(), timeout=30)
    assert error.value.kind == kind
    assert not psutil.pid_exists(child.pid)


def test_a_hanging_child_is_ended_when_its_time_is_over(start_stub: Start) -> None:
    child = start_stub("hang")
    child.wait_ready()
    with pytest.raises(ChildDied) as error:
        child.request(protocol.UnloadModel(), timeout=0.3)
    assert error.value.kind == "hang"
    assert not psutil.pid_exists(child.pid)


@needs_signals
def test_a_kill_is_explained_with_the_memory_that_was_known(start_stub: Start) -> None:
    child = start_stub("kill", MemoryFacts(available=1_000_000_000, needed=9_000_000_000))
    with pytest.raises(ChildDied) as error:
        child.request(protocol.UnloadModel(), timeout=30)
    assert error.value.kind == "no-memory"


def test_a_flood_of_garbage_does_not_grow_the_parent(start_stub: Start) -> None:
    before = psutil.Process().memory_info().rss
    with pytest.raises(ChildDied):
        start_stub("garbage").request(protocol.UnloadModel(), timeout=30)
    assert psutil.Process().memory_info().rss - before < 50_000_000


def test_a_dead_child_says_the_same_when_asked_again(start_stub: Start) -> None:
    child = start_stub("exit")
    for _ in range(2):
        with pytest.raises(ChildDied):
            child.request(protocol.UnloadModel(), timeout=30)


def test_a_request_without_a_model_is_an_error_in_words_and_the_child_lives(start_child: Start) -> None:
    child = start_child()
    with pytest.raises(UserError) as error:
        child.request(protocol.Generate(messages=[protocol.ChatMessage(role="user", text="Hi")]), timeout=60)
    assert error.value.kind == "no-model"
    assert isinstance(child.request(protocol.Ping(), timeout=30), protocol.Pong)


def test_too_large_a_request_never_reaches_the_child(start_child: Start) -> None:
    child = start_child()
    text = "x" * (frames.FRAME_LIMIT_BYTES + 1)
    with pytest.raises(UserError) as error:
        child.request(protocol.CountTokens(messages=[protocol.ChatMessage(role="user", text=text)]))
    assert error.value.bad_input
    assert isinstance(child.request(protocol.Ping(), timeout=30), protocol.Pong)


def test_closing_ends_the_child(tmp_path: Path) -> None:
    with WorkerClient(tmp_path) as child:
        child.wait_ready()
    assert not psutil.pid_exists(child.pid)
