"""The sentence that says why a model fits a machine or does not, and how it is laid out."""

from __future__ import annotations

from collections.abc import Sequence

from snug.core.devices import Place
from snug.core.fit import DeviceNeed, MemoryNeed, Offload, Verdict
from snug.core.machine import Holder, Machine
from snug.core.model_facts import ModelFacts
from snug.core.words import pages_text, size_text

WORTH_NAMING = 200 * 1000**2
"""A program that holds less is not worth closing."""
MOST_NAMED = 2


def why_sentence(
    verdict: Verdict, memory: MemoryNeed, machine: Machine, facts: ModelFacts, context: int, offload: Offload
) -> str:
    """One sentence with the figures that decided."""
    main, *cards = memory.devices
    remembers = f"remembers {pages_text(context)}"
    if verdict is Verdict.TOO_BIG:
        return _too_big(memory, machine)
    if cards:
        words = _with_cards(cards, main, facts, offload, remembers)
        return f"{words.removesuffix('.')}; {_nearly_full(memory, machine)}." if verdict is Verdict.TIGHT else words
    need, free = size_text(main.needed), size_text(main.free)
    if verdict is Verdict.TIGHT:
        if _is_imagined(machine):
            return f"It needs {need} of the {free} that are free{_kept(main)} and {remembers}: little room is left."
        held = held_words(machine.memory_holders)
        close = f"close other programs first ({held})" if held else "close other programs first"
        return f"It needs {need} of the {free} that are free{_kept(main)} and {remembers}: {close}."
    return f"It needs {need} of the {free} that are free for a model{_kept(main)} and {remembers}."


def with_notes(sentence: str, notes: Sequence[str]) -> str:
    """The sentence with what else decided, such as a card that is left out."""
    return sentence if not notes else f"{sentence.removesuffix('.')}; {'; '.join(notes[:2])}."


def length_words(facts: ModelFacts, context: int) -> tuple[str, ...]:
    """What is to be said of a conversation that is longer than the model was made for."""
    if not 0 < facts.context_max < context:
        return ()
    return (f"it was made for at most {pages_text(facts.context_max)}, and beyond that its answers get worse",)


def assumed_words(places: Sequence[Place]) -> tuple[str, ...]:
    """What is assumed of the cards in use whose speed nobody knows."""
    unknown = {place.name: place for place in places if place.is_assumed}
    return tuple(
        f"the speed of the {name} is not known: {size_text(place.bandwidth or 0)} a second are assumed, as of the "
        "slowest of today's cards with as much memory"
        for name, place in unknown.items()
    )


def layout_words(offload: Offload, facts: ModelFacts, cards: Sequence[str]) -> str:
    """Where the layers are: "29 of 33 layers on the RTX 3060, the rest on the processor". "" where no card is used."""
    if not offload.gpu_layers or not cards:
        return ""
    whole = facts.layers + 1
    split = offload.split or (offload.gpu_layers,)
    if len(cards) == 1 or len(split) == 1:
        where = f"on the {cards[0]}"
        words = f"all {whole} layers {where}" if offload.gpu_layers >= whole else (
            f"{offload.gpu_layers} of {whole} layers {where}, the rest on the processor")  # fmt: skip
    else:
        shares = [f"{count} on the {name}" for count, name in zip(split, cards, strict=False)]
        words = f"of {whole} layers {', '.join(shares[:-1])} and {shares[-1]}"
        words += "" if offload.gpu_layers >= whole else ", the rest on the processor"
    if not offload.cpu_experts:
        return words
    experts = "the experts" if offload.cpu_experts >= facts.layers else (
        f"the experts of {offload.cpu_experts} layers")  # fmt: skip
    return f"{words}; {experts} stay in main memory"


def held_words(holders: Sequence[Holder]) -> str:
    """Who holds memory now: "Firefox: 2.1 GB, Code: 1.3 GB"; "" where nobody holds much."""
    large = [holder for holder in holders if holder.size_bytes >= WORTH_NAMING][:MOST_NAMED]
    return ", ".join(f"{holder.name}: {size_text(holder.size_bytes)}" for holder in large)


def _is_imagined(machine: Machine) -> bool:
    """Whether what is free was assumed: no programs are open on a computer that nobody sits at."""
    return machine.sources.get("memory.available", "").startswith("assumed")


def _kept(device: DeviceNeed) -> str:
    """What is left to the system, and what the loaded model gives back, in brackets."""
    parts = [f"{size_text(device.gives_back)} of it when the loaded model goes"] if device.gives_back else []
    if device.reserved:
        parts.append(f"{size_text(device.reserved)} stay with the system")
    return f" ({'; '.join(parts)})" if parts else ""


def _nearly_full(memory: MemoryNeed, machine: Machine) -> str:
    """Which memory is nearly full, and what helps."""
    main = memory.devices[0]
    fullest = max(memory.devices, key=lambda device: device.needed / max(1, device.free))
    holders = machine.memory_holders
    if fullest is not main:
        holders = next((gpu.holders for gpu in machine.gpus if gpu.name == fullest.name), ())
    held = held_words(holders)
    where = "main memory" if fullest is main else f"the {fullest.name}"
    close = "close other programs first" if fullest is main else "close programs that draw on it, or take fewer pages"
    return f"{where} is nearly full then: {close}" + (f" ({held})" if held else "")


def _with_cards(cards: list[DeviceNeed], main: DeviceNeed, facts: ModelFacts, offload: Offload, remembers: str) -> str:
    names = [card.name for card in cards]
    need, free = size_text(sum(card.needed for card in cards)), size_text(sum(card.free for card in cards))
    if offload.gpu_layers > facts.layers and not offload.cpu_experts:
        where = names[0] if len(names) == 1 else layout_words(offload, facts, names)
        if len(set(names)) == 1 and len(names) > 1:
            where = f"{len(names)} {names[0]} cards"
        if len(set(names)) > 1:
            return f"All of it runs on cards ({where}): {need} of {free} that are free there, and it {remembers}."
        return f"All of it runs on the {where}: {need} of {free} that are free there, and it {remembers}."
    where, said = (f"the {names[0]}", ["card"]) if len(names) == 1 else (f"{len(names)} cards", names)
    words = layout_words(offload, facts, said)
    return (
        f"It is shared out between {where} ({need} of {free} that are free there) and main memory "
        f"({size_text(main.needed)} of {size_text(main.free)}), which is slower, and {remembers} ({words})."
    )


def _beside(cards: Sequence[DeviceNeed]) -> str:
    """What stands on cards, beside main memory."""
    used = [f"{size_text(card.needed)} on the {card.name}" for card in cards if card.needed]
    return f" of main memory, beside {' and '.join(used)}," if used else ""


def _too_big(memory: MemoryNeed, machine: Machine) -> str:
    worst = max(memory.devices, key=lambda device: device.needed - device.free)
    missing = size_text(worst.needed - worst.free)
    is_main = worst is memory.devices[0]
    where = _beside(memory.devices[1:]) if is_main else f" on the {worst.name}"
    text = f"It needs {size_text(worst.needed)}{where} and {size_text(worst.free)} are free{_kept(worst)}: "
    text += f"{missing} too little"
    if is_main and not _is_imagined(machine) and worst.needed + worst.reserved <= 0.95 * machine.memory.total:
        held = held_words(machine.memory_holders)
        return f"{text}, though closing other programs could make room{f' ({held})' if held else ''}."
    holders = [] if is_main else [gpu.holders for gpu in machine.gpus if gpu.name == worst.name]
    held = held_words(holders[0]) if holders else ""
    return f"{text} ({held} there)." if held else f"{text}."
