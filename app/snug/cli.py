"""The command line: which verbs there are, and how their answers become output and exit codes."""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import re
import sys
import traceback
from collections.abc import Iterable, Sequence
from typing import NoReturn

from snug import __version__
from snug.commands.command import Command, Context, plain
from snug.core.errors import UserError
from snug.paths import Paths

COMMAND_MODULES = (
    "snug.commands.machine",
    "snug.commands.fit",
    "snug.commands.recommend",
    "snug.commands.calculate",
    "snug.commands.get",
    "snug.commands.library",
    "snug.commands.convert",
    "snug.commands.chat",
    "snug.commands.measure",
    "snug.commands.doctor",
    "snug.commands.bench",
)
"""Every family of verbs, in the order of `snug --help`."""

OK, WORLD_FAILED, BAD_INPUT = 0, 1, 2


class Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message}. See `{self.prog} --help`.\n")


def load_commands() -> tuple[Command, ...]:
    """All verbs of all families."""
    found: list[Command] = []
    for name in COMMAND_MODULES:
        found.extend(importlib.import_module(name).COMMANDS)
    return tuple(found)


def build_parser(commands: Iterable[Command]) -> argparse.ArgumentParser:
    """The parser of the whole command line; `command` in its result is the chosen `Command`."""
    parser = Parser(
        prog="snug",
        description="Finds the language model that fits this computer, gets it, and lets you talk to it.",
        epilog="Without a command, snug opens its window.",
    )
    parser.add_argument("--version", action="version", version=f"snug {__version__}")
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, parser_class=Parser)
    for command in commands:
        verb = verbs.add_parser(command.name, help=command.help, description=command.help)
        verb.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
        command.add_arguments(verb)
        verb.set_defaults(command=command)
    return parser


def with_negative_figures(arguments: Sequence[str]) -> list[str]:
    """`--ram -5GB` as `--ram=-5GB`: the parser would take the figure for an option, and never say what is wrong."""
    joined: list[str] = []
    for argument in arguments:
        if re.match(r"-[.\d]", argument) and joined and re.fullmatch(r"--[a-z-]+", joined[-1]):
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def run(arguments: Sequence[str], paths: Paths) -> int:
    """Run one command line and return its exit code: 0 done, 1 the world failed, 2 bad input."""
    parser = build_parser(load_commands())
    try:
        chosen = parser.parse_args(with_negative_figures(arguments))
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else WORLD_FAILED
    return run_command(chosen.command, chosen, Context(paths=paths, json=chosen.json))


def run_command(command: Command, arguments: argparse.Namespace, context: Context) -> int:
    """Run a verb; whatever goes wrong becomes one line on stderr and an exit code."""
    try:
        try:
            return command.run(arguments, context)
        finally:
            context.close()
    except UserError as error:
        print(f"snug: {plain(str(error)).replace(chr(10), ' ')}", file=context.err)
        return BAD_INPUT if error.bad_input else WORLD_FAILED
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _leave_output()
        return WORLD_FAILED
    except OSError as error:
        if error.errno != errno.ENOSPC:
            return _report_fault(context)
        _leave_output()
        print("snug: There is no room left on the disk. Free some and try again.", file=context.err)
        return WORLD_FAILED
    except Exception:  # noqa: BLE001 - the last frame of the program: a fault of ours is told, logged and not shown raw
        return _report_fault(context)


def _leave_output() -> None:
    """What reads our output has gone or is full; nothing may be written at exit either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report_fault(context: Context) -> int:
    """Keep the traceback in a file and say where; SNUG_TRACEBACK=1 shows it."""
    text = traceback.format_exc()
    if os.environ.get("SNUG_TRACEBACK") == "1":
        print(text, file=context.err)
    where = context.paths.logs / "faults.log"
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
        with where.open("a", encoding="utf-8") as log:
            log.write(text + "\n")
        place = f"The details are in {where}."
    except OSError:
        place = "Run it again with SNUG_TRACEBACK=1 to see the details."
    print(f"snug: Something went wrong inside Snug. {place}", file=context.err)
    return WORLD_FAILED


def no_arguments() -> argparse.Namespace:
    """What a verb is handed that was not typed."""
    return argparse.Namespace()
