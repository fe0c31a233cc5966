"""What a model is worth on a machine: its best type there, and one figure that weighs quality, loss, pace and room.

The figure is in doublings of effective size (`core/quality.py`). More memory never lowers it: each part of it only
improves with room.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from snug.core.catalogue import CatalogueEntry, facts_of, projector_bytes
from snug.core.disk_room import lacking_on_disk
from snug.core.fit import Fit, FitSettings, Verdict
from snug.core.known_files import find_file
from snug.core.machine import Machine
from snug.core.memory_fit import fit
from snug.core.model_facts import ModelFacts
from snug.core.quality import Measured, level_of, quantisation_loss
from snug.core.words import words_per_second

SLOW_READING_WORDS_PER_S = 4.0
"""A model that answers slower than this is never the first pick: people read about four words a second."""
COMFORTABLE_WORDS_PER_S = 6.0
SPARE_WORDS_PER_S = 2 * COMFORTABLE_WORDS_PER_S
"""From here on pace counts no more: finer types cost nothing that anybody would notice."""
PLENTY_WORDS_PER_S = 4 * COMFORTABLE_WORDS_PER_S
"""From here on, and with half the memory free, the unquantised file is offered where it is not huge."""
LARGEST_UNQUANTISED_BYTES = 20_000_000_000
TYPES = ("BF16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K")
"""Types that are offered, finest first. Below four bits only large models stay themselves."""
COMPACT_FROM_PARAMETERS = {"Q3_K_M": 12_000_000_000, "Q2_K": 60_000_000_000}
SAFE_WITHOUT_SPEED = 4_000_000_000
"""Where the memory's speed is not known, models above so many active parameters, or twice in all, are no picks."""
TIGHT_COST = 1.5
"""Doublings that a model loses where it only just fits: other programs would have to be closed."""
PACE_COST = 1.0
"""Doublings for each halving of the pace below `SPARE_WORDS_PER_S`."""
ROOM_COST = 1.0
"""Doublings for each halving of the conversation memory below what the use needs."""
LEFT_SHARE, LEFT_COST = 0.3, 0.5
"""So much of main memory should be left to programs that are opened later; each tenth more that the model itself (all
but the conversation) fills costs 0.05 doublings. What a graphics card holds is in nobody's way."""
CONTEXT_NEEDED = {"documents": 20_000, "code": 12_000, "tools": 8_000}
WAIT_TOKENS, WAIT_SECONDS, WAIT_COST = 5_000, 60.0, 0.5
"""For documents: ten pages should be read within a minute; each doubling of the wait costs as much."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model at its best type on one machine. `value` in doublings of effective size; see the module's first lines."""

    entry: CatalogueEntry
    file_type: str
    fit: Fit
    download_bytes: int
    value: float

    @property
    def words(self) -> float | None:
        """Words a second; None where the speed is not known."""
        return pace_of(self.fit)

    @property
    def order(self) -> tuple[bool, float]:
        """What reads along comes before what does not; then the value counts."""
        return self.is_at_least(SLOW_READING_WORDS_PER_S), self.value

    def is_at_least(self, words: float) -> bool:
        """Whether it answers at that pace; with an unknown speed, whether it is small enough to be safe."""
        if self.words is None:
            active = self.entry.active_parameters or self.entry.parameters
            return active <= SAFE_WITHOUT_SPEED and self.entry.parameters <= 2 * SAFE_WITHOUT_SPEED
        return self.words >= words


def candidate_of(
    entry: CatalogueEntry, machine: Machine, use: str = "chat", measured: Measured | None = None, only: str = ""
) -> Candidate | None:
    """The model at the type that is worth most here; None where none fits the memory and the disk.

    With `only` it is that type, of a file that is here already.
    """
    best: Candidate | None = None
    for name in (only,) if only else types_of(entry):
        facts = facts_of(entry, name)
        answer = fit(facts, FitSettings(), machine)
        if use == "vision" and fit(facts, settings_for(entry, use), machine).verdict is Verdict.TOO_BIG:
            continue
        if answer.verdict is Verdict.TOO_BIG or (name == "BF16" and not only and not _has_plenty(answer)):
            continue
        is_here = bool(only) or find_file(machine.known_files, facts) is not None
        if not is_here and lacking_on_disk(machine, facts.file_bytes, facts.repos):
            continue
        cost = min(_costs(found, use) for found in (answer, *_with_room(facts, answer, machine, use)))
        value = level_of(entry, use) - quantisation_loss(entry, name, measured) - cost
        found = Candidate(entry, name, answer, facts.file_bytes, value)
        if best is None or found.order > best.order:
            best = found
        if not cost and found.words is not None:
            break  # a coarser type can only be worth less
    return best


def settings_for(entry: CatalogueEntry, use: str) -> FitSettings:
    """What must fit for that use: to see pictures, the part that sees them too."""
    return FitSettings(projector_bytes=projector_bytes(entry) if use == "vision" else 0)


def types_of(entry: CatalogueEntry) -> tuple[str, ...]:
    """The types worth asking about, finest first: the makers' own where they trained the model for one."""
    if entry.native_type and not entry.native_type.startswith("Q"):
        return (entry.native_type,)
    fitting = [name for name in TYPES if entry.parameters >= COMPACT_FROM_PARAMETERS.get(name, 0)]
    if not entry.native_type:
        return tuple(fitting)
    return (entry.native_type, *(name for name in fitting if name in COMPACT_FROM_PARAMETERS))


def best_type(entry: CatalogueEntry, machine: Machine, measured: Measured | None = None) -> tuple[str, Fit] | None:
    """The type that is worth most on this machine, and the answer for it; None where none fits."""
    found = candidate_of(entry, machine, measured=measured)
    return None if found is None else (found.file_type, found.fit)


def pace_of(answer: Fit) -> float | None:
    """Words a second of a fit answer."""
    return None if answer.speed is None else words_per_second(answer.speed.mid)


def _has_plenty(answer: Fit) -> bool:
    needed = sum(device.needed for device in answer.memory.devices)
    free = sum(device.free for device in answer.memory.devices if device.needed)
    pace = pace_of(answer)
    return (
        answer.verdict is Verdict.FITS_WELL
        and pace is not None
        and pace >= PLENTY_WORDS_PER_S
        and needed <= 0.5 * free
        and answer.memory.weights <= LARGEST_UNQUANTISED_BYTES
    )


def _with_room(facts: ModelFacts, answer: Fit, machine: Machine, use: str) -> list[Fit]:
    """The answer with as long a conversation as the use needs, where the chosen one is shorter: the card's speed may
    have decided that, and not the room."""
    needed = min(CONTEXT_NEEDED.get(use, 0), facts.context_max)
    if needed <= answer.context:
        return []
    longer = fit(facts, FitSettings(context=needed), machine)
    return [] if longer.verdict is Verdict.TOO_BIG else [longer]


def _costs(answer: Fit, use: str) -> float:
    cost = TIGHT_COST if answer.verdict is not Verdict.FITS_WELL else 0.0
    main = answer.memory.devices[0]
    filled = (main.needed - main.parts.conversation) / max(1, main.free)
    cost += LEFT_COST * max(0.0, filled - (1 - LEFT_SHARE))
    pace = pace_of(answer)
    if pace is not None:
        cost += PACE_COST * max(0.0, math.log2(SPARE_WORDS_PER_S / max(pace, 0.01)))
    needed = CONTEXT_NEEDED.get(use, 0)
    if needed:
        cost += ROOM_COST * max(0.0, math.log2(needed / max(1, answer.context)))
    if use == "documents" and answer.prefill is not None and answer.prefill.mid > 0:
        cost += WAIT_COST * max(0.0, math.log2(WAIT_TOKENS / answer.prefill.mid / WAIT_SECONDS))
    return cost
