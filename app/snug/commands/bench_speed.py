"""`snug bench speed`: the speed that Snug foretells against what the engine reaches here, on made-up models.

The default is what the window's speed test does in about 20 seconds; `--all` measures every size from 0.1B to 3B in
five types (some minutes, and 7 GB of free disk). Measured figures correct no estimate in this comparison.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from snug.commands.command import Context
from snug.commands.find_model import pip_model
from snug.commands.machine import read_here
from snug.commands.samples import processor_name
from snug.core.errors import UserError
from snug.core.fit import FitSettings
from snug.core.machine import Machine
from snug.core.memory_fit import fit
from snug.core.speed_correction import NO_CORRECTIONS
from snug.core.speed_learning import learnt, reading_learnt
from snug.core.speed_test import QUIET_SHARE, SpeedRow, computer_of
from snug.worker import protocol
from snug.worker.speed_messages import MeasureSpeed, SpeedMeasured
from snug.worker.speed_testing import TEST_MODELS, keep_test, request_for

ALL_MODELS = tuple(
    (shape, kind)
    for shape in ("0.13B", "0.4B", "0.9B", "1.6B", "2.9B")
    for kind in ("Q4_0", "Q4_K_M", "Q6_K", "Q8_0", "F16")
)
ALL_SECONDS = 3600.0
SHARE, TARGET = 0.12, 0.8
"""So many models are to be foretold within that share of what was measured."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One model: tokens/s of writing and reading a prompt, foretold and measured; `busy` as in `SpeedRow`."""

    name: str
    parameters: int
    weight_bytes: int
    foretold: float
    measured: float
    prompt_foretold: float
    prompt_measured: float
    busy: float

    @property
    def ratio(self) -> float:
        return self.foretold / self.measured

    @property
    def prompt_ratio(self) -> float:
        return self.prompt_foretold / self.prompt_measured


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="25 models from 0.1B to 3B instead of the short test")
    parser.add_argument("--keep", action="store_true", help="let the result correct Snug's estimates from now on")


def run(arguments: Namespace, context: Context) -> int:
    """Measure and compare; 1 where too few are foretold well, or none was measured in quiet."""
    store = context.open_store(write=True) if arguments.keep else None  # said at once where the window has it
    machine = read_here(context)
    folder = context.paths.cache
    folder.mkdir(parents=True, exist_ok=True)
    models, seconds = (ALL_MODELS, ALL_SECONDS) if arguments.all else (TEST_MODELS, None)
    request = request_for(machine, folder, Path(pip_model().path), models, seconds)
    done = measured_by(context, request)
    if done.bandwidth > (machine.memory.bandwidth or 0.0):
        machine = replace(machine, memory=replace(machine.memory, bandwidth=done.bandwidth))
    plain = replace(machine, speed_correction=NO_CORRECTIONS, reading_correction=NO_CORRECTIONS)
    rows = compare(done.rows, plain)
    if not rows:
        raise UserError("Nothing could be measured.", done.skipped or "Try it again.", kind="nothing-measured")
    if store is not None:
        keep_test(store.machine, done, machine)
    report(context, done, rows, machine, arguments.keep)
    fair = quiet_ones(rows)
    return 0 if fair and within(fair, SHARE) >= TARGET else 1


def quiet_ones(rows: Sequence[Compared]) -> list[Compared]:
    """The models that were measured while little else was running."""
    return [row for row in rows if row.busy <= QUIET_SHARE]


def measured_by(context: Context, request: MeasureSpeed) -> SpeedMeasured:
    """What a child measured. Raises UserError where it dies."""

    def say(event: protocol.Event) -> None:
        if isinstance(event, protocol.Progress):
            context.note(event.doing)

    answer = context.child().request(request, say)
    if not isinstance(answer, SpeedMeasured):
        raise UserError("The measurement was stopped.", "Run it again.", kind="cancelled")
    return answer


def compare(rows: Sequence[SpeedRow], machine: Machine) -> list[Compared]:
    """Each row beside the uncorrected estimate for it."""
    found = []
    for row in rows:
        answer = fit(row.facts, FitSettings(), machine)
        if answer.speed is not None and answer.prefill is not None:
            found.append(
                Compared(
                    name=row.facts.name.removeprefix("random "),
                    parameters=row.facts.parameters,
                    weight_bytes=row.facts.weight_bytes,
                    foretold=answer.speed.mid,
                    measured=row.tokens_per_s,
                    prompt_foretold=answer.prefill.mid,
                    prompt_measured=row.prompt_tokens_per_s,
                    busy=row.busy,
                )
            )
    return found


def within(rows: Sequence[Compared], share: float) -> float:
    """The share of models whose speed was foretold within `share` of what was measured."""
    return sum(abs(row.ratio - 1) <= share for row in rows) / len(rows)


def report(context: Context, done: SpeedMeasured, rows: Sequence[Compared], machine: Machine, is_kept: bool) -> None:
    """Foretold against measured, and what the test would correct."""
    quiet = tuple(row for row in done.rows if row.is_quiet)
    answers, reading = learnt((), machine, quiet).main, reading_learnt(quiet, machine).main
    fair = quiet_ones(rows) or list(rows)
    figures = {
        "is_quiet": bool(quiet_ones(rows)),
        "within_12_percent": within(fair, SHARE),
        "median_ratio": median(row.ratio for row in fair),
        "prompt_within_20_percent": sum(abs(row.prompt_ratio - 1) <= 0.2 for row in fair) / len(fair),
        "prompt_median_ratio": median(row.prompt_ratio for row in fair),
        "correction": answers.factor,
        "prompt_correction": reading.factor,
    }
    if context.json:
        context.print_document(
            {
                "cpu": processor_name(context),
                "computer": computer_of(machine),
                "bandwidth": machine.memory.bandwidth,
                "pip_tokens_per_s": done.pip_tokens_per_s,
                "seconds": done.seconds,
                "models": [
                    {"name": row.name, "parameters": row.parameters, "weight_bytes": row.weight_bytes,
                     "foretold": row.foretold, "measured": row.measured, "ratio": row.ratio,
                     "prompt_foretold": row.prompt_foretold, "prompt_measured": row.prompt_measured,
                     "prompt_ratio": row.prompt_ratio, "busy": row.busy}
                    for row in rows
                ],
                "skipped": done.skipped,
                "kept": is_kept,
                **figures,
            }
        )  # fmt: skip
        return
    context.say(f"{processor_name(context)}, {(machine.memory.bandwidth or 0) / 1e9:.1f} GB/s, tokens a second:")
    context.say(f"{'model':16}{'foretold':>10}{'measured':>10}{'ratio':>7}   {'prompt':>8}{'measured':>10}{'ratio':>7}")
    for row in rows:
        note = f"   others used {row.busy:.0%} of the processor" if row.busy > QUIET_SHARE else ""
        context.say(f"{row.name:16}{row.foretold:10.1f}{row.measured:10.1f}{row.ratio:7.2f}   "
                    f"{row.prompt_foretold:8.0f}{row.prompt_measured:10.0f}{row.prompt_ratio:7.2f}{note}")  # fmt: skip
    context.say(f"Within 12 %: {figures['within_12_percent']:.0%}, median {figures['median_ratio']:.2f}")
    good, middle = figures["prompt_within_20_percent"], figures["prompt_median_ratio"]
    context.say(f"Prompts within 20 %: {good:.0%}, median {middle:.2f}")
    if not figures["is_quiet"]:
        context.say("Other programs were too busy for these figures to be believed; they correct nothing.")
    kept = "Kept: estimates" if is_kept else "With --keep, estimates"
    context.say(f"{kept} on this computer are moved by {answers.factor:.2f} (prompts {reading.factor:.2f}).")
    if done.skipped:
        context.say(f"Left out: {done.skipped}")
