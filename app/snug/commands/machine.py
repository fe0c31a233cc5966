"""`snug machine`: what this computer is, each figure with its source."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from snug.commands.command import Command, Context
from snug.core.corrections import with_corrections
from snug.core.errors import UserError
from snug.core.machine import Machine, machine_document
from snug.core.machine_words import FigureRow, figure_rows, machine_line, memory_line
from snug.core.steady_bandwidth import with_best_bandwidth
from snug.worker import protocol


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--quick", action="store_true", help="do not measure the memory's speed (saves a second)")


def run(arguments: Namespace, context: Context) -> int:
    """Read the computer in a child and print it."""
    machine = read_here(context, measure_bandwidth=not arguments.quick)
    if context.json:
        context.print_document(machine_document(machine))
        return 0
    for line in words_of(machine):
        context.say(line)
    return 0


def read_here(context: Context, *, measure_bandwidth: bool = True) -> Machine:
    """This computer, read by a child process. Raises UserError where the child fails.

    Where the window measured a higher memory bandwidth before, that one stands here too.
    """
    folder, last, corrections = kept(context)
    request = protocol.ReadMachine(models_folder=folder, measure_bandwidth=measure_bandwidth)
    answer = context.child().request(request)
    if not isinstance(answer, protocol.MachineRead):
        raise UserError("This computer could not be read.", "Try it again.", kind="cancelled")
    return with_corrections(with_best_bandwidth(answer.machine, last), corrections)


def models_folder(context: Context) -> str:
    """Where models are kept: the person's choice where there is one, else Snug's own folder."""
    return kept(context)[0]


def kept(context: Context) -> tuple[str, Machine | None, dict[str, object]]:
    """The folder for models, the last reading and the person's corrections, from the store where there is one."""
    folder, last, corrections = "", None, {}
    if context.paths.database.exists():
        try:
            store = context.open_store()
            folder, last = str(store.settings.get("downloads.folder")), store.machine.last()
            corrections = store.machine.corrections()
        except UserError as error:
            context.note(str(error))
    return folder or str(context.paths.models), last, corrections


def words_of(machine: Machine) -> list[str]:
    """The human form: two lines that say it, then the figures with their sources."""
    rows = figure_rows(machine)
    width = max((len(row.label) for row in rows), default=0)
    return [machine_line(machine), memory_line(machine), "", *(_row_words(row, width) for row in rows)]


def _row_words(row: FigureRow, width: int) -> str:
    if not row.is_known:
        return f"{row.label:<{width}}  {row.value}: {row.source}"
    return f"{row.label:<{width}}  {row.value}" + (f"   [{row.source}]" if row.source else "")


COMMANDS = (Command("machine", "say what this computer is, each figure with its source", add_arguments, run),)
