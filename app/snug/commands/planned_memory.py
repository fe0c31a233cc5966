"""What is known of a model's memory for a command: measured here, planned by the engine, asked of a child where not."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from snug.commands.command import Context
from snug.core.errors import UserError
from snug.core.fit import Fit, FitSettings, Offload, Parts, PlannedMemory
from snug.core.known_memory import KnownMemory, accuracy_words
from snug.core.machine import Machine
from snug.core.memory_fit import known_fit
from snug.core.model_facts import ModelFacts
from snug.worker import protocol
from snug.worker.client import WorkerClient

LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Header:
    """Where a header lies: in a whole model file, or with `size_bytes` alone, of a file that large. `more_parts` are
    path and size of the headers of further parts."""

    path: str
    size_bytes: int = 0
    more_parts: tuple[tuple[str, int], ...] = ()


class KnownHere(KnownMemory):
    """Figures of this installation. `is_here` False is for another machine: what was measured here says nothing."""

    def __init__(self, context: Context, header: Header | None = None, *, is_here: bool = True) -> None:
        self._context = context
        self._header = header
        self._is_here = is_here
        from snug.store.plans import Plans  # slow to import: only commands that need it pay

        self.plans = Plans(context.paths.cache, context.paths.home)

    def planned(self, facts: ModelFacts, settings: FitSettings) -> PlannedMemory | None:
        """The engine's plan for these settings; None where there is no header, or the engine cannot say."""
        kept = self.plans.planned(facts, settings)
        if kept is not None or self._header is None or not facts.exact:
            return kept
        plan = asked(self._header, settings, self._context)
        if plan is not None:
            self.plans.keep_planned(facts, settings, plan)
        return plan

    def measured(self, facts: ModelFacts, settings: FitSettings, offload: Offload) -> PlannedMemory | None:
        return self.plans.measured(facts, settings, offload) if self._is_here else None

    def fit(self, facts: ModelFacts, settings: FitSettings, machine: Machine) -> Fit:
        """The answer with all that is known."""
        return known_fit(facts, settings, machine, self)

    def record(
        self, name: str, facts: ModelFacts, settings: FitSettings, before: Fit, devices: Sequence[Parts]
    ) -> None:
        """Keep what a load really took."""
        self.plans.record(name, facts, settings, before, devices)

    def accuracy_words(self) -> str:
        """How far off the estimates on this computer have been; "" while too few loads were measured."""
        return accuracy_words(self.plans.loads()) if self._is_here else ""

    def accuracy_document(self) -> dict[str, Any]:
        """The same as `--json` prints it: different loads measured here, and the largest error as a share."""
        loads = self.plans.loads() if self._is_here else ()
        return {"loads": len(loads), "largest_error": max((load.error for load in loads), default=None)}


def is_this_computer(arguments: Namespace) -> bool:
    """Whether a command with `add_machine_argument` is about this computer."""
    return all(getattr(arguments, name, None) is None for name in ("machine", "ram", "vram", "bandwidth"))


def asked(header: Header, settings: FitSettings, context: Context) -> PlannedMemory | None:
    """What the engine plans, in a child of its own; None, with a note, where it cannot say."""
    wish = protocol.ContextWish(context=settings.context, kv_type=settings.kv_type, batch=settings.batch)
    request = protocol.DryRun(
        path=header.path, size_bytes=header.size_bytes, more_parts=list(header.more_parts), wishes=[wish]
    )
    try:
        with WorkerClient(context.paths.logs) as child:
            answer = child.request(request, timeout=LIMIT_S)
    except UserError as error:
        context.note(f"The engine could not plan this model ({error.title}) The figures follow from its header.")
        return None
    if not isinstance(answer, protocol.DryRunDone):
        return None
    found = answer.allocations[0]
    return PlannedMemory(
        settings.context, settings.kv_type, settings.batch, found.conversation_bytes, found.compute_bytes
    )
