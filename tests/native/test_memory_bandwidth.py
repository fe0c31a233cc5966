"""The bandwidth probe: honest figures, bounded memory, checked arguments, a free interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from snug import _native

MIB = 1 << 20
KINDS = ("read", "write", "copy")


def test_each_rate_lies_between_the_slowest_and_the_fastest_pass() -> None:
    result = _native.memory_bandwidth(2, seconds=0.1, buffer_bytes=32 * MIB)
    for kind in KINDS:
        rate = result[kind]  # type: ignore[literal-required]
        assert 0 < rate["low"] <= rate["median"] <= rate["high"]
        assert rate["passes"] >= 3


def test_rates_are_those_of_a_real_memory() -> None:
    # A loop that the compiler left out would show thousands of gigabytes a second, a unit error megabytes.
    result = _native.memory_bandwidth(os.cpu_count() or 1, seconds=0.2)
    for kind in KINDS:
        assert 1e8 < result[kind]["median"] < 5e12  # type: ignore[literal-required]


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_the_buffer_is_shared_out_among_the_threads(threads: int) -> None:
    result = _native.memory_bandwidth(threads, seconds=0.01, buffer_bytes=10 * MIB)
    assert result["threads"] == threads
    assert 0.99 * 10 * MIB <= result["buffer_bytes"] <= 10 * MIB


def test_the_buffer_is_four_times_the_cache() -> None:
    result = _native.memory_bandwidth(1, seconds=0.01, cache_bytes=48 * MIB)
    assert result["buffer_bytes"] == 4 * 48 * MIB


def test_the_buffer_is_never_more_than_a_quarter_of_free_memory() -> None:
    assert _native.memory_bandwidth(2, seconds=0.01, available_bytes=64 * MIB)["buffer_bytes"] <= 16 * MIB
    asked = _native.memory_bandwidth(2, seconds=0.01, buffer_bytes=512 * MIB, available_bytes=64 * MIB)
    assert asked["buffer_bytes"] <= 16 * MIB


def test_other_threads_run_while_it_measures() -> None:
    thread = threading.Thread(target=_native.memory_bandwidth, args=(1,), kwargs={"seconds": 0.5})
    thread.start()
    turns = 0
    until = time.monotonic() + 5
    while thread.is_alive() and time.monotonic() < until:
        turns += 1
    thread.join()
    assert turns > 1


@pytest.mark.parametrize(
    ("threads", "options", "words"),
    [
        (0, {}, "threads"),
        (-1, {}, "threads"),
        (1025, {}, "threads"),
        (1, {"seconds": 0.0}, "seconds"),
        (1, {"seconds": float("nan")}, "seconds"),
        (1, {"seconds": float("inf")}, "seconds"),
        (1, {"seconds": 61.0}, "seconds"),
        (1, {"buffer_bytes": -1}, "buffer_bytes"),
        (1, {"buffer_bytes": (1 << 40) + 1}, "buffer_bytes"),
        (1, {"cache_bytes": -1}, "cache_bytes"),
        (1, {"available_bytes": -1}, "available_bytes"),
    ],
)
def test_a_figure_out_of_range_is_refused_by_name(threads: int, options: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        _native.memory_bandwidth(threads, **options)  # type: ignore[arg-type]


@pytest.mark.skipif(sys.platform != "linux", reason="address space limits are enforced on Linux")
@pytest.mark.parametrize(("threads", "buffer_mib"), [(2, 4096), (900, 16)])
def test_too_little_memory_is_an_error_not_a_crash(threads: int, buffer_mib: int) -> None:
    code = (
        "import resource, snug._native as n\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
        f"try: n.memory_bandwidth({threads}, seconds=0.01, buffer_bytes={buffer_mib} << 20)\n"
        "except (MemoryError, RuntimeError) as error: print('refused', type(error).__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("refused")


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read the Linux way")
def test_the_buffer_is_given_back() -> None:
    code = (
        "import snug._native as n\n"
        "for _ in range(4): n.memory_bandwidth(2, seconds=0.01, buffer_bytes=128 << 20)\n"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert int(done.stdout) < 256 * 1024


def test_the_last_level_cache_is_known_or_zero() -> None:
    assert 0 <= _native.last_level_cache_bytes() < 16 << 30
