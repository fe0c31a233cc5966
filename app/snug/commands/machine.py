"""`snug machine`: what this computer is, each figure with its source."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from snug.commands.command import Command, Context
from snug.commands.known_library import with_library
from snug.commands.planned_memory import KnownHere
from snug.core.corrections import checked_correction, correctable
from snug.core.errors import UserError
from snug.core.machine import Machine
from snug.core.machine_changes import machine_changes
from snug.core.machine_document import machine_document
from snug.core.machine_words import (
    FigureRow,
    disagreement_words,
    figure_rows,
    machine_line,
    memory_line,
    used_line,
)
from snug.core.model_facts import ModelFacts
from snug.core.speed_learning import believed
from snug.core.speed_test import SpeedTest
from snug.core.steady_bandwidth import with_best_bandwidth
from snug.worker import protocol


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--quick", action="store_true", help="do not measure the memory's speed (saves a second)")
    parser.add_argument(
        "--correct", metavar="FIGURE=AMOUNT", action="append", default=[],
        help="you know a figure better, in GB or GB a second: memory.total=32; it counts everywhere from now on",
    )  # fmt: skip
    parser.add_argument(
        "--take-back", metavar="FIGURE", action="append", default=[], help="what Snug read counts again"
    )
    parser.add_argument("--noted", action="store_true", help="do not mention again what has changed until now")


def run(arguments: Namespace, context: Context) -> int:
    """Read the computer in a child and print it, with what changed since an earlier reading."""
    known = kept(context)
    reading = _read(context, known.folder, measure_bandwidth=not arguments.quick)
    changes = machine_changes(known.noted, reading) if known.noted else ()
    if arguments.noted:
        context.open_store(write=True).machine.note(reading)
    machine = _believed(reading, known)
    if arguments.correct or arguments.take_back:
        corrections = _corrected(context, machine, arguments.correct, arguments.take_back)
        machine = _believed(reading, replace(known, corrections=corrections))
    if context.json:
        context.print_document(
            {
                **machine_document(machine),
                "changes": list(changes),
                "memory_estimates": KnownHere(context).accuracy_document(),
            }
        )
        return 0
    for line in words_of(machine, changes):
        context.say(line)
    accuracy = KnownHere(context).accuracy_words()
    if accuracy:
        context.say(accuracy)
    return 0


def read_here(context: Context, *, measure_bandwidth: bool = True) -> Machine:
    """This computer, read by a child process. Raises UserError where the child fails.

    Where the window measured a higher memory bandwidth before, that one stands here too.
    """
    known = kept(context)
    machine = _believed(_read(context, known.folder, measure_bandwidth=measure_bandwidth), known)
    return with_library(machine, context)


def _read(context: Context, folder: str, *, measure_bandwidth: bool) -> Machine:
    request = protocol.ReadMachine(models_folder=folder, measure_bandwidth=measure_bandwidth)
    answer = context.child().request(request)
    if not isinstance(answer, protocol.MachineRead):
        raise UserError("This computer could not be read.", "Try it again.", kind="cancelled")
    return answer.machine


def _corrected(
    context: Context, machine: Machine, corrected: Sequence[str], taken_back: Sequence[str]
) -> Mapping[str, object]:
    """Keep the person's figures and forget those taken back. Raises UserError (bad_input), and then keeps nothing."""
    amounts = {}
    for words in corrected:
        key, _, amount = words.rpartition("=")
        try:
            number: object = float(amount)
        except ValueError:
            number = amount
        amounts[key.strip()] = checked_correction(machine, key.strip(), number)
    for key in taken_back:
        if key not in correctable(machine):
            checked_correction(machine, key, 0)
    memory = context.open_store(write=True).machine
    for key in taken_back:
        memory.set_correction(key, None)
    for key, value in amounts.items():
        memory.set_correction(key, value)
    return memory.corrections()


def _believed(reading: Machine, known: Kept) -> Machine:
    return believed(
        with_best_bandwidth(reading, known.last), known.corrections, known.measured, known.speed_test
    )  # fmt: skip


def models_folder(context: Context) -> str:
    """Where models are kept: the person's choice where there is one, else Snug's own folder."""
    return kept(context).folder


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store knows of this computer: the folder for models, the last reading, what chats have measured."""

    folder: str
    last: Machine | None = None
    noted: Machine | None = None
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
                noted=store.machine.noted() or store.machine.last(),
                corrections=store.machine.corrections(),
                measured=tuple((model.facts, model.measured_tokens_per_s) for model in store.models.all()),
                speed_test=store.machine.speed_test(),
            )
        except UserError as error:
            context.note(str(error))
    return Kept(str(context.paths.models))


def words_of(machine: Machine, changes: Sequence[str] = ()) -> list[str]:
    """The human form: a few lines that say it and what is new, then the figures with their sources."""
    rows = figure_rows(machine)
    width = max((len(row.label) for row in rows), default=0)
    said = [machine_line(machine), memory_line(machine), used_line(machine)]
    said += [disagreement_words(disagreement) for disagreement in machine.disagreements]
    said += [f"New since last time: {change}" for change in changes]
    return [*(line for line in said if line), "", *(_row_words(row, width) for row in rows)]


def _row_words(row: FigureRow, width: int) -> str:
    if not row.is_known:
        return f"{row.label:<{width}}  {row.value}: {row.source}"
    return f"{row.label:<{width}}  {row.value}" + (f"   [{row.source}]" if row.source else "")


COMMANDS = (Command("machine", "say what this computer is, each figure with its source", add_arguments, run),)
