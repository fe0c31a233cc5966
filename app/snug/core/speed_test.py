"""What a speed test of a computer found, and what of it may correct estimates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from snug.core.machine import Machine
from snug.core.model_facts import ModelFacts

QUIET_SHARE = 0.25
"""A row counts where other programs used at most this share of the processor just before it."""
TEST_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class SpeedRow:
    """One made-up model: its figures, tokens/s of writing and of reading a prompt, and how busy the computer was."""

    facts: ModelFacts
    tokens_per_s: float
    prompt_tokens_per_s: float
    busy: float = 0.0

    @property
    def is_quiet(self) -> bool:
        return self.busy <= QUIET_SHARE


@dataclass(frozen=True, slots=True)
class SpeedTest:
    """One test. `computer` is what `computer_of` gives; `bandwidth` in bytes/s, 0 where it could not be measured.

    `skipped` says in words what was left out.
    """

    computer: str
    rows: tuple[SpeedRow, ...] = ()
    bandwidth: float = 0.0
    pip_tokens_per_s: float = 0.0
    seconds: float = 0.0
    skipped: str = ""

    @property
    def quiet_rows(self) -> tuple[SpeedRow, ...]:
        return tuple(row for row in self.rows if row.is_quiet)

    @property
    def is_quiet(self) -> bool:
        """Whether it says enough; else it is worth another try."""
        return bool(self.quiet_rows)


def computer_of(machine: Machine) -> str:
    """What tells one computer from another for a speed: processor, its cores, and the graphics devices."""
    return " | ".join((machine.cpu.name, str(machine.cpu.cores), *(gpu.name for gpu in machine.gpus)))


def rows_for(test: SpeedTest | None, machine: Machine) -> Iterator[SpeedRow]:
    """The rows that may correct estimates for this machine."""
    if test is not None and test.computer == computer_of(machine):
        yield from test.quiet_rows
