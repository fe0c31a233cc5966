"""Ctrl-C in the terminal's conversation."""

from __future__ import annotations

import signal
import threading
from typing import cast

import pytest

from snug.commands.talk import interrupts_stop
from snug.worker.client import WorkerClient


class RecordingClient:
    """Counts the requests to stop."""

    def __init__(self) -> None:
        self.cancelled = threading.Semaphore(0)

    def cancel(self) -> None:
        self.cancelled.release()


def test_the_first_interrupt_stops_the_answer() -> None:
    client = RecordingClient()
    with interrupts_stop(cast(WorkerClient, client)):
        signal.raise_signal(signal.SIGINT)
        assert client.cancelled.acquire(timeout=10)


def test_the_second_interrupt_ends_the_command() -> None:
    with interrupts_stop(cast(WorkerClient, RecordingClient())):
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_afterwards_an_interrupt_means_what_it_meant_before() -> None:
    before = signal.getsignal(signal.SIGINT)
    with interrupts_stop(cast(WorkerClient, RecordingClient())):
        pass
    assert signal.getsignal(signal.SIGINT) is before
