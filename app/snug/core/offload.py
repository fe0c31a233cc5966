"""Which of the layouts that fit is the fastest: how many layers on which cards, and where a mixture's experts lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from snug.core.devices import Place, Places
from snug.core.fit import FitSettings, Offload, Parts, PlannedMemory, SpeedRange, Verdict
from snug.core.layout import Layout, Split, offload_of
from snug.core.machine import Cpu
from snug.core.model_facts import ModelFacts
from snug.core.speed import Work, token_speed

COMFORTABLE_SHARE = 0.9
"""Up to this share of the free memory a model fits well; above it is tight."""
COMFORTABLE_CARD_SHARE = 0.97
"""The same of a card's free memory: what lies there does not grow once the model is loaded."""
CARDS_WORTH = 1.1
"""A layout with a card may write a little slower: the card reads prompts faster and leaves room in main memory."""
_BALANCE_STEPS = 10
_ORDER = {Verdict.TOO_BIG: 0, Verdict.TIGHT: 1, Verdict.FITS_WELL: 2}
_FITS_WELL = (_ORDER[Verdict.FITS_WELL], 0)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where everything lies: what main memory holds, then each card that is used, and how fast that is.

    `unused` says in words which cards are left out, and why.
    """

    context: int
    offload: Offload
    needs: tuple[tuple[Place, Parts], ...]
    works: tuple[Work, ...]
    speed: SpeedRange | None
    unused: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        return _verdict_of([(place, parts.total) for place, parts in self.needs])

    @property
    def is_all_on_cards(self) -> bool:
        """Whether main memory holds neither layers nor experts nor the output head."""
        return len(self.works) > 0 and all(work.place.kind == "gpu" for work in self.works)

    @property
    def weights_on_cards(self) -> int:
        return sum(parts.weights for _, parts in self.needs[1:])


def is_nearly_full(place: Place, needed: int) -> bool:
    """Whether so many bytes leave that memory hardly any room."""
    return needed > (COMFORTABLE_CARD_SHARE if place.kind == "gpu" else COMFORTABLE_SHARE) * place.free


def best_plan(
    facts: ModelFacts,
    settings: FitSettings,
    places: Places,
    cpu: Cpu,
    context: int,
    planned: PlannedMemory | None = None,
) -> Plan:
    """The fastest plan among those that fit best (or lack least). Raises UserError for an unknown KV type."""
    layout = Layout(facts, settings, context, cpu, planned)
    drafts = [_draft(layout, places, split) for split in _splits(layout, settings, places)]
    if places.groups and all(draft.room < _FITS_WELL for draft in drafts):
        drafts += [_draft(layout, places, split) for split in _splits(layout, settings, places, 1.0)]
    most = max(draft.room for draft in drafts)
    plans = [_plan(layout, places, cpu, draft) for draft in drafts if draft.room == most]
    best = max(plans, key=_pace)
    used = {id(place) for place, _ in best.needs}
    left_out = [card.name for group in places.groups if not any(id(card) in used for card in group) for card in group]
    if len(best.needs) == 1:
        return best
    return replace(best, unused=tuple(f"{name} is not used together with another kind of card" for name in left_out))


def measured_plan(plan: Plan, measured: PlannedMemory) -> Plan:
    """The plan with what a real load of just this layout took; what it did not tell stays as it was planned."""
    devices = measured.devices
    if len(plan.needs) == 1:  # one memory serves processor and graphics, or there is nothing else
        devices = (sum(devices, Parts()),)
    if len(devices) != len(plan.needs):
        return plan
    needs = []
    for (place, parts), taken in zip(plan.needs, devices, strict=True):
        weights = min(taken.weights, parts.weights) if len(plan.needs) > 1 else taken.weights
        other = taken.other or parts.other
        beside = {"projector": parts.projector, "adapters": parts.adapters}
        needs.append((place, replace(taken, weights=weights, other=other, **beside)))
    return replace(plan, needs=tuple(needs))


@dataclass(frozen=True, slots=True)
class _Draft:
    """A layout before its speed is asked: `room` is how well it fits, and if it does not, how little is missing."""

    split: Split
    needs: tuple[tuple[Place, Parts], ...]
    room: tuple[int, int]


def _draft(layout: Layout, places: Places, split: Split) -> _Draft:
    main, *cards = layout.parts(split)
    used = [card for card, count in zip(split.cards, split.counts, strict=True) if count]
    needs = ((places.main, main), *zip(used, cards, strict=True))
    sizes = [(place, parts.total) for place, parts in needs]
    missing = max(0, *(size - place.free for place, size in sizes))
    return _Draft(split, needs, (_ORDER[_verdict_of(sizes)], -missing))


def _plan(layout: Layout, places: Places, cpu: Cpu, draft: _Draft) -> Plan:
    works = layout.works(places.main, draft.split)
    speed = token_speed(layout.facts, works, cpu)
    return Plan(layout.context, offload_of(draft.split, layout.facts), draft.needs, works, speed)


def _pace(plan: Plan) -> tuple[float, int, int]:
    """Of layouts that fit alike the fastest, or where no speed is known the one with most on cards; on fewer cards
    where that makes no difference. Main memory alone has to be clearly faster than it is with a card."""
    speed = float(f"{plan.speed.mid * (CARDS_WORTH if len(plan.needs) > 1 else 1):.6g}") if plan.speed else 0.0
    return speed, plan.weights_on_cards, -len(plan.needs)


def _verdict_of(sizes: Sequence[tuple[Place, int]]) -> Verdict:
    """How well so many bytes sit on each of the memories."""
    if any(size > place.free for place, size in sizes):
        return Verdict.TOO_BIG
    return Verdict.TIGHT if any(is_nearly_full(place, size) for place, size in sizes) else Verdict.FITS_WELL


def _splits(
    layout: Layout, settings: FitSettings, places: Places, share: float = COMFORTABLE_CARD_SHARE
) -> Iterator[Split]:
    """The layouts to choose from: as many layers as the settings say, else none, and for each number of the fastest
    cards as many as fit into that share of them, with a mixture's experts on the cards or in main memory."""
    wanted = settings.gpu_layers
    most = layout.layers + 1
    if wanted is not None and (wanted <= 0 or not places.groups):
        yield Split()
        return
    if wanted is not None:
        for group in places.groups:
            yield _exactly(layout, group, min(most, wanted), share)
        return
    yield Split()
    for group in places.groups:
        for count in range(1, len(group) + 1):
            yield from _fullest(layout, group[:count], most, share)
            if (group[count - 1].bandwidth or 0.0) < (places.main.bandwidth or 0.0):
                yield from _emptiest(layout, group[:count], places.main, most, share)


def _fullest(layout: Layout, cards: Sequence[Place], most: int, share: float) -> Iterator[Split]:
    """As many whole layers on these cards as fit; and with experts in main memory, as few of those as must be."""

    def fits(layers: int, cpu_experts: int) -> bool:
        return sum(layout.counts(cards, layers, cpu_experts, share)) == layers

    layers = _largest(most, lambda count: fits(count, 0))
    if layers:
        yield _balanced(layout, cards, layers, 0, share)
    if layers == most or not layout.has_experts:
        return
    layers = _largest(most, lambda count: fits(count, layout.layers))
    if layers == most:
        moved = _largest(layout.layers, lambda count: fits(most, layout.layers - count))
        yield _balanced(layout, cards, most, layout.layers - moved, share)
    elif layers:
        yield _balanced(layout, cards, layers, layout.layers, share)


def _emptiest(layout: Layout, cards: Sequence[Place], main: Place, most: int, share: float) -> Iterator[Split]:
    """As few whole layers on these cards as main memory has no room for: it is faster than the last of them."""

    def leaves_too_much(layers: int) -> bool:
        split = Split(tuple(cards), layout.counts(cards, layers, 0, share))
        return is_nearly_full(main, layout.parts(split)[0].total)

    layers = 1 + _largest(most - 1, leaves_too_much)
    counts = layout.counts(cards, layers, 0, share)
    if 1 < layers == sum(counts):
        yield Split(tuple(cards), counts)


def _largest(most: int, is_possible: Callable[[int], bool]) -> int:
    """The largest count up to `most` that is possible, where all smaller ones are too; 0 where none is."""
    if is_possible(most):  # it may be while one less is not: with all layers there, no room for copies is needed
        return most
    low, high = 0, most - 1
    while low < high:
        middle = (low + high + 1) // 2
        if is_possible(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _balanced(layout: Layout, cards: Sequence[Place], layers: int, cpu_experts: int, most_share: float) -> Split:
    """Cards of one speed are filled alike; of unlike ones the fastest is filled first, up to that share."""
    counts = layout.counts(cards, layers, cpu_experts, most_share)
    if len({card.bandwidth for card in cards}) == 1 and len(cards) > 1:
        low, high = 0.0, most_share
        for _ in range(_BALANCE_STEPS):
            share = (low + high) / 2
            tried = layout.counts(cards, layers, cpu_experts, share)
            if sum(tried) == layers:
                counts, high = tried, share
            else:
                low = share
    return Split(tuple(cards), counts, cpu_experts)


def _exactly(layout: Layout, cards: Sequence[Place], layers: int, share: float) -> Split:
    """So many layers, even where they do not fit: what finds no room goes to the last card."""
    counts = list(layout.counts(cards, layers, 0, share))
    counts[-1] += layers - sum(counts)
    return Split(tuple(cards), tuple(counts))
