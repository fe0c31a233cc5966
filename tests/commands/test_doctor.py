"""`snug doctor`: what it finds, and the settings that avoid a crash."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snug.commands.doctor import check_engine, missing_features
from snug.core.machine import Cpu, Machine
from snug.worker.client import WorkerClient
from snug.worker.environment import child_command
from snug.worker.self_test import try_all

Snug = Callable[..., Any]
PIP = Path(__file__).parents[2] / "resources" / "models" / "pip" / "pip-7m-Q8_0.gguf"

# A child that dies like an engine built wrongly for its processor: only with rearranged weights.
CRASHING = """
import os
from snug.engine import self_test
works = self_test.run_self_test
def run(path, use_extra_buffers=False):
    if use_extra_buffers:
        os.kill(os.getpid(), 11)
    return works(path)
self_test.run_self_test = run
from snug.worker.__main__ import main
main()
"""


def test_doctor_proves_that_models_run_here(snug: Snug) -> None:
    ran = snug("doctor", "--json", "--no-network")
    assert (ran.code, ran.err) == (0, "")
    assert ran.document["works"] is True
    assert ran.document["settings"] == {"use_extra_buffers": False}
    assert all(check["state"] != "failure" for check in ran.document["checks"])


def test_an_unreachable_hub_is_a_note_not_a_failure(snug: Snug) -> None:
    ran = snug("doctor")
    assert ran.code == 0
    assert "This computer can run models." in ran.out
    line = next(line for line in ran.out.splitlines() if " network " in line)
    assert line.startswith("note")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_a_crash_with_one_setting_is_found_and_avoided(tmp_path: Path) -> None:
    command = [*child_command()[:1], "-c", CRASHING]
    attempts = try_all(lambda: WorkerClient(tmp_path, command=command), str(PIP))
    assert [attempt.works for attempt in attempts] == [True, False]
    checks = {check.name: check for check in check_engine(attempts, Machine(cpu=Cpu(features=("avx2",))))}
    crashed = checks["Pip with rearranged weights"]
    assert crashed.state == "warning"
    assert "Snug avoids this" in crashed.words


def test_a_computer_where_nothing_works_is_told_so(tmp_path: Path) -> None:
    attempts = try_all(lambda: WorkerClient(tmp_path, command=[sys.executable, "-c", "raise SystemExit(1)"]), str(PIP))
    assert not any(attempt.works for attempt in attempts)
    assert {check.state for check in check_engine(attempts, Machine())} == {"failure"}


def test_a_feature_of_the_processor_that_the_engine_lacks_is_named() -> None:
    flags = "CPU : SSE3 = 1 | AVX2 = 1 | FMA = 0"
    assert missing_features(("avx2", "fma", "avx512f"), flags) == ["AVX512", "FMA"]
    assert missing_features(("avx2",), flags) == []
