"""Which machine a command is about: this one, one that Snug knows by name, or one that a file or figures describe."""

from __future__ import annotations

import json
import stat
from argparse import ArgumentParser, Namespace
from pathlib import Path

from snug.commands.command import Context
from snug.commands.machine import read_here
from snug.core.amounts import bytes_per_s, memory_bytes
from snug.core.errors import UserError
from snug.core.known_machines import KnownMachine, computer_words, find_machine, load_known_machines, machine_by_hand
from snug.core.machine import Machine
from snug.core.machine_document import machine_from_document
from snug.core.words import sold_text
from snug.paths import resources_folder

DOCUMENT_LIMIT_BYTES = 1024 * 1024
_MACHINE_HELP = (
    "a computer or graphics card that Snug knows (`snug recommend --machines` lists them), "
    "or a file as `snug machine --json` prints it"
)


def add_machine_argument(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("another computer")
    group.add_argument("--machine", metavar="NAME|FILE", help=_MACHINE_HELP)
    group.add_argument("--ram", metavar="SIZE", help="its memory, such as 32GB")
    group.add_argument("--vram", metavar="SIZE", help="its graphics card's memory, such as 12GB")
    group.add_argument(
        "--bandwidth",
        metavar="RATE",
        help="how fast that card's memory is (without --vram: main memory), such as 360GB/s",
    )


def chosen_machine(arguments: Namespace, context: Context) -> Machine:
    """The machine of `--machine` or of figures by hand, else this computer. Raises UserError for one that is none."""
    by_hand = (arguments.ram, arguments.vram, arguments.bandwidth)
    if arguments.machine is not None:
        if any(figure is not None for figure in by_hand):
            title = "--machine and figures by hand cannot be used together."
            raise UserError(title, "Give one or the other.", kind="bad-machine", bad_input=True)
        title, machine = titled_machine(arguments.machine)
        context.say(f"For {title}:")
        return machine
    if all(figure is None for figure in by_hand):
        return read_here(context)
    if arguments.ram is None:
        title = "The computer's memory is missing."
        raise UserError(title, "Give it as well, such as --ram 16GB.", kind="bad-machine", bad_input=True)
    machine = machine_by_hand(
        memory_bytes(arguments.ram),
        memory_bytes(arguments.vram, "graphics memory") if arguments.vram is not None else 0,
        bytes_per_s(arguments.bandwidth) if arguments.bandwidth is not None else None,
    )
    context.say(f"For {by_hand_words(machine)}:")
    return machine


def by_hand_words(machine: Machine) -> str:
    """A computer from figures by hand, with what was assumed beside them."""
    words = f"a computer with {sold_text(machine.memory.total)} of memory"
    words += f" and a graphics card of {sold_text(machine.gpus[0].memory_total)}" if machine.gpus else ""
    note = machine.sources.get("memory.bandwidth", "")
    return f"{words}; {note.replace('assumed:', 'assumed for its main memory:')}" if note else words


def given_words(machine: Machine) -> str:
    """What a machine file tells of a computer: its memory, its cards, and what it leaves open."""
    words = f"{sold_text(machine.memory.total)} of memory"
    cards = [gpu for gpu in machine.gpus if gpu.kind == "discrete"]
    words += "".join(f" and {gpu.name or 'a graphics card'} with {sold_text(gpu.memory_total)}" for gpu in cards)
    if machine.memory.bandwidth is None and not any(gpu.kind == "unified" for gpu in machine.gpus):
        words += ", how fast its main memory is not said"
    return words


def titled_machine(text: str) -> tuple[str, Machine]:
    """The machine in the file of that name, else the known one that people call so, with words for which that is.

    Raises UserError (bad_input).
    """
    if not text.strip():
        title = "No computer was named."
        raise UserError(title, "`snug recommend --machines` lists those it knows.", "unknown-machine", bad_input=True)
    path = Path(text)
    if path.suffix.lower() == ".json" or "/" in text or "\\" in text or path.exists():
        machine = machine_from_document(read_document(path, "the machine file"))
        return f"the computer in {path.name}, {given_words(machine)}", machine
    known = find_machine(known_machines(), text)
    return computer_words(known), known.machine


def known_machines() -> tuple[KnownMachine, ...]:
    """The computers and graphics cards that Snug knows."""
    return load_known_machines(resources_folder() / "catalogue" / "machines.json")


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
