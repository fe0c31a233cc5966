"""The memory calculator: what a model of any size needs, and on which hardware it would run.

No model is at hand: a Llama-shaped one of that size is assumed (`rough_entry`), and the one fit function answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from snug.core.amounts import MOST_CONTEXT, MOST_PARAMETERS
from snug.core.catalogue import facts_of
from snug.core.errors import UserError
from snug.core.fit import Fit, FitSettings, MemoryNeed, Verdict
from snug.core.known_machines import KnownMachine
from snug.core.machine import Cpu, Machine, Memory
from snug.core.memory_fit import fit
from snug.core.model_facts import ModelFacts
from snug.core.quantisation import FILE_TYPES
from snug.core.rough_entry import rough_entry

CALCULATOR_TYPES = ("F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K")
LEAST_PARAMETERS = 100_000_000
LEAST_CONTEXT = 512
_ROOM = 2**50
_ROOMY = Machine(cpu=Cpu(cores=8), memory=Memory(_ROOM, _ROOM, 50e9))
"""Where everything has room: what is needed there is the need itself."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the sliders say. `context` in tokens; `active_parameters` is set for a mixture of experts."""

    parameters: int
    file_type: str = "Q4_K_M"
    context: int = 8192
    kv_type: str = "f16"
    active_parameters: int | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """One computer beside the need: bytes that it has `free` and `total` where the model would lie, and the answer.

    That is the graphics cards alone where the whole model runs there, else all the memory that takes part.
    """

    name: str
    kind: str
    needed: int
    free: int
    total: int
    answer: Fit

    @property
    def share(self) -> float:
        """The need as a share of what is free; above 1 it does not fit."""
        return self.needed / self.free if self.free > 0 else float("inf")


@dataclass(frozen=True, slots=True)
class Calculation:
    """The answer: the file's size, what it needs in memory (on a processor), and one bar for each computer."""

    facts: ModelFacts
    need: MemoryNeed
    bars: tuple[Bar, ...]

    @property
    def smallest(self) -> Bar | None:
        """The computer with the least memory on which it fits well; None where there is none."""
        able = [bar for bar in self.bars if bar.answer.verdict is Verdict.FITS_WELL]
        return min(able, key=lambda bar: bar.free, default=None)


def calculate(question: Question, computers: Iterable[tuple[str, str, Machine]]) -> Calculation:
    """The need of such a model and how it sits on each computer (name, kind, machine). Raises UserError (bad_input)."""
    facts = facts_of_question(question)
    settings = FitSettings(context=question.context, kv_type=question.kv_type)
    need = fit(facts, settings, _ROOMY).memory
    return Calculation(facts, need, tuple(_bar(facts, settings, *computer) for computer in computers))


def usual_computers(known: Sequence[KnownMachine]) -> list[tuple[str, str, Machine]]:
    """The computers that the calculator compares with, the smallest first."""
    chosen = [(item.name, item.kind, item.machine) for item in known if item.in_calculator]
    return sorted(chosen, key=lambda item: sum(gpu.memory_total for gpu in item[2].gpus) or item[2].memory.total)


def facts_of_question(question: Question) -> ModelFacts:
    """The figures of a model like that. Raises UserError (bad_input) that names the figure which no model has."""
    parameters, active = question.parameters, question.active_parameters
    if not LEAST_PARAMETERS <= parameters <= MOST_PARAMETERS:
        raise _no_model(f"{parameters:,} parameters")
    if active is not None and not 0 < active <= parameters:
        raise _no_model(f"{active:,} active parameters of {parameters:,}")
    if not 1 <= question.context <= MOST_CONTEXT:
        raise _no_model(f"a context of {question.context:,} tokens")
    entry = rough_entry("", "A model", parameters, context=max(question.context, LEAST_CONTEXT))
    return facts_of(replace(entry, active_parameters=active), question.file_type)


def known_types() -> tuple[str, ...]:
    """Every type that can be asked for, finest first."""
    return tuple(kind.name for kind in FILE_TYPES)


def _bar(facts: ModelFacts, settings: FitSettings, name: str, kind: str, machine: Machine) -> Bar:
    answer = fit(facts, settings, machine)
    main, *cards = answer.memory.devices
    devices = cards if cards and answer.gpu_layers > facts.layers else [main, *cards]
    needed, free = sum(device.needed for device in devices), sum(device.free for device in devices)
    return Bar(name, kind, needed, free, sum(device.total for device in devices), answer)


def _no_model(what: str) -> UserError:
    return UserError(f"No model has {what}.", "Correct that figure.", kind="bad-amount", bad_input=True)
