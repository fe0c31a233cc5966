"""What a job says reaches the parent in order and at a bearable pace."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest

from snug.worker import protocol
from snug.worker.loop import Job, Loop, Stopped
from snug.worker.throttle import Throttle


class RecordingLoop:
    """Takes what a job sends."""

    def __init__(self) -> None:
        self.sent: list[protocol.Event] = []
        self.cancelled = False

    def send(self, number: int, event: protocol.Event) -> None:
        self.sent.append(event)

    def is_cancelled(self, number: int) -> bool:
        return self.cancelled


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def loop() -> RecordingLoop:
    return RecordingLoop()


@pytest.fixture
def job(loop: RecordingLoop, clock: Clock) -> Job:
    return Job(1, cast(Loop, loop), clock)


def texts(loop: RecordingLoop) -> list[str]:
    return [event.text for event in loop.sent if isinstance(event, protocol.Text)]


def test_a_throttle_lets_the_first_through_and_then_keeps_the_pace(clock: Callable[[], float]) -> None:
    moving = Clock()
    throttle = Throttle(10, moving)
    passed = 0
    for _ in range(100):
        passed += throttle.is_due()
        moving.now += 0.01
    assert passed == 10


def test_a_thousand_tokens_a_second_make_at_most_thirty_events(job: Job, loop: RecordingLoop, clock: Clock) -> None:
    for number in range(1000):
        job.emit(protocol.Text(text=f"{number} "))
        clock.now += 0.001
    job.flush()
    assert "".join(texts(loop)) == "".join(f"{number} " for number in range(1000))
    assert len(loop.sent) <= 31


def test_the_first_word_is_not_held_back(job: Job, loop: RecordingLoop) -> None:
    job.emit(protocol.Text(text="Hello"))
    assert texts(loop) == ["Hello"]


def test_text_comes_before_what_was_said_after_it(job: Job, loop: RecordingLoop) -> None:
    job.emit(protocol.Text(text="a"))
    job.emit(protocol.Text(text="b"))
    job.emit(protocol.GenerationStarted(prompt_tokens=1, reused_tokens=0))
    assert [type(event).__name__ for event in loop.sent] == ["Text", "Text", "GenerationStarted"]


def test_progress_comes_at_most_five_times_a_second(job: Job, loop: RecordingLoop, clock: Clock) -> None:
    for number in range(1000):
        job.emit(protocol.Progress(done=number, total=1000))
        clock.now += 0.001
    assert len(loop.sent) <= 6


def test_a_new_state_of_a_download_is_never_dropped(job: Job, loop: RecordingLoop) -> None:
    for state in ("starting", "downloading", "waiting", "downloading", "verifying"):
        job.emit(protocol.DownloadProgress(state=state, done_bytes=0, total_bytes=1))
    assert len(loop.sent) == 5


def test_a_cancelled_job_stops_where_it_checks(job: Job, loop: RecordingLoop) -> None:
    job.check()
    loop.cancelled = True
    with pytest.raises(Stopped):
        job.check()
