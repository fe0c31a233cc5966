"""`snug bench speed`: the speed that Snug foretells against what the engine reaches here, on made-up models.

The default is what the window's speed test does in about 20 seconds; `--all` measures every size from 0.1B to 3B in
five types (some minutes, and 7 GB of free disk), after that short test: the figures stand as the constants alone
foretell them, and as they are said once the short test has corrected them. The models compared correct nothing here.
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
from snug.worker.speed_testing import keep_test, request_for

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
    """One model: tokens/s of writing and reading a prompt, foretold and measured; `busy` as in `SpeedRow`.

    `corrected` is what is foretold after the short test.
    """

    name: str
    parameters: int
    weight_bytes: int
    foretold: float
    corrected: float
    measured: float
    prompt_foretold: float
    prompt_measured: float
    busy: float

    @property
    def ratio(self) -> float:
        return self.foretold / self.measured

    @property
    def corrected_ratio(self) -> float:
        return self.corrected / self.measured

    @property
    def prompt_ratio(self) -> float:
        return self.prompt_foretold / self.prompt_measured


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="25 models from 0.1B to 3B instead of the short test")
    parser.add_argument(
        "--rounds", type=int, default=1, help="measure everything so many times; each model's best counts"
    )
    parser.add_argument("--keep", action="store_true", help="let the result correct Snug's estimates from now on")


def run(arguments: Namespace, context: Context) -> int:
    """Measure and compare; 1 where too few are foretold well, or none was measured in quiet."""
    store = context.open_store(write=True) if arguments.keep else None  # said at once where the window has it
    machine = read_here(context)
    folder = context.paths.cache
    folder.mkdir(parents=True, exist_ok=True)
    done = short = measured_by(context, request_for(machine, folder, Path(pip_model().path)))
    if arguments.all:
        request = request_for(machine, folder, Path(pip_model().path), ALL_MODELS, ALL_SECONDS)
        done = best_of([measured_by(context, request) for _ in range(max(1, arguments.rounds))])
    machine = with_bandwidth(machine, max(short.bandwidth, done.bandwidth))
    plain = replace(machine, speed_correction=NO_CORRECTIONS, reading_correction=NO_CORRECTIONS)
    teaching = tuple(row for row in short.rows if row.is_quiet) if arguments.all else ()
    rows = compare(done.rows, plain, replace(plain, speed_correction=learnt((), plain, teaching)))
    if not rows:
        raise UserError("Nothing could be measured.", done.skipped or "Try it again.", kind="nothing-measured")
    if store is not None:
        keep_test(store.machine, done, machine)
    report(context, done, rows, machine, arguments.keep)
    fair = quiet_ones(rows)
    return 0 if fair and within_share([row.corrected_ratio for row in fair]) >= TARGET else 1


def with_bandwidth(machine: Machine, bandwidth: float) -> Machine:
    """The machine with that bandwidth of memory, in bytes/s, where it is higher: other programs only slow one down."""
    if bandwidth <= (machine.memory.bandwidth or 0.0):
        return machine
    return replace(machine, memory=replace(machine.memory, bandwidth=bandwidth))


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


def best_of(rounds: Sequence[SpeedMeasured]) -> SpeedMeasured:
    """Each model's fastest round, and the fastest reading of memory: what slows a round down is other work, which on a
    shared computer is not always seen in `busy`."""
    best: dict[str, SpeedRow] = {}
    for done in rounds:
        for row in done.rows:
            if row.facts.name not in best or row.tokens_per_s > best[row.facts.name].tokens_per_s:
                best[row.facts.name] = row
    return SpeedMeasured(
        rows=list(best.values()),
        bandwidth=max(done.bandwidth for done in rounds),
        pip_tokens_per_s=max(done.pip_tokens_per_s for done in rounds),
        seconds=sum(done.seconds for done in rounds),
        skipped=rounds[-1].skipped,
    )


def compare(rows: Sequence[SpeedRow], machine: Machine, corrected: Machine) -> list[Compared]:
    """Each row beside the uncorrected estimate for it, and beside the one for the `corrected` machine."""
    found = []
    for row in rows:
        answer, after = fit(row.facts, FitSettings(), machine), fit(row.facts, FitSettings(), corrected)
        if answer.speed is not None and answer.prefill is not None and after.speed is not None:
            found.append(
                Compared(
                    name=row.facts.name.removeprefix("random "),
                    parameters=row.facts.parameters,
                    weight_bytes=row.facts.weight_bytes,
                    foretold=answer.speed.mid,
                    corrected=after.speed.mid,
                    measured=row.tokens_per_s,
                    prompt_foretold=answer.prefill.mid,
                    prompt_measured=row.prompt_tokens_per_s,
                    busy=row.busy,
                )
            )
    return found


def within_share(ratios: Sequence[float], share: float = SHARE) -> float:
    """The share of ratios of foretold to measured that lie within `share` of 1."""
    return sum(abs(ratio - 1) <= share for ratio in ratios) / len(ratios)


def report(context: Context, done: SpeedMeasured, rows: Sequence[Compared], machine: Machine, is_kept: bool) -> None:
    """Foretold against measured, and what the test would correct."""
    quiet = tuple(row for row in done.rows if row.is_quiet)
    answers, reading = learnt((), machine, quiet).main, reading_learnt(quiet, machine).main
    fair = quiet_ones(rows) or list(rows)
    figures = {
        "is_quiet": bool(quiet_ones(rows)),
        "within_12_percent": within_share([row.ratio for row in fair]),
        "median_ratio": median(row.ratio for row in fair),
        "corrected_within_12_percent": within_share([row.corrected_ratio for row in fair]),
        "corrected_median_ratio": median(row.corrected_ratio for row in fair),
        "prompt_within_20_percent": within_share([row.prompt_ratio for row in fair], 0.2),
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
                     "foretold": row.foretold, "corrected": row.corrected, "measured": row.measured, "ratio": row.ratio,
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
    good, middle = figures["corrected_within_12_percent"], figures["corrected_median_ratio"]
    context.say(f"Within 12 % after the 20-second test: {good:.0%}, median {middle:.2f}")
    good, middle = figures["prompt_within_20_percent"], figures["prompt_median_ratio"]
    context.say(f"Prompts within 20 %: {good:.0%}, median {middle:.2f}")
    if not figures["is_quiet"]:
        context.say("Other programs were too busy for these figures to be believed; they correct nothing.")
    kept = "Kept: estimates" if is_kept else "With --keep, estimates"
    context.say(f"{kept} on this computer are moved by {answers.factor:.2f} (prompts {reading.factor:.2f}).")
    if done.skipped:
        context.say(f"Left out: {done.skipped}")
