"""Which machine a command is about: this one, or the one that a file describes."""

from __future__ import annotations

import json
import stat
from argparse import ArgumentParser, Namespace
from pathlib import Path

from snug.commands.command import Context
from snug.commands.machine import read_here
from snug.core.errors import UserError
from snug.core.machine import Machine, machine_from_document

DOCUMENT_LIMIT_BYTES = 1024 * 1024


def add_machine_argument(parser: ArgumentParser) -> None:
    parser.add_argument("--machine", metavar="FILE", help="another computer: a file as `snug machine --json` prints it")


def chosen_machine(arguments: Namespace, context: Context) -> Machine:
    """The machine of `--machine`, else this computer. Raises UserError for a file that describes none."""
    if arguments.machine is None:
        return read_here(context)
    return machine_from_document(read_document(Path(arguments.machine), "the machine file"))


def read_document(path: Path, what: str) -> object:
    """The JSON in a small file. Raises UserError (bad_input) where there is none; `what` names it for people."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise _bad(path, f"{what} is not a file")
        if status.st_size > DOCUMENT_LIMIT_BYTES:
            raise _bad(path, f"{what} is too large")
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise _bad(path, "there is no such file") from error
    except OSError as error:
        raise _bad(path, f"{what} cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise _bad(path, f"{what} is not JSON") from error


def _bad(path: Path, why: str) -> UserError:
    advice = "`snug machine --json` prints one to start from." if "machine" in why else "Check the name."
    return UserError(f"{path} cannot be used: {why}.", advice, kind="bad-document", bad_input=True)
