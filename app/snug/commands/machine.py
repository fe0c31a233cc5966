"""`snug machine`: what this computer is, each figure with its source."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import dataclass, field

from snug.commands.command import Command, Context
from snug.core.errors import UserError
from snug.core.machine import Machine
from snug.core.machine_document import machine_document
from snug.core.machine_words import FigureRow, figure_rows, machine_line, memory_line
from snug.core.model_facts import ModelFacts
from snug.core.speed_learning import believed
from snug.core.speed_test import SpeedTest
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
    known = kept(context)
    request = protocol.ReadMachine(models_folder=known.folder, measure_bandwidth=measure_bandwidth)
    answer = context.child().request(request)
    if not isinstance(answer, protocol.MachineRead):
        raise UserError("This computer could not be read.", "Try it again.", kind="cancelled")
    reading = with_best_bandwidth(answer.machine, known.last)
    return believed(reading, known.corrections, known.measured, known.speed_test)


def models_folder(context: Context) -> str:
    """Where models are kept: the person's choice where there is one, else Snug's own folder."""
    return kept(context).folder


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store knows of this computer: the folder for models, the last reading, what chats have measured."""

    folder: str
    last: Machine | None = None
    corrections: Mapping[str, object] = field(default_factory=dict)
    measured: tuple[tuple[ModelFacts, float | None], ...] = ()
    speed_test: SpeedTest | None = None


def kept(context: Context) -> Kept:
    """What the store knows of this computer; Snug's own folder and nothing else where there is no store."""
    if context.paths.database.exists():
        try:
            store = context.open_store()
            return Kept(
                folder=str(store.settings.get("downloads.folder")) or str(context.paths.models),
                last=store.machine.last(),
                corrections=store.machine.corrections(),
                measured=tuple((model.facts, model.measured_tokens_per_s) for model in store.models.all()),
                speed_test=store.machine.speed_test(),
            )
        except UserError as error:
            context.note(str(error))
    return Kept(str(context.paths.models))


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
