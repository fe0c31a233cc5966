"""Which models to take on a machine, and why: three picks that differ in character.

There are no quality scores here. Models are ranked by size, counted per release date: a model that came out a year
later counts like one of twice the size. (Xiao et al., "Densing law of LLMs", Nature Machine Intelligence 2025,
measured a doubling every 3.5 months on benchmarks; a year is the careful side.) A mixture of experts counts as the
geometric mean of its whole and its active size, a common rule of thumb. Each pick says these reasons in words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from snug.core.catalogue import CatalogueEntry, facts_of
from snug.core.fit import Fit, FitSettings, SpeedRange, Verdict
from snug.core.machine import Machine
from snug.core.memory_fit import fit
from snug.core.words import pages_text, size_text, words_per_second, words_per_second_text

SLOW_READING_WORDS_PER_S = 4.0
"""A model that answers slower than this is never the first pick: people read about four words a second."""
COMFORTABLE_WORDS_PER_S = 6.0
USES = {"chat": "chat", "code": "code", "write": "writing", "writing": "writing", "documents": "documents",
        "vision": "vision"}  # fmt: skip
"""What a person may ask for, and the catalogue's word for it."""
TYPES = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M")
"""Types that are offered, finest first. Below four bits only large models stay themselves."""
COMPACT_TYPES_FROM_PARAMETERS = 12_000_000_000
SAFE_WITHOUT_SPEED = 4_000_000_000
"""Where the memory's speed is not known, models above so many active parameters, or twice in all, are no picks."""
TOY_PARAMETERS = 300_000_000
"""Smaller models answer only the simplest questions; they are picked when nothing larger fits."""
USES_NEED_PAGES = {"documents": 20_000}


@dataclass(frozen=True, slots=True)
class Pick:
    """One recommendation. `badge` is its character in a few words, `why` one sentence, both for people."""

    entry: CatalogueEntry
    file_type: str
    fit: Fit
    download_bytes: int
    why: str
    badge: str


@dataclass(frozen=True, slots=True)
class _Candidate:
    entry: CatalogueEntry
    file_type: str
    fit: Fit
    download_bytes: int
    rank: float

    @property
    def words(self) -> float | None:
        return None if self.fit.speed is None else words_per_second(self.fit.speed.mid)

    def is_at_least(self, words: float) -> bool:
        """Whether it answers at that pace; with an unknown speed, whether it is small enough to be safe."""
        if self.words is None:
            active = self.entry.active_parameters or self.entry.parameters
            return active <= SAFE_WITHOUT_SPEED and self.entry.parameters <= 2 * SAFE_WITHOUT_SPEED
        return self.words >= words


def recommend(
    catalogue: Sequence[CatalogueEntry], machine: Machine, use: str = "chat", limit: int = 3
) -> tuple[Pick, ...]:
    """Up to `limit` picks, the first to be offered first; empty where nothing in the catalogue fits.

    Raises ValueError for a use that is not in `USES`.
    """
    wanted = USES.get(use)
    if wanted is None:
        raise ValueError(f"unknown use {use!r}")
    candidates = [
        candidate
        for entry in catalogue
        if wanted in entry.good_for and (candidate := _candidate(entry, machine)) is not None
    ]
    sensible = [item for item in candidates if item.fit.context >= USES_NEED_PAGES.get(wanted, 0)] or candidates
    grown = [item for item in sensible if item.entry.parameters >= TOY_PARAMETERS] or sensible
    first = _best(grown, COMFORTABLE_WORDS_PER_S) or _best(grown, SLOW_READING_WORDS_PER_S)
    if first is None:
        return _slow_ones(grown, limit)
    picks = [_pick(first, "Best answers", _first_why(first))]
    second = _other(grown, first)
    if second is not None:
        picks.append(_pick(second, *_second_words(second, first)))
    third = _fastest(grown, [item for item in (first, second) if item is not None])
    if third is not None:
        picks.append(_pick(third, "Fastest", _fastest_why(third, first)))
    return tuple(picks[: max(0, limit)])


def best_type(entry: CatalogueEntry, machine: Machine) -> tuple[str, Fit] | None:
    """The finest type that fits well at a comfortable pace, else the usual one that fits; None where none does."""
    usual: tuple[str, Fit] | None = None
    for name in TYPES:
        is_settled = usual is not None and usual[1].verdict is Verdict.FITS_WELL
        if name == "Q3_K_M" and (is_settled or entry.parameters < COMPACT_TYPES_FROM_PARAMETERS):
            continue
        answer = fit(facts_of(entry, name), FitSettings(), machine)
        if answer.verdict is Verdict.TOO_BIG:
            continue
        pace = _pace(answer)
        fits_well = answer.verdict is Verdict.FITS_WELL
        if fits_well and pace is not None and pace >= 2 * COMFORTABLE_WORDS_PER_S:
            return name, answer
        if name == "Q4_K_M" or not is_settled:
            usual = name, answer
    return usual


def all_fits(catalogue: Iterable[CatalogueEntry], machine: Machine) -> tuple[tuple[CatalogueEntry, str, Fit], ...]:
    """Every entry with its best type here and the answer; where none fits, the smallest type offered and why not."""
    result = []
    for entry in catalogue:
        found = best_type(entry, machine)
        if found is None:
            name = "Q3_K_M" if entry.parameters >= COMPACT_TYPES_FROM_PARAMETERS else "Q4_K_M"
            found = name, fit(facts_of(entry, name), FitSettings(), machine)
        result.append((entry, *found))
    return tuple(result)


def rank_of(entry: CatalogueEntry) -> float:
    """The figure that models are ranked by: parameters, discounted by age as the module's first lines say."""
    active = entry.active_parameters or entry.parameters
    return math.sqrt(entry.parameters * active) * 2 ** _years_after_2024(entry.released)


def nothing_fits_words(catalogue: Sequence[CatalogueEntry], machine: Machine) -> str:
    """What to say where `recommend` found nothing: what the smallest model would need."""
    if not catalogue:
        return "Snug's list of models is empty."
    smallest = min(catalogue, key=lambda entry: entry.parameters)
    answer = fit(facts_of(smallest, "Q4_K_M"), FitSettings(), machine)
    return f"No model fits: even the smallest, {smallest.name}, does not. {answer.why}"


def _candidate(entry: CatalogueEntry, machine: Machine) -> _Candidate | None:
    found = best_type(entry, machine)
    if found is None:
        return None
    name, answer = found
    return _Candidate(entry, name, answer, facts_of(entry, name).file_bytes, rank_of(entry))


def _best(candidates: Iterable[_Candidate], words: float) -> _Candidate | None:
    """The highest-ranked candidate that fits well (else tightly) and answers at that pace."""
    able = [item for item in candidates if item.is_at_least(words)]
    well = [item for item in able if item.fit.verdict is Verdict.FITS_WELL]
    return max(well or able, key=lambda item: item.rank, default=None)


def _other(candidates: list[_Candidate], first: _Candidate) -> _Candidate | None:
    """A different character: of another maker, and where possible able to do what the first cannot."""
    others = [item for item in candidates if item.entry.maker != first.entry.maker]
    more = [item for item in others if _extra(item, first)]
    for group in (more, others):
        found = _best(group, COMFORTABLE_WORDS_PER_S) or _best(group, SLOW_READING_WORDS_PER_S)
        if found is not None and found.rank >= first.rank / 6:
            return found
    return _best([item for item in candidates if item is not first], SLOW_READING_WORDS_PER_S)


def _fastest(candidates: list[_Candidate], taken: list[_Candidate]) -> _Candidate | None:
    """The best-ranked one that is at least twice as fast as the first pick, else the fastest that is left."""
    left = [item for item in candidates if all(item.entry.key != other.entry.key for other in taken)]
    pace = taken[0].words
    if pace is None:
        return min(left, key=lambda item: item.entry.parameters, default=None)
    quick = [item for item in left if (item.words or 0) >= 2 * pace]
    if quick:
        return _best(quick, 0)
    return max((item for item in left if (item.words or 0) > pace), key=lambda item: item.words or 0, default=None)


def _slow_ones(candidates: list[_Candidate], limit: int) -> tuple[Pick, ...]:
    """Where everything is slower than reading: the fastest first, and said so."""
    order: Callable[[_Candidate], float] = lambda item: -(item.words or 0)  # noqa: E731 - a key with its type
    return tuple(
        _pick(item, "Slow here", f"Everything is slow on this computer; this one writes {_pace_text(item.fit.speed)}.")
        for item in sorted(candidates, key=order)[:limit]
    )


def _extra(item: _Candidate, first: _Candidate) -> str:
    """What `item` can do that `first` cannot, in words; "" where nothing."""
    if "vision" in item.entry.capabilities and "vision" not in first.entry.capabilities:
        return "it can look at pictures"
    if "code" in item.entry.good_for and "code" not in first.entry.good_for:
        return "it was made for programming too"
    if item.fit.context >= 2 * first.fit.context:
        return f"it remembers {pages_text(item.fit.context)}"
    return ""


def _pick(item: _Candidate, badge: str, why: str) -> Pick:
    return Pick(item.entry, item.file_type, item.fit, item.download_bytes, why, badge)


def _first_why(item: _Candidate) -> str:
    size = size_text(item.fit.memory.total)
    if item.words is None:
        return f"A careful choice of {size}: the speed of this computer's memory is not known yet."
    pace = "at a comfortable pace" if item.words >= COMFORTABLE_WORDS_PER_S else "just fast enough to read along"
    return f"By size and age the strongest that fits here ({size}) {pace}, {_pace_text(item.fit.speed)}."


def _second_words(item: _Candidate, first: _Candidate) -> tuple[str, str]:
    extra = _extra(item, first)
    size = size_text(item.fit.memory.total)
    if extra:
        badge = "Sees pictures" if "pictures" in extra else "Another strength"
        return badge, f"From {item.entry.maker} and {size} in memory: {extra}, which {first.entry.name} does not offer."
    if item.entry.maker != first.entry.maker:
        return "Second opinion", f"From another maker, {item.entry.maker}, so its answers differ; {size} in memory."
    return "Smaller", f"A smaller one ({size}) that leaves more memory to other programs."


def _fastest_why(item: _Candidate, first: _Candidate) -> str:
    if item.words is None or not first.words:
        return f"The smallest here ({size_text(item.fit.memory.total)}), so surely quick."
    times = item.words / first.words
    smaller = "; being smaller, it knows less" if item.entry.parameters < first.entry.parameters else ""
    return f"Writes {_pace_text(item.fit.speed)}, {_times_text(times)} the speed of the first{smaller}."


def _times_text(times: float) -> str:
    return f"{times:.1f}".removesuffix(".0") + " times" if times < 9.5 else f"about {round(times)} times"


def _pace(answer: Fit) -> float | None:
    return None if answer.speed is None else words_per_second(answer.speed.mid)


def _pace_text(speed: SpeedRange | None) -> str:
    return words_per_second_text(speed)


def _years_after_2024(released: str) -> float:
    """Years since the start of 2024, from "YYYY-MM-DD"; a model without a date counts as old."""
    try:
        day = date.fromisoformat(released[:10])
    except ValueError:
        return 0.0
    return max(0.0, min(10.0, (day - date(2024, 1, 1)).days / 365.25))
