"""A busy moment does not make a computer look slow for good."""

from __future__ import annotations

from dataclasses import replace

from snug.core.machine import Cpu, Machine, Memory
from snug.core.steady_bandwidth import with_best_bandwidth

SOURCE = "measured here with 8 threads"
FAST = Machine(
    os="linux",
    cpu=Cpu("Ryzen", 8, 16),
    memory=Memory(32, 20, 50e9),
    sources={"memory.bandwidth": SOURCE, "os": "uname"},
)
SLOW = replace(FAST, memory=Memory(32, 10, 9e9))


def test_a_measurement_at_a_busy_moment_does_not_replace_a_better_one():
    best = with_best_bandwidth(SLOW, FAST)
    assert (best.memory.bandwidth, best.memory.available) == (50e9, 10)
    assert best.sources["memory.bandwidth"].startswith(SOURCE)
    assert "earlier" in best.sources["memory.bandwidth"]
    assert with_best_bandwidth(SLOW, best) == best


def test_a_better_measurement_replaces_what_was_known():
    assert with_best_bandwidth(FAST, SLOW) == FAST


def test_another_computer_starts_anew():
    for other in (replace(FAST, cpu=Cpu("Xeon", 8, 16)), replace(FAST, memory=Memory(64, 20, 50e9)), None):
        assert with_best_bandwidth(SLOW, other) == SLOW


def test_a_figure_that_was_not_measured_is_not_kept():
    assert with_best_bandwidth(SLOW, replace(FAST, sources={})) == SLOW


def test_where_nothing_could_be_measured_now_the_earlier_figure_stands():
    unread = replace(FAST, memory=Memory(32, 20), sources={}, unread={"memory.bandwidth": "it was not asked for"})
    best = with_best_bandwidth(unread, FAST)
    assert best.memory.bandwidth == 50e9
    assert not best.unread
