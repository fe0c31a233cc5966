"""How to make room for a model that does not fit well: which programs to close, or how many pages less to remember.

Both are found by asking the fit function again: with what those programs hold as free memory, and with less context.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from snug.core.devices import places_of
from snug.core.fit import Fit, FitSettings, Verdict
from snug.core.machine import Gpu, Holder, Machine
from snug.core.machine_words import OWN_NAME
from snug.core.memory_fit import USEFUL_CONTEXT, fit
from snug.core.model_facts import ModelFacts
from snug.core.words import TOKENS_PER_PAGE, size_text

MOST_PROGRAMS = 3
"""Nobody closes more than a few programs for a chat."""
WORTH_CLOSING_BYTES = 100_000_000
NOT_TO_CLOSE = frozenset((
    OWN_NAME, "Another program", "The desktop (GNOME)", "The desktop (Plasma)", "The desktop (Cinnamon)",
    "The display (X.Org)", "The display (Xwayland)", "The Mac's display", "The Windows desktop", "The Start menu",
    "Windows", "Windows Explorer", "Windows Search", "Windows Security", "Windows' compressed memory",
))  # fmt: skip
"""Parts of the system, and what cannot be told apart: of a card's memory the desktop often holds most."""

Answer = Callable[[FitSettings, Machine], Fit]
Freed = Callable[[Machine, Sequence[Holder]], Machine]


@dataclass(frozen=True, slots=True)
class Room:
    """What would make the model fit well: either is enough. `close` is empty, or `pages_less` 0, where it would not."""

    close: tuple[Holder, ...] = ()
    pages_less: int = 0

    @property
    def freed_bytes(self) -> int:
        """What closing those programs gives back."""
        return sum(holder.size_bytes for holder in self.close)


def make_room(facts: ModelFacts, settings: FitSettings, machine: Machine, answer: Fit | None = None) -> Room:
    """What to close or to leave out so that the model fits well on this machine; nothing where it does already.

    `answer` is the fit that is shown now, where the caller has it.
    """

    def ask(wanted: FitSettings, there: Machine) -> Fit:
        return fit(facts, wanted, there)

    now = answer or ask(settings, machine)
    if now.verdict is Verdict.FITS_WELL:
        return Room()
    wanted = replace(settings, context=now.context)
    return Room(_to_close(ask, wanted, machine, now), _pages_less(ask, wanted, machine))


def room_words(room: Room) -> str:
    """One sentence: "To make room, close Firefox and Code (3.4 GB) or use 10 pages less."; "" where nothing helps."""
    ways = []
    if room.close:
        ways.append(f"close {_names(room.close)} ({size_text(room.freed_bytes)})")
    if room.pages_less:
        ways.append(f"use {room.pages_less} {'page' if room.pages_less == 1 else 'pages'} less")
    return f"To make room, {' or '.join(ways)}." if ways else ""


def _to_close(ask: Answer, settings: FitSettings, machine: Machine, now: Fit) -> tuple[Holder, ...]:
    """The fewest of the largest programs that give back enough: first on what is too full, then elsewhere."""
    cards = {place.name for place in places_of(machine).cards}
    on_cards = [holder for gpu in machine.gpus if gpu.name in cards for holder in gpu.holders]
    ways: list[tuple[Sequence[Holder], Freed]] = [
        (machine.memory_holders, _with_memory_freed),
        (on_cards, _with_graphics_freed),
    ]
    for holders, freed in reversed(ways) if _card_is_full(now) else ways:
        worth = _worth_closing(_merged(holders))
        for count in range(1, len(worth) + 1):
            close = worth[:count]
            if ask(settings, freed(machine, close)).verdict is Verdict.FITS_WELL:
                return _needed_only(ask, settings, machine, close, freed)
    return ()


def _needed_only(
    ask: Answer, settings: FitSettings, machine: Machine, close: Sequence[Holder], freed: Freed
) -> tuple[Holder, ...]:
    """`close` without those that are not needed beside the others: the largest is spared where smaller ones do."""
    kept = list(close)
    for holder in close:
        rest = [other for other in kept if other is not holder]
        if rest and ask(settings, freed(machine, rest)).verdict is Verdict.FITS_WELL:
            kept = rest
    return tuple(kept)


def _pages_less(ask: Answer, settings: FitSettings, machine: Machine) -> int:
    """The fewest pages less with which it fits well; 0 where that would leave too few."""
    most = (settings.context - USEFUL_CONTEXT) // TOKENS_PER_PAGE

    def fits(less: int) -> bool:
        shorter = replace(settings, context=settings.context - less * TOKENS_PER_PAGE)
        return ask(shorter, machine).verdict is Verdict.FITS_WELL

    if most < 1 or not fits(most):
        return 0
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        if fits(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _worth_closing(holders: Sequence[Holder]) -> list[Holder]:
    can_close = (holder for holder in holders if holder.name not in NOT_TO_CLOSE)
    large = [holder for holder in can_close if holder.size_bytes >= WORTH_CLOSING_BYTES]
    return sorted(large, key=lambda holder: -holder.size_bytes)[:MOST_PROGRAMS]


def _card_is_full(now: Fit) -> bool:
    fullest = max(now.memory.devices, key=lambda device: device.needed - device.free, default=None)
    return fullest is not None and fullest is not now.memory.devices[0]


def _with_memory_freed(machine: Machine, close: Sequence[Holder]) -> Machine:
    memory = machine.memory
    size = sum(holder.size_bytes for holder in close)
    return replace(machine, memory=replace(memory, available=min(memory.total, memory.available + size)))


def _with_graphics_freed(machine: Machine, close: Sequence[Holder]) -> Machine:
    """Each card gets back what those programs hold on that card, and no more."""
    names = {holder.name for holder in close}

    def freed(gpu: Gpu) -> Gpu:
        size = sum(holder.size_bytes for holder in gpu.holders if holder.name in names)
        return replace(gpu, memory_free=min(gpu.memory_total, gpu.memory_free + size)) if size else gpu

    return replace(machine, gpus=tuple(freed(gpu) for gpu in machine.gpus))


def _merged(holders: Iterable[Holder]) -> list[Holder]:
    """One holder for each program, with what it holds in all places together."""
    sizes: dict[str, int] = {}
    for holder in holders:
        sizes[holder.name] = sizes.get(holder.name, 0) + holder.size_bytes
    return [Holder(name, size) for name, size in sizes.items()]


def _names(holders: Sequence[Holder]) -> str:
    names = [holder.name for holder in holders]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
