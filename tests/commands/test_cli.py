"""The frame of the command line: exit codes, one line of error, pure documents, no traceback."""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snug import __version__, cli
from snug.commands.command import Command, Context, plain
from snug.core.errors import UserError
from snug.paths import Paths

Snug = Callable[..., Any]


def command_that(action: Callable[[Context], int]) -> Command:
    return Command("try", "try it", lambda parser: None, lambda arguments, context: action(context))


def outcome(action: Callable[[Context], int], home: Path) -> tuple[int, str, str]:
    context = Context(Paths(home), out=io.StringIO(), err=io.StringIO())
    code = cli.run_command(command_that(action), argparse.Namespace(), context)
    assert isinstance(context.out, io.StringIO)
    assert isinstance(context.err, io.StringIO)
    return code, context.out.getvalue(), context.err.getvalue()


def failing(error: BaseException) -> Callable[[Context], int]:
    def action(context: Context) -> int:
        raise error

    return action


def test_bad_input_is_one_line_and_exit_code_2(home: Path) -> None:
    error = UserError("This is wrong.", "Do that.", bad_input=True, details="a\nb")
    assert outcome(failing(error), home) == (2, "", "snug: This is wrong. Do that.\n")


def test_a_failure_of_the_world_is_one_line_and_exit_code_1(home: Path) -> None:
    assert outcome(failing(UserError("The disk\nis full.")), home) == (1, "", "snug: The disk is full.\n")


def test_a_fault_of_ours_is_told_without_a_traceback_and_kept_in_a_log(home: Path) -> None:
    code, out, err = outcome(failing(ZeroDivisionError("by zero")), home)
    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert "ZeroDivisionError" not in err
    assert "ZeroDivisionError" in (home / "logs" / "faults.log").read_text()


def test_an_interrupt_is_quiet(home: Path) -> None:
    assert outcome(failing(KeyboardInterrupt()), home) == (130, "", "")


def test_what_was_opened_is_closed_after_a_failure(home: Path) -> None:
    closed: list[bool] = []

    def action(context: Context) -> int:
        context.on_close(lambda: closed.append(True))
        raise UserError("No.")

    outcome(action, home)
    assert closed == [True]


def test_a_foreign_name_cannot_steer_the_terminal() -> None:
    assert plain("a\x1b[31mb\x07c\u009b1md\n\te\x7f") == "a [31mb c 1md\n\te "


def test_a_document_is_all_that_is_printed(home: Path) -> None:
    out = io.StringIO()
    context = Context(Paths(home), json=True, out=out)
    context.say("words for people")
    context.print_document({"path": Path("/x"), "text": "é\n"})
    assert out.getvalue() == '{\n  "path": "/x",\n  "text": "é\\n"\n}\n'


def test_every_family_of_commands_is_there() -> None:
    names = [command.name for command in cli.load_commands()]
    assert len(names) == len(set(names))
    wanted = "machine fit recommend search get downloads models add remove scan chat doctor bench"
    assert set(names) >= set(wanted.split())


def test_the_version_is_printed(snug: Snug) -> None:
    ran = snug("--version")
    assert (ran.code, ran.out.strip(), ran.err) == (0, f"snug {__version__}", "")


def test_the_help_names_every_command(snug: Snug) -> None:
    ran = snug("--help")
    assert ran.code == 0
    assert all(command.name in ran.out for command in cli.load_commands())


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["chat"],
        ["chat", "no such model", "-p", "hi"],
        ["chat", "/no/such/file.gguf", "-p", "hi"],
        ["chat", "pip", "--json"],
        ["chat", "pip", "-p", "hi", "--temperature", "99"],
        ["chat", "pip", "-p", "hi", "--max-tokens", "x"],
        ["machine", "--nonsense"],
    ],
)
def test_bad_arguments_are_one_line_on_stderr(snug: Snug, arguments: list[str]) -> None:
    ran = snug(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert len(ran.err.splitlines()) == 1
    assert ran.err.startswith("snug")


def test_a_reader_that_goes_away_is_no_error(home: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    finished = subprocess.run(
        [sys.executable, "-m", "snug", "--help"], stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False
    )
    os.close(writing)
    assert b"Traceback" not in finished.stderr


def test_the_command_line_loads_nothing_heavy_before_a_command_needs_it() -> None:
    program = (
        "import sys; from snug import cli; cli.load_commands()\n"
        "heavy = {'sqlalchemy', 'numpy', 'huggingface_hub', 'llama_cpp', 'PySide6', 'jinja2'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert finished.stdout.strip() == "[]"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no such device")
def test_a_full_disk_under_the_output_is_said_in_words(home: Path) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        finished = subprocess.run(
            [sys.executable, "-m", "snug", "models"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"SNUG_HOME": str(home)},
            timeout=60,
            check=False,
        )
    assert finished.returncode == 1
    assert finished.stderr == "snug: There is no room left on the disk. Free some and try again.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="closes the output by the shell's own sign")
def test_an_output_that_is_closed_is_no_fault(home: Path) -> None:
    finished = subprocess.run(
        ["sh", "-c", '"$0" -m snug models --json >&-', sys.executable],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"SNUG_HOME": str(home)},
        timeout=60,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, "")
