"""Everything that the test command runs, as a list; pytest comes last, so that its closing line ends the output."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass

from devtool.environment import Layout

TESTS_LIMIT_S = 3600.0


@dataclass(frozen=True)
class Check:
    """A program of the virtual environment with its arguments, and its name for people."""

    name: str
    command: tuple[str, ...]


CHECKS = (
    Check("ruff check", ("-m", "ruff", "check", ".")),
    Check("ruff format", ("-m", "ruff", "format", "--check", ".")),
    Check("mypy", ("-m", "mypy", "-p", "snug")),
    Check("import contracts", ("-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache")),
    Check("QML", ("packaging/check_qml.py",)),
)


def run_checks(
    checks: tuple[Check, ...],
    layout: Layout,
    pytest_arguments: list[str],
    *,
    full: bool,
    limit_s: float = TESTS_LIMIT_S,
) -> int:
    """Runs all checks, also after one failed, then a summary, then pytest. 0 only when everything passed.

    Tests that hang are stopped after `limit_s`, but for the long campaigns.
    """
    environment = checks_environment(layout, full=full)
    lines, failed = [], False
    for check in checks:
        print(f"--- {check.name}", flush=True)
        began = time.monotonic()
        done = subprocess.run([str(layout.python), *check.command], cwd=layout.root, env=environment, check=False)
        failed = failed or done.returncode != 0
        word = "ok" if done.returncode == 0 else f"FAILED (exit status {done.returncode})"
        lines.append(f"  {check.name:<18}{word}, {time.monotonic() - began:.1f} s")
    print("--- before the tests", *lines, "--- tests", sep="\n", flush=True)
    pytest = [str(layout.python), "-m", "pytest", *pytest_arguments]
    try:
        tests = subprocess.run(pytest, cwd=layout.root, env=environment, timeout=None if full else limit_s, check=False)
    except subprocess.TimeoutExpired:
        print(f"The tests did not end within {limit_s / 60:.0f} minutes and were stopped.", flush=True)
        return 1
    return 1 if failed or tests.returncode != 0 else 0


def checks_environment(layout: Layout, *, full: bool) -> dict[str, str]:
    """The environment of the checks: no screen, no person's own settings, the long campaigns only if wanted."""
    left_out = ("PYTHONHOME", "PYTHONPATH", "SNUG_HOME", "SNUG_FULL_TESTS", "HF_ENDPOINT", "HF_TOKEN", "PYTEST_ADDOPTS")
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    environment["PATH"] = f"{layout.programs}{os.pathsep}{environment.get('PATH', os.defpath)}"
    environment["QT_QPA_PLATFORM"] = "offscreen"
    if sys.platform != "win32" and "utf" not in (environment.get("LC_ALL") or environment.get("LANG") or "").lower():
        # Qt complains about a locale that is not UTF-8, and a warning fails a test.
        environment["LC_ALL"] = "C.UTF-8"
    if full:
        environment["SNUG_FULL_TESTS"] = "1"
    return environment
