"""The one fit answer: what a model needs on a machine, whether that is there, and how fast it will be.

Deterministic and free of side effects: badge, details, loader and command line all show this result.
"""

from __future__ import annotations

from dataclasses import dataclass

from snug.core.devices import MIB, Place, Places, places_of
from snug.core.fit import DeviceNeed, Fit, FitSettings, MemoryNeed, PlannedMemory, SpeedRange, Verdict
from snug.core.fit_words import why_sentence, with_notes
from snug.core.machine import Machine
from snug.core.memory_need import compute_bytes, layer_conversations, other_bytes, repeating_bytes
from snug.core.model_facts import ModelFacts
from snug.core.speed import CONVERSATION_FILL_TOKENS, Work, active_share, measured_range, prompt_speed, token_speed
from snug.core.speed_correction import corrected

LARGEST_DEFAULT_CONTEXT = 32_768
"""Chosen contexts end here (about 65 pages); a person can ask for more."""
PAGE = 500
USEFUL_CONTEXT = 2_000
"""A chosen context is never smaller than four pages, unless the model itself ends before."""
COMFORTABLE_SHARE = 0.9
"""Up to this share of the free memory a model fits well; above it is tight."""
CARD_CONTEXT = 8_000
"""Up to sixteen pages a chosen context may push layers off the graphics card; beyond that it may not."""
CARD_PROCESS_BYTES = 300 * MIB
"""What the driver and the engine's kernels take on a card once a model is loaded there."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Where everything lies: the last `gpu_layers` layers on the cards (one more than all: the output head too)."""

    context: int
    gpu_layers: int
    needs: tuple[tuple[Place, int], ...]
    works: tuple[Work, ...]
    memory: MemoryNeed

    @property
    def share(self) -> float:
        """The fullest place's need as a share of what is free there."""
        return max((needed / place.free if place.free > 0 else float("inf")) for place, needed in self.needs)


def fit(
    facts: ModelFacts,
    settings: FitSettings,
    machine: Machine,
    measured_tokens_per_s: float | None = None,
    planned: PlannedMemory | None = None,
) -> Fit:
    """The answer for a model with these settings on this machine. Raises UserError for an unknown KV type.

    A speed measured on this very machine replaces the estimate, and so does what the engine `planned`, where that is
    about the same context.
    """
    places = places_of(machine)
    plan = _with_context(facts, settings, places, planned)
    verdict = _verdict(plan)
    speed: SpeedRange | None
    if measured_tokens_per_s:
        speed = measured_range(measured_tokens_per_s)
    else:
        estimate = token_speed(facts, plan.works, machine.cpu)
        speed = estimate and corrected(estimate, machine.speed_correction)
    return Fit(
        verdict=verdict,
        why=with_notes(
            why_sentence(verdict, plan.memory, machine, facts, plan.context, plan.gpu_layers), places.unused
        ),
        memory=plan.memory,
        speed=speed,
        prefill=prompt_speed(facts, plan.works, machine.cpu),
        context=plan.context,
        kv_type=settings.kv_type,
        gpu_layers=facts.layers + 1 if places.main.kind == "unified" else plan.gpu_layers,
        basis="dry-run" if planned is not None and planned.answers(plan.context, settings) else "formula",
    )


def _verdict(plan: Plan) -> Verdict:
    if plan.share > 1.0:
        return Verdict.TOO_BIG
    main = plan.needs[0]
    crowded = main[1] > COMFORTABLE_SHARE * main[0].free
    return Verdict.TIGHT if crowded else Verdict.FITS_WELL


def _with_context(facts: ModelFacts, settings: FitSettings, places: Places, planned: PlannedMemory | None) -> Plan:
    """The plan at the wanted context, or (context 0) at the largest useful one that fits well, else the smallest."""
    if settings.context > 0:
        return _plan(facts, settings, places, settings.context, planned)
    cap = min(facts.context_max or LARGEST_DEFAULT_CONTEXT, LARGEST_DEFAULT_CONTEXT)
    least = min(cap, USEFUL_CONTEXT)
    smallest = _plan(facts, settings, places, least, planned)
    if _verdict(smallest) is not Verdict.FITS_WELL:
        return smallest
    base_layers = _plan(facts, settings, places, min(cap, CARD_CONTEXT)).gpu_layers

    def fits_well(plan: Plan) -> bool:
        keeps_cards = plan.context <= CARD_CONTEXT or plan.gpu_layers >= base_layers
        return keeps_cards and _verdict(plan) is Verdict.FITS_WELL

    whole = _plan(facts, settings, places, cap, planned)
    if fits_well(whole):
        return whole
    best, low, high = smallest, least // PAGE, cap // PAGE
    while low < high:
        middle = (low + high + 1) // 2
        plan = _plan(facts, settings, places, max(least, PAGE * middle), planned)
        if fits_well(plan):
            best, low = plan, middle
        else:
            high = middle - 1
    return best


def _plan(
    facts: ModelFacts, settings: FitSettings, places: Places, context: int, planned: PlannedMemory | None = None
) -> Plan:
    """The placement with as many whole layers on the cards as fit there, or as many as the settings say."""
    most = 0 if not places.cards else facts.layers + 1
    if settings.gpu_layers is not None:
        most = min(most, max(0, settings.gpu_layers))
    layout = _Layout(facts, settings, context, planned)
    if settings.gpu_layers is not None or most == 0:
        return layout.placed(places, most, exact=True)
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if layout.fits_cards(places, middle):
            low = middle
        else:
            high = middle - 1
    return layout.placed(places, low, exact=False)


def _scaled(parts: list[int], total: int) -> list[int]:
    """The parts, each in proportion, so that they sum to `total`; what rounding leaves falls to the first."""
    whole = sum(parts)
    if not whole:
        return [total, *parts[1:]] if parts else parts
    scaled = [part * total // whole for part in parts]
    return [scaled[0] + total - sum(scaled), *scaled[1:]]


class _Layout:
    """One model at one context: the bytes of its parts, to be laid out on places."""

    def __init__(
        self, facts: ModelFacts, settings: FitSettings, context: int, planned: PlannedMemory | None = None
    ) -> None:
        self.facts = facts
        self.context = context
        self.conversations = layer_conversations(facts, context, settings.kv_type, settings.batch)
        self.compute = compute_bytes(facts, context, settings.batch)
        if planned is not None and planned.answers(context, settings):
            self.compute = planned.compute
            self.conversations = _scaled(self.conversations, planned.conversation)
        self.other = other_bytes(facts)
        self.repeating = repeating_bytes(facts)
        self.layers = max(1, facts.layers)
        self.layer = self.repeating / self.layers
        self.output = facts.output_bytes or facts.input_embedding_bytes

    def fits_cards(self, places: Places, count: int) -> bool:
        loads, rest = self._fill(places, count)
        return rest == 0 and all(load <= card.free for load, card in zip(loads, places.cards, strict=True))

    def _fill(self, places: Places, count: int) -> tuple[list[int], int]:
        """Bytes on each card when `count` layers go there one after the other, and how many found no room."""
        loads = [CARD_PROCESS_BYTES + self.compute] * len(places.cards) if count else [0] * len(places.cards)
        pieces = [self.layer + need for need in self._last(min(count, self.layers))]
        if count > self.layers:
            pieces.append(self.output)
        index = 0
        for position, piece in enumerate(pieces):
            while index < len(loads) and loads[index] + piece > places.cards[index].free:
                index += 1
            if index == len(loads):
                return [round(load) for load in loads], len(pieces) - position
            loads[index] += round(piece)
        return loads, 0

    def _last(self, count: int) -> list[int]:
        padded = (self.conversations + [0] * self.layers)[: self.layers]
        return padded[self.layers - count :] if count else []

    def placed(self, places: Places, count: int, *, exact: bool) -> Plan:
        """The plan with `count` layers on the cards; `exact` keeps that count even where it does not fit."""
        loads, rest = self._fill(places, count)
        if rest and exact:
            loads[0] += round(self.layer * rest) + sum(self._last(min(rest, self.layers)))
        facts = self.facts
        on_cards = min(count, self.layers)
        moved = round(self.layer * on_cards)
        talk_cards = sum(self._last(on_cards))
        head_moves = count > self.layers
        weights_cards = moved + (self.output if head_moves else 0)
        doubled = self.output if head_moves and not facts.output_bytes else 0
        weights_main = facts.weight_bytes - moved - (facts.output_bytes if head_moves else 0)
        talk_main = sum(self.conversations) - talk_cards
        compute_main = self.compute if count <= self.layers else self.compute // 4
        needs = [(places.main, weights_main + talk_main + compute_main + self.other)]
        used = [(card, load) for card, load in zip(places.cards, loads, strict=True) if load]
        needs += used
        memory = MemoryNeed(
            weights=facts.weight_bytes + doubled,
            conversation=sum(self.conversations),
            compute=compute_main + self.compute * len(used),
            other=self.other + CARD_PROCESS_BYTES * len(used),
            devices=tuple(
                DeviceNeed(place.name, needed, place.free, place.total, place.reserve) for place, needed in needs
            ),
        )
        works = self._works(places, [card for card, _ in used], weights_cards, on_cards, head_moves)
        return Plan(self.context, count, tuple(needs), works, memory)

    def _works(
        self, places: Places, cards: list[Place], weights_cards: int, on_cards: int, head_moves: bool
    ) -> tuple[Work, ...]:
        """What each place delivers for one token, with a short conversation in the context."""
        share = active_share(self.facts, self.repeating)
        fill = min(CONVERSATION_FILL_TOKENS, self.context / 4) / max(1, self.context)
        states = self.facts.recurrent_state_bytes
        talk = max(0, sum(self.conversations) - states) * fill + states
        part = on_cards / self.layers
        head = self.output
        main_weights = self.repeating * (1 - part) * share + (0 if head_moves else head)
        works = []
        if main_weights > 0 or not cards:
            works.append(Work(places.main, round(main_weights), round(talk * (1 - part)), self.layers - on_cards))
        card_weights = self.repeating * part * share + (head if head_moves else 0)
        for card in cards:
            even = 1 / len(cards)
            works.append(Work(card, round(card_weights * even), round(talk * part * even), on_cards * even))
        return tuple(works)
