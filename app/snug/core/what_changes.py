"""What would change a recommendation: asked again of the same machine with more or faster memory, or more disk."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from snug.core.candidates import SLOW_READING_WORDS_PER_S, SPARE_WORDS_PER_S, Candidate, candidate_of, pace_of
from snug.core.catalogue import CatalogueEntry
from snug.core.devices import places_of
from snug.core.disk_room import lacking_on_disk, room_on_disk, with_disk_room
from snug.core.fit import Verdict
from snug.core.machine import Gpu, Machine
from snug.core.quality import Measured
from snug.core.recommend import USES, Pick, recommend_in_turns
from snug.core.words import size_text, words_per_second_text

GIB = 2**30
MORE_MEMORY = (8 * GIB, 16 * GIB, 32 * GIB, 64 * GIB)
MORE_DISK = (8 * GIB, 32 * GIB)
PLENTY_OF_DISK = 64 * GIB
"""With so much free the disk hardly decides what is picked."""
MORE_GRAPHICS = (8 * GIB, 16 * GIB, 24 * GIB)
"""No usual card has more than that over another one."""
FASTER = (2.0, 4.0)
FASTER_AT_LEAST = 1.3
WORTH_SAYING = 0.25
"""A change that gains fewer doublings is none that anybody would pay for."""
NEVER_FITS = "No usual amount of memory more would make it fit."
ONCE_MEASURED = "This may change once the speed of this computer's memory is known."
NOTHING_BETTER = "More or faster memory would hardly better this choice."
_NUMBER_WORDS = {2.0: "twice", 4.0: "four times"}

Variant = tuple[str, Machine]


def variants(machine: Machine) -> list[Variant]:
    """The machine with more and with faster memory, the smallest change first, with the words for each."""
    places = places_of(machine)
    grown: list[tuple[int, str, Callable[[Machine, int], Machine]]] = []
    if places.main.kind == "unified":
        grown = [(size, "memory", with_more_unified) for size in MORE_MEMORY]
    else:
        many = sum(gpu.kind == "discrete" and gpu.memory_total > 0 for gpu in machine.gpus) > 1
        each = "graphics memory on each card" if many else "graphics memory"
        grown = [(size, each, with_more_graphics) for size in MORE_GRAPHICS if places.cards]
        grown += [(size, "memory", with_more_memory) for size in MORE_MEMORY]
    free = room_on_disk(machine)
    if free is not None and free < PLENTY_OF_DISK:
        grown = [*((size, "room on the disk", with_disk_room) for size in MORE_DISK), *grown]
    found = [
        (f"With {size // GIB} GB more {name}", more(machine, size))
        for size, name, more in sorted(grown, key=lambda item: item[0])
    ]
    if places.main.bandwidth or any(card.bandwidth for card in places.cards):
        found += [
            (f"With memory {_NUMBER_WORDS[times]} as fast", with_faster_memory(machine, times)) for times in FASTER
        ]
    return found


def changes(
    catalogue: Sequence[CatalogueEntry],
    machine: Machine,
    use: str,
    picks: Sequence[Pick],
    *,
    here: Collection[tuple[str, str]] = (),
    measured: Measured | None = None,
) -> tuple[str, ...]:
    """For each pick the smallest change that would put a better model in its place, as a sentence; else the smallest
    that would improve the pick itself; else that there is none.

    Nothing is looked up in a table: the recommendation is asked again for each variant of the machine, with the same
    library (`here`) and measured divergences.
    """
    found: tuple[str, ...] = ("",) * len(picks)
    for sentences in changes_in_turns(catalogue, machine, use, picks, here=here, measured=measured):
        found = sentences
    return found


def changes_in_turns(
    catalogue: Sequence[CatalogueEntry],
    machine: Machine,
    use: str,
    picks: Sequence[Pick],
    *,
    here: Collection[tuple[str, str]] = (),
    measured: Measured | None = None,
) -> Iterator[tuple[str, ...]]:
    """What `changes` has found so far, after every few models: for who must not be kept waiting."""
    found, own = [""] * len(picks), [""] * len(picks)
    listed = {pick.entry.key for pick in picks}
    for words, variant in variants(machine):
        if all(found):
            break
        turns = recommend_in_turns(catalogue, variant, use, len(picks), here=here, measured=measured)
        others: tuple[Pick, ...] = ()
        while True:
            try:
                next(turns)
            except StopIteration as end:
                others = end.value
                break
            yield tuple(found)
        for index, other in enumerate(others):
            if found[index] or other.entry.key in listed or not _is_better(other, picks[index]):
                continue
            now = candidate_of(other.entry, machine, USES[use], measured)
            if now is None or other.value >= now.value + WORTH_SAYING / 2:
                found[index] = f"{words}: {other.entry.name} instead ({words_per_second_text(other.fit.speed)})."
        for index, pick in enumerate(picks):
            if not found[index] and not own[index]:
                own[index] = change_words(pick.entry, _as_it_is(pick), words, variant, USES[use], measured)
        yield tuple(found)
    yield tuple(
        other or mine or (NOTHING_BETTER if pick.fit.speed else ONCE_MEASURED)
        for pick, other, mine in zip(picks, found, own, strict=True)
    )


def _as_it_is(pick: Pick) -> Candidate:
    return Candidate(pick.entry, pick.file_type, pick.fit, pick.download_bytes, pick.value)


def _is_better(other: Pick, mine: Pick) -> bool:
    """Whether it is worth more, or where pace is what the pick is for, faster and worth no less."""
    if other.badge != mine.badge and "Fastest" in (other.badge, mine.badge):
        return False
    if other.value >= mine.value + WORTH_SAYING:
        return True
    if mine.badge != "Fastest" or other.value < mine.value or other.fit.speed is None or mine.fit.speed is None:
        return False
    return other.fit.speed.mid >= FASTER_AT_LEAST * mine.fit.speed.mid


def model_changes(entry: CatalogueEntry, machine: Machine, use: str = "chat", measured: Measured | None = None) -> str:
    """The smallest change that would make this model better here: fit, a finer type, or a comfortable pace."""
    now = candidate_of(entry, machine, use, measured)
    for words, variant in variants(machine):
        sentence = change_words(entry, now, words, variant, use, measured)
        if sentence:
            return sentence
    return "" if now else lacking_change(entry, machine, use, measured)


def lacking_change(entry: CatalogueEntry, machine: Machine, use: str = "chat", measured: Measured | None = None) -> str:
    """What a model lacks that no usual change would bring: room on the disk, or more memory than is usual."""
    then = candidate_of(entry, with_disk_room(machine), use, measured)
    if then is None:
        return NEVER_FITS
    more = size_text(lacking_on_disk(machine, then.download_bytes))
    return f"With {more} more room on the disk it would fit, and write {words_per_second_text(then.fit.speed)}."


def change_words(
    entry: CatalogueEntry,
    now: Candidate | None,
    words: str,
    variant: Machine,
    use: str = "chat",
    measured: Measured | None = None,
) -> str:
    """What one variant of the machine would change for a model that is `now` so; "" where nothing worth saying."""
    then = candidate_of(entry, variant, use, measured)
    if then is None:
        return ""
    if now is None:
        size = size_text(then.download_bytes)
        return f"{words} it would fit, in a file of {size}, and write {words_per_second_text(then.fit.speed)}."
    if then.value < now.value + WORTH_SAYING / 2:
        return ""
    if now.fit.verdict is Verdict.TIGHT and then.fit.verdict is Verdict.FITS_WELL:
        return f"{words} it would fit well."
    pace, faster = pace_of(now.fit) or SPARE_WORDS_PER_S, then.words or 0.0
    if pace < SPARE_WORDS_PER_S and faster >= max(SLOW_READING_WORDS_PER_S, 1.3 * pace):
        return f"{words} it would write {words_per_second_text(then.fit.speed)}."
    if then.file_type != now.file_type and then.download_bytes > now.download_bytes:
        return f"{words} a file of {size_text(then.download_bytes)} would fit, which is closer to the original."
    return ""


def with_more_memory(machine: Machine, size: int) -> Machine:
    """The same machine with so many bytes of main memory more, all of them free."""
    memory = machine.memory
    more = replace(memory, total=memory.total + size, available=memory.available + size)
    return replace(machine, memory=more)


def with_more_graphics(machine: Machine, size: int) -> Machine:
    """The same machine with so many bytes more on each graphics card of its own."""
    return replace(machine, gpus=tuple(_grown(gpu, size) for gpu in machine.gpus))


def with_more_unified(machine: Machine, size: int) -> Machine:
    """The same Mac with so many bytes more of its one memory."""
    more = with_more_memory(machine, size)
    gpus = tuple(
        replace(gpu, memory_total=gpu.memory_total + size) if gpu.kind == "unified" and gpu.memory_total else gpu
        for gpu in machine.gpus
    )
    return replace(more, gpus=gpus)


def with_faster_memory(machine: Machine, times: float) -> Machine:
    """The same machine with every known bandwidth so many times as high."""
    memory = machine.memory
    faster = replace(memory, bandwidth=memory.bandwidth * times if memory.bandwidth else None)
    known = {place.name: place.bandwidth for place in (places_of(machine).main, *places_of(machine).cards)}
    gpus = tuple(
        replace(gpu, bandwidth=bandwidth * times) if (bandwidth := gpu.bandwidth or known.get(gpu.name)) else gpu
        for gpu in machine.gpus
    )
    return replace(machine, memory=faster, gpus=gpus)


def _grown(gpu: Gpu, size: int) -> Gpu:
    if gpu.kind != "discrete" or not gpu.memory_total:
        return gpu
    return replace(gpu, memory_total=gpu.memory_total + size, memory_free=gpu.memory_free + size)
