"""What both the window and the command line ask a speed test for, and how they keep what it found."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from snug.core.catalogue import facts_of
from snug.core.fit import NO_OFFLOAD, FitSettings, Offload
from snug.core.machine import Machine
from snug.core.memory_fit import fit
from snug.core.rough_entry import rough_entry
from snug.core.speed_test import TEST_SECONDS, SpeedTest, computer_of
from snug.worker.speed_messages import MeasureSpeed, SpeedMeasured

TEST_MODELS = (("0.4B", "Q4_K_M"), ("0.4B", "Q8_0"), ("0.9B", "Q4_K_M"))
"""Small enough for any computer that runs models, too large for a processor's cache."""
TYPICAL_PARAMETERS = 400_000_000


class TestMemory(Protocol):
    """Where results are kept."""

    def speed_test(self) -> SpeedTest | None: ...
    def remember_speed_test(self, test: SpeedTest) -> None: ...


def request_for(
    machine: Machine,
    folder: Path,
    pip: Path,
    models: tuple[tuple[str, str], ...] = TEST_MODELS,
    seconds: float | None = None,
) -> MeasureSpeed:
    """The test for this machine, with the layout that a chat with a model of that size gets."""
    return MeasureSpeed(
        folder=str(folder), pip=str(pip), models=list(models), seconds=seconds or TEST_SECONDS,
        offload=layout_for(machine),
    )  # fmt: skip


def layout_for(machine: Machine) -> Offload:
    """Where a chat would lay out a small model here."""
    if not machine.gpus:
        return NO_OFFLOAD
    facts = facts_of(rough_entry("", "A model", TYPICAL_PARAMETERS, context=4096), "Q4_K_M")
    return fit(facts, FitSettings(context=2048), machine).offload


def keep_test(memory: TestMemory, done: SpeedMeasured, machine: Machine) -> SpeedTest:
    """Keep the test; each model's faster quiet figure stays where this computer was tested before."""
    found = SpeedTest(
        computer_of(machine), tuple(done.rows), done.bandwidth, done.pip_tokens_per_s, done.seconds, done.skipped
    )
    before = memory.speed_test()
    if before is not None and before.computer == found.computer:
        best = {row.facts.name: row for row in before.quiet_rows}
        for row in found.quiet_rows:
            known = best.get(row.facts.name)
            best[row.facts.name] = row if known is None or row.tokens_per_s > known.tokens_per_s else known
        if best:
            found = SpeedTest(
                found.computer, tuple(best.values()), max(found.bandwidth, before.bandwidth),
                found.pip_tokens_per_s, found.seconds, found.skipped,
            )  # fmt: skip
    memory.remember_speed_test(found)
    return found
