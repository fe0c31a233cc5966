"""The one fit answer: what a model needs on a machine, whether that is there, and how fast it will be.

Deterministic and free of side effects: badge, details, loader and command line all show this result.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from snug.core.devices import Places, places_of
from snug.core.fit import DeviceNeed, Fit, FitSettings, MemoryNeed, Offload, Parts, PlannedMemory, SpeedRange, Verdict
from snug.core.fit_words import assumed_words, length_words, why_sentence, with_notes
from snug.core.known_files import find_file
from snug.core.known_memory import KnownMemory
from snug.core.machine import Machine
from snug.core.model_facts import ModelFacts
from snug.core.offload import Plan, best_plan, measured_plan
from snug.core.speed import DOCUMENT_PAGES, PAGE_TOKENS, measured_range, prompt_speed
from snug.core.speed_correction import corrected, plan_kind, reading_kind

LARGEST_DEFAULT_CONTEXT = 32_768
"""Chosen contexts end here (about 65 pages); a person can ask for more."""
PAGE = 500
USEFUL_CONTEXT = 2_000
"""A chosen context is never smaller than four pages, unless the model itself ends before."""
CARD_CONTEXT = 8_000
"""Up to sixteen pages a chosen context may push layers off the graphics card; beyond that it may not."""


def fit(
    facts: ModelFacts,
    settings: FitSettings,
    machine: Machine,
    measured_tokens_per_s: float | None = None,
    planned: PlannedMemory | None = None,
    measured: PlannedMemory | None = None,
) -> Fit:
    """The answer for a model with these settings on this machine. Raises UserError for an unknown KV type.

    A speed measured on this very machine replaces the estimate. So does what the engine `planned` for the same context,
    and what it really took in a load with the same context and layout (`measured`) replaces both. Where figures of a
    list mean a file of this home, that file is answered for.
    """
    file = find_file(machine.known_files, facts)
    if file is None:
        return _fit(facts, settings, machine, measured_tokens_per_s, planned, measured)
    speed = measured_tokens_per_s or file.tokens_per_s
    if facts.exact:
        return _fit(facts, settings, machine, speed, planned, measured)
    return _known_fit(file.facts, settings, machine, file.memory, speed)


def known_fit(
    facts: ModelFacts,
    settings: FitSettings,
    machine: Machine,
    known: KnownMemory,
    measured_tokens_per_s: float | None = None,
) -> Fit:
    """The answer with everything that is known of this model here: what every screen and command shows.

    The formula chooses the context where the settings leave it open; what is known of that one replaces its figures.
    """
    file = find_file(machine.known_files, facts)
    if file is None:
        return _known_fit(facts, settings, machine, known, measured_tokens_per_s)
    exact = facts if facts.exact else file.facts
    return _known_fit(exact, settings, machine, known, measured_tokens_per_s or file.tokens_per_s)


def _known_fit(
    facts: ModelFacts, settings: FitSettings, machine: Machine, known: KnownMemory, speed: float | None
) -> Fit:
    answer = _fit(facts, settings, machine, speed)
    exact = replace(settings, context=answer.context)
    measured = known.measured(facts, exact, answer.offload)
    if measured is not None:
        return _fit(facts, exact, machine, speed, measured=measured)
    planned = known.planned(facts, exact)
    if planned is None:
        return answer
    answer = _fit(facts, exact, machine, speed, planned)
    measured = known.measured(facts, exact, answer.offload)
    return answer if measured is None else _fit(facts, exact, machine, speed, planned, measured)


def _fit(
    facts: ModelFacts,
    settings: FitSettings,
    machine: Machine,
    measured_tokens_per_s: float | None = None,
    planned: PlannedMemory | None = None,
    measured: PlannedMemory | None = None,
) -> Fit:
    places = places_of(machine)
    plan = _with_context(facts, settings, machine, places, planned)
    offload = plan.offload
    if places.main.kind == "unified":
        offload = replace(offload, gpu_layers=facts.layers + 1, draft_layers=facts.draft_layers)
    is_measured = measured is not None and measured.measured_for(plan.context, settings, offload)
    if measured is not None and is_measured:
        plan = measured_plan(plan, measured)
    memory = _memory(plan)
    speed: SpeedRange | None
    if measured_tokens_per_s:
        speed = measured_range(measured_tokens_per_s)
    else:
        correction = machine.speed_correction.of(plan_kind(offload, facts.layers))
        speed = plan.speed and corrected(plan.speed, correction)
    is_planned = planned is not None and planned.answers(plan.context, settings)
    why = why_sentence(plan.verdict, memory, machine, facts, plan.context, plan.offload)
    return Fit(
        verdict=plan.verdict,
        why=with_notes(why, (*length_words(facts, plan.context), *_notes(plan, places))),
        memory=memory,
        speed=speed,
        prefill=_reading(facts, plan, machine, 1, offload),
        document_prefill=_reading(facts, plan, machine, DOCUMENT_PAGES, offload),
        context=plan.context,
        kv_type=settings.kv_type,
        gpu_layers=offload.gpu_layers,
        basis="measured" if is_measured else "dry-run" if is_planned else "formula",
        offload=offload,
    )


def _notes(plan: Plan, places: Places) -> tuple[str, ...]:
    """What else decided: speeds that are assumed, devices that are left out."""
    return (*assumed_words([place for place, _ in plan.needs]), *places.unused, *plan.unused)


def _reading(facts: ModelFacts, plan: Plan, machine: Machine, pages: int, offload: Offload) -> SpeedRange | None:
    """How fast a prompt of so many pages is read there."""
    _, main = plan.needs[0]
    layers_there = max(0, main.weights - facts.input_embedding_bytes - facts.lookup_bytes)
    speed = prompt_speed(facts, plan.works, machine.cpu, pages * PAGE_TOKENS, layers_there)
    return speed and corrected(speed, machine.reading_correction.of(reading_kind(offload)))


def _with_context(
    facts: ModelFacts, settings: FitSettings, machine: Machine, places: Places, planned: PlannedMemory | None
) -> Plan:
    """The plan at the wanted context, or (context 0) at the largest useful one that fits well, else the smallest."""

    def at(context: int, planned: PlannedMemory | None = planned) -> Plan:
        return best_plan(facts, settings, places, machine.cpu, context, planned)

    if settings.context > 0:
        return at(settings.context)
    cap = min(facts.context_max or LARGEST_DEFAULT_CONTEXT, LARGEST_DEFAULT_CONTEXT)
    least = min(cap, USEFUL_CONTEXT)
    smallest = at(least)
    if smallest.verdict is not Verdict.FITS_WELL:
        return smallest

    @cache
    def usual_on_cards() -> int:
        return at(min(cap, CARD_CONTEXT), None).weights_on_cards if places.groups else 0

    def fits_well(plan: Plan) -> bool:
        if plan.verdict is not Verdict.FITS_WELL:
            return False
        return plan.context <= CARD_CONTEXT or plan.is_all_on_cards or plan.weights_on_cards >= usual_on_cards()

    whole = at(cap)
    if fits_well(whole):
        return whole
    best, low, high = smallest, least // PAGE, cap // PAGE
    while low < high:
        middle = (low + high + 1) // 2
        plan = at(max(least, PAGE * middle))
        if fits_well(plan):
            best, low = plan, middle
        else:
            high = middle - 1
    return best


def _memory(plan: Plan) -> MemoryNeed:
    """The need on all devices together, and on each."""
    whole = sum((parts for _, parts in plan.needs), Parts())
    return MemoryNeed(
        weights=whole.weights,
        conversation=whole.conversation,
        compute=whole.compute,
        other=whole.other,
        devices=tuple(
            DeviceNeed(place.name, parts.total, place.free, place.total, place.reserve, parts, place.gives_back)
            for place, parts in plan.needs
        ),
        repacked=whole.repacked,
        projector=whole.projector,
        adapters=whole.adapters,
    )
