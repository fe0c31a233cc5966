"""The test command: every check runs, pytest comes last, and one failure is enough."""

from __future__ import annotations

import sys

import pytest
from devtool.checks import CHECKS, Check, checks_environment, run_checks
from devtool.commands import take_flags
from devtool.environment import Layout

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="paths of a POSIX environment")

GOOD = Check("good", ("-c", "pass"))
BAD = Check("bad", ("-c", "raise SystemExit(3)"))
AFTER = Check("after", ("-c", "print('after the bad one')"))


@pytest.fixture
def layout(tiny_checkout) -> Layout:  # type: ignore[no-untyped-def]
    """The tiny checkout, set up; its pytest prints one line and passes."""
    assert tiny_checkout.run("run", "hello").returncode == 0
    return Layout(tiny_checkout.root)


def test_all_good_is_zero_and_pytest_has_the_last_word(layout: Layout, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_checks((GOOD,), layout, [], full=False) == 0
    assert capfd.readouterr().out.splitlines()[-1] == "1 passed in 0.01s"


def test_a_failed_check_fails_the_whole_and_stops_nothing(layout: Layout, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_checks((GOOD, BAD, AFTER), layout, [], full=False) == 1
    said = capfd.readouterr().out
    assert "after the bad one" in said
    assert "FAILED (exit status 3)" in said
    assert said.splitlines()[-1] == "1 passed in 0.01s"


def test_failed_tests_fail_the_whole(layout: Layout) -> None:
    main = layout.site_packages / "pytest" / "__main__.py"
    right = main.read_text(encoding="utf-8")
    main.write_text("raise SystemExit(1)", encoding="utf-8")
    assert run_checks((GOOD,), layout, [], full=False) == 1
    main.write_text(right, encoding="utf-8")


def test_tests_that_hang_are_stopped(layout: Layout, capfd: pytest.CaptureFixture[str]) -> None:
    main = layout.site_packages / "pytest" / "__main__.py"
    right = main.read_text(encoding="utf-8")
    main.write_text("import threading; threading.Event().wait()", encoding="utf-8")
    assert run_checks((GOOD,), layout, [], full=False, limit_s=0.5) == 1
    main.write_text(right, encoding="utf-8")
    assert "did not end within" in capfd.readouterr().out


def test_the_list_holds_style_types_layers_and_qml() -> None:
    assert [check.name for check in CHECKS] == ["ruff check", "ruff format", "mypy", "import contracts", "QML"]


def test_only_full_asks_for_the_long_campaigns(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNUG_FULL_TESTS", "1")
    monkeypatch.setenv("SNUG_HOME", "/home/of/a/person")
    assert "SNUG_FULL_TESTS" not in checks_environment(layout, full=False)
    assert checks_environment(layout, full=True)["SNUG_FULL_TESTS"] == "1"
    assert "SNUG_HOME" not in checks_environment(layout, full=False)


def test_flags_of_the_tool_stand_before_those_of_snug() -> None:
    flags = ("--install-system", "--full")
    assert take_flags(["--install-system", "machine", "--full"], flags) == ({"--install-system"}, ["machine", "--full"])
    assert take_flags(["--full", "--install-system"], flags) == ({"--full", "--install-system"}, [])
    assert take_flags([], flags) == (set(), [])
