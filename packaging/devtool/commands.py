"""The two commands: run opens Snug, test checks everything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

from devtool import environment, system_packages
from devtool.checks import CHECKS, run_checks
from devtool.environment import Layout, SetupFailed

ROOT = Path(__file__).resolve().parents[2]
INSTALL_FLAG = "--install-system"
FULL_FLAG = "--full"


def run(arguments: list[str]) -> int:
    """Sets up what is missing and becomes `snug` with the remaining arguments."""
    flags, rest = take_flags(arguments, (INSTALL_FLAG,))
    layout = Layout(ROOT)
    if not prepare("run", layout, install=INSTALL_FLAG in flags):
        return 1
    command = [str(layout.python), "-m", "snug", *rest]
    return subprocess.call(command) if sys.platform == "win32" else _become(command)


def _become(command: list[str]) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(command[0], command)


def test(arguments: list[str]) -> int:
    """Sets up what is missing and runs every check, pytest last; 0 only when all of them passed."""
    flags, rest = take_flags(arguments, (INSTALL_FLAG, FULL_FLAG))
    layout = Layout(ROOT)
    if not prepare("test", layout, install=INSTALL_FLAG in flags):
        return 1
    return run_checks(CHECKS, layout, rest, full=FULL_FLAG in flags)


def take_flags(arguments: list[str], flags: tuple[str, ...]) -> tuple[set[str], list[str]]:
    """The flags of this tool at the beginning of the arguments, and all that follows them."""
    taken: set[str] = set()
    for index, argument in enumerate(arguments):
        if argument not in flags:
            return taken, arguments[index:]
        taken.add(argument)
    return taken, []


def prepare(command: str, layout: Layout, *, install: bool) -> bool:
    """True once the system and the environment have all that `command` needs; else it has said why not."""
    try:
        wanted = environment.digest(layout, environment.this_recipe(layout))
        ready = environment.is_ready(layout, wanted)
        if (not ready or install or command == "test") and not _system_is_complete(command, install=install):
            return False
        if not ready:
            environment.ensure(layout)
    except SetupFailed as error:
        print(error, file=sys.stderr)
        return False
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return False
    return True


def _system_is_complete(command: str, *, install: bool) -> bool:
    system, version = system_packages.this_system(), sys.version_info[:2]
    lacking = system_packages.missing(command, sys.platform, system_packages.real_probe())
    if not lacking:
        return True
    if not install:
        print(system_packages.advice(lacking, system, version), file=sys.stderr)
        return False
    why_not = system_packages.install(lacking, system, version)
    lacking = [] if why_not else system_packages.missing(command, sys.platform, system_packages.real_probe())
    if lacking:
        why_not = "Still missing after the installation: " + ", ".join(need.name for need in lacking)
    if why_not:
        print(why_not, file=sys.stderr)
    return not why_not
