"""Which models to take on a machine, and why: three picks that differ in character.

Models are ranked by `core/candidates.py`: public figures of quality where there are any (`core/evidence.py`), else what
size and age let expect, less what quantisation, a slow pace, little room and a small conversation memory cost.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import cast

from snug.core.candidates import (
    COMFORTABLE_WORDS_PER_S,
    SLOW_READING_WORDS_PER_S,
    SPARE_WORDS_PER_S,
    Candidate,
    best_type,
    candidate_of,
    settings_for,
    types_of,
)
from snug.core.catalogue import CatalogueEntry, facts_of, projector_bytes, repos_for
from snug.core.disk_room import lacking_words
from snug.core.fit import Fit, Verdict
from snug.core.machine import Machine
from snug.core.memory_fit import fit
from snug.core.quality import Measured, has_evidence
from snug.core.words import pages_text, size_text, words_per_second_text

__all__ = ["COMFORTABLE_WORDS_PER_S", "SLOW_READING_WORDS_PER_S", "USES", "Pick", "best_type",
           "is_good_for", "nothing_fits_words", "picks_among",
           "recommend", "recommend_in_turns"]  # fmt: skip

USES = {"chat": "chat", "code": "code", "write": "writing", "writing": "writing", "documents": "documents",
        "tools": "tools", "vision": "vision"}  # fmt: skip
"""What a person may ask for, and the catalogue's word for it."""
_MADE_FOR = {"chat": "", "code": "made for programming", "writing": "made for writing",
             "documents": "made for documents", "tools": "that uses tools", "vision": "that sees pictures"}  # fmt: skip
TOY_PARAMETERS = 300_000_000
"""Smaller models answer only the simplest questions; they are picked when nothing larger fits."""
TOOL_SCORE = 20.0
"""A model that solves so many per cent of a test of tool use may be picked for it, whatever its page says."""
ALREADY_HERE_WORTH = 0.7
"""A model that is on this computer already is offered first where the best is less than so many doublings better."""
MODELS_A_TURN = 3
"""So many are weighed between two turns of the window."""
OTHER_AT_MOST = 2.6
"""How many doublings below the first the second pick may be."""


@dataclass(frozen=True, slots=True)
class Pick:
    """One recommendation. `badge` is its character in a few words, `why` one sentence, both for people.

    `value` is what it was ranked by; `is_here` says that its file is on this computer already. `projector_bytes` come
    along with the `download_bytes` of the model's own file: the part that sees pictures.
    """

    entry: CatalogueEntry
    file_type: str
    fit: Fit
    download_bytes: int
    why: str
    badge: str
    value: float = 0.0
    is_here: bool = False
    projector_bytes: int = 0


def recommend(
    catalogue: Sequence[CatalogueEntry],
    machine: Machine,
    use: str = "chat",
    limit: int = 3,
    *,
    here: Collection[tuple[str, str]] = (),
    measured: Measured | None = None,
) -> tuple[Pick, ...]:
    """Up to `limit` picks, the first to be offered first; empty where nothing in the catalogue fits.

    `here` are the models of the library, as (catalogue key, type): they are offered first where they are nearly as
    good. `measured` are divergences measured here. Raises ValueError for a use that is not in `USES`.
    """
    turns = recommend_in_turns(catalogue, machine, use, limit, here=here, measured=measured)
    while True:
        try:
            next(turns)
        except StopIteration as end:
            return cast("tuple[Pick, ...]", end.value)


def recommend_in_turns(
    catalogue: Sequence[CatalogueEntry],
    machine: Machine,
    use: str = "chat",
    limit: int = 3,
    *,
    here: Collection[tuple[str, str]] = (),
    measured: Measured | None = None,
) -> Generator[None, None, tuple[Pick, ...]]:
    """What `recommend` returns, with a `yield` after every few models for who must not be kept waiting."""
    wanted = USES.get(use)
    if wanted is None:
        raise ValueError(f"unknown use {use!r}")
    candidates = []
    for number, entry in enumerate(catalogue):
        if is_good_for(entry, wanted):
            candidate = candidate_of(entry, machine, wanted, measured)
            if candidate is not None:
                candidates.append(candidate)
        if number % MODELS_A_TURN == MODELS_A_TURN - 1:
            yield
    owned = [item for entry, kind in _entries_here(catalogue, here, wanted)
             if (item := candidate_of(entry, machine, wanted, measured, only=kind)) is not None]  # fmt: skip
    return picks_among(candidates, wanted, limit, owned)


def picks_among(
    candidates: Sequence[Candidate], use: str, limit: int = 3, owned: Sequence[Candidate] = ()
) -> tuple[Pick, ...]:
    """The picks from what `candidate_of` gave for each model of the catalogue, for who asks for them one by one.

    `use` is one of the catalogue's words, the values of `USES`; `owned` are candidates of the library.
    """
    grown = [item for item in candidates if item.entry.parameters >= TOY_PARAMETERS] or list(candidates)
    first = _best(grown, SLOW_READING_WORDS_PER_S)
    mine = _best(owned, SLOW_READING_WORDS_PER_S)
    is_here = mine is not None and (first is None or mine.value >= first.value - ALREADY_HERE_WORTH)
    if is_here:
        first = mine
    if first is None:
        return _slow_ones(grown, limit)
    picks = [_pick(first, "Best answers", _first_why(first, use, is_here), is_here)]
    second = _other(grown, first, use)
    if second is not None:
        picks.append(_pick(second, *_second_words(second, first, use)))
    third = _fastest(grown, [item for item in (first, second) if item is not None])
    if third is not None:
        picks.append(_pick(third, "Fastest", _fastest_why(third, first)))
    return tuple(picks[: max(0, limit)])


def is_good_for(entry: CatalogueEntry, use: str) -> bool:
    """Whether a model may be picked for a use: its description says so, or for tools a test that it passed."""
    if use != "tools":
        return use in entry.good_for
    passed = any("tools" in figure.measure.uses and figure.score >= TOOL_SCORE for figure in entry.figures)
    return passed or "tool_use" in entry.capabilities


def nothing_fits_words(catalogue: Sequence[CatalogueEntry], machine: Machine, use: str = "chat") -> str:
    """What to say where `recommend` found nothing for that use: what the smallest such model would need."""
    if not catalogue:
        return "Snug's list of models is empty."
    wanted = USES[use]
    such = [entry for entry in catalogue if is_good_for(entry, wanted)] or catalogue
    smallest = min(such, key=lambda entry: entry.parameters)
    facts = facts_of(smallest, types_of(smallest)[-1])
    answer = fit(facts, settings_for(smallest, wanted), machine)
    model = f"model {_MADE_FOR[wanted]}".strip()
    lacking = lacking_words(machine, facts.file_bytes)
    if lacking and answer.verdict is not Verdict.TOO_BIG:
        return (
            f"No {model} has room: even the smallest, {smallest.name}, takes {size_text(facts.file_bytes)}. {lacking}"
        )
    return f"No {model} fits: even the smallest, {smallest.name}, does not. {answer.why}"


def _entries_here(
    catalogue: Sequence[CatalogueEntry], here: Collection[tuple[str, str]], use: str
) -> list[tuple[CatalogueEntry, str]]:
    known = {entry.key: entry for entry in catalogue}
    return [(known[key], kind) for key, kind in here if key in known and is_good_for(known[key], use)]


def _best(candidates: Iterable[Candidate], words: float) -> Candidate | None:
    """The candidate that is worth most and answers at that pace."""
    return max((item for item in candidates if item.is_at_least(words)), key=lambda item: item.value, default=None)


def _other(candidates: list[Candidate], first: Candidate, use: str) -> Candidate | None:
    """A different character: of another maker, and where possible able to do what the first cannot."""
    others = [item for item in candidates if item.entry.maker != first.entry.maker]
    more = [item for item in others if _extra(item, first, use)]
    for group in (more, others):
        found = _best(group, SLOW_READING_WORDS_PER_S)
        if found is not None and found.value >= first.value - OTHER_AT_MOST:
            return found
    return _best([item for item in candidates if item.entry.key != first.entry.key], SLOW_READING_WORDS_PER_S)


def _fastest(candidates: list[Candidate], taken: list[Candidate]) -> Candidate | None:
    """The one worth most that is at least twice as fast as the first pick, else the fastest that is left."""
    left = [item for item in candidates if all(item.entry.key != other.entry.key for other in taken)]
    pace = taken[0].words
    if pace is None:
        return min(left, key=lambda item: item.entry.parameters, default=None)
    quick = [item for item in left if (item.words or 0) >= 2 * pace]
    if quick:
        return _best(quick, 0)
    return max((item for item in left if (item.words or 0) > pace), key=lambda item: item.words or 0, default=None)


def _slow_ones(candidates: list[Candidate], limit: int) -> tuple[Pick, ...]:
    """Where everything is slower than reading: the fastest first, and said so."""
    order: Callable[[Candidate], float] = lambda item: -(item.words or 0)  # noqa: E731 - a key with its type
    return tuple(
        _pick(item, "Slow here", f"Everything is slow on this computer; this one writes {_pace_text(item)}.")
        for item in sorted(candidates, key=order)[:limit]
    )


def _extra(item: Candidate, first: Candidate, use: str) -> str:
    """What `item` can do that `first` cannot, in words; "" where nothing."""
    other = first.entry.name
    if "vision" in item.entry.capabilities and "vision" not in first.entry.capabilities:
        return f"It can look at pictures, which {other} cannot"
    if use != "code" and "code" in item.entry.good_for and "code" not in first.entry.good_for:
        return f"It was made for programming too, which {other} was not"
    if item.fit.context >= 2 * first.fit.context:
        return f"It remembers {pages_text(item.fit.context)} here, {other} {pages_text(first.fit.context)}"
    return ""


def _pick(item: Candidate, badge: str, why: str, is_here: bool = False) -> Pick:
    entry = item.entry
    if item.file_type == entry.native_type:
        entry = replace(entry, gguf_repos=repos_for(entry, item.file_type))
    download = 0 if is_here else item.download_bytes
    seeing = 0 if is_here else projector_bytes(entry)
    return Pick(entry, item.file_type, item.fit, download, why, badge, item.value, is_here, seeing)


def _first_why(item: Candidate, use: str, is_here: bool) -> str:
    size = size_text(item.fit.memory.total)
    if item.words is None:
        return f"A careful choice of {size}: the speed of this computer's memory is not known yet."
    start = "Already on this computer, and " if is_here else ""
    ground = "by public tests" if has_evidence(item.entry, use) else "by size and age"
    best = f"{ground} among the best that fit here" if is_here else f"{ground} the strongest that fits here"
    pace = "at a comfortable pace" if item.words >= COMFORTABLE_WORDS_PER_S else "just fast enough to read along"
    sentence = f"{start}{best} ({size} in memory) {pace}, {_pace_text(item)}{type_words(item)}."
    return sentence[:1].upper() + sentence[1:]


def type_words(item: Candidate) -> str:
    """Why this type, where that is worth saying: nothing is lost, or the makers trained it so."""
    if item.file_type == item.entry.native_type:
        return "; in the compact form that its makers trained it for"
    if item.file_type in ("BF16", "F16", "F32"):
        return "; not reduced at all (unquantised), as there is room and speed to spare"
    if item.file_type == "Q8_0" and (item.words or 0) >= SPARE_WORDS_PER_S:
        return "; hardly reduced (Q8_0), as there is room and speed to spare"
    return ""


def _second_words(item: Candidate, first: Candidate, use: str) -> tuple[str, str]:
    extra = _extra(item, first, use)
    size = size_text(item.fit.memory.total)
    if extra:
        badge = "Sees pictures" if "pictures" in extra else "Another strength"
        return badge, f"{extra}; from {item.entry.maker}, {size} in memory{type_words(item)}."
    if item.entry.maker != first.entry.maker:
        why = f"From another maker, {item.entry.maker}, so its answers differ; {size} in memory{type_words(item)}."
        return "Second opinion", why
    if item.fit.memory.total < first.fit.memory.total:
        return "Smaller", f"A smaller one ({size} in memory) that leaves more to other programs."
    return "Another choice", f"The next best here, also from {item.entry.maker}; {size} in memory{type_words(item)}."


def _fastest_why(item: Candidate, first: Candidate) -> str:
    if item.words is None or not first.words:
        return f"The smallest here ({size_text(item.fit.memory.total)}), so surely quick."
    times = item.words / first.words
    smaller = "; being smaller, it knows less" if item.entry.parameters < first.entry.parameters else ""
    return f"Writes {_pace_text(item)}, {_times_text(times)} the speed of the first{smaller}."


def _times_text(times: float) -> str:
    if 1.95 <= times < 2.05:
        return "twice"
    return f"{times:.1f}".removesuffix(".0") + " times" if times < 9.5 else f"about {round(times)} times"


def _pace_text(item: Candidate) -> str:
    return words_per_second_text(item.fit.speed)
