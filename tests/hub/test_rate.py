"""Rates and limits, with a clock that the test turns."""

from __future__ import annotations

import pytest

from snug.hub.rate import RateMeter, SpeedLimit


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_rate_is_that_of_the_last_seconds() -> None:
    clock = Clock()
    meter = RateMeter(clock)
    for rate in (1000, 4000):
        for _ in range(200):
            clock.now += 0.1
            meter.count(rate // 10)

    assert meter.rate == pytest.approx(4000, rel=0.02)
    assert meter.seconds_for(40_000) == pytest.approx(10, rel=0.02)


def test_nothing_is_said_before_there_is_something_to_say() -> None:
    clock = Clock()
    meter = RateMeter(clock)
    assert (meter.rate, meter.seconds_for(10)) == (0.0, 0.0)
    clock.now += 60  # waiting for the first byte is not slowness
    meter.count(1000)
    assert meter.rate == 0.0


def test_a_standstill_lowers_the_rate() -> None:
    clock = Clock()
    meter = RateMeter(clock)
    for _ in range(20):
        clock.now += 0.1
        meter.count(100)
    before = meter.rate
    clock.now += 10
    assert meter.rate < before / 4


def test_readers_together_stay_at_the_limit() -> None:
    clock = Clock()
    limit = SpeedLimit(1000, clock)
    waits = [limit.wait_for(500) for _ in range(6)]

    assert waits == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.5, 3.0])


def test_no_limit_never_waits() -> None:
    assert SpeedLimit(0, Clock()).wait_for(10**12) == 0.0
