"""The sentence that says why a model fits a machine or does not."""

from __future__ import annotations

from snug.core.fit import DeviceNeed, MemoryNeed, Verdict
from snug.core.machine import Machine
from snug.core.model_facts import ModelFacts
from snug.core.words import pages_text, size_text


def why_sentence(
    verdict: Verdict, memory: MemoryNeed, machine: Machine, facts: ModelFacts, context: int, gpu_layers: int
) -> str:
    """One sentence with the figures that decided."""
    main, *cards = memory.devices
    remembers = f"remembers {pages_text(context)}"
    if verdict is Verdict.TOO_BIG:
        return _too_big(memory, machine)
    if cards:
        return _with_cards(cards, main, facts, gpu_layers, remembers)
    need, free = size_text(main.needed), size_text(main.free)
    if verdict is Verdict.TIGHT:
        return f"It needs {need} of the {free} that are free and {remembers}: close other programs first."
    return f"It needs {need} of the {free} that are free for a model and {remembers}."


def with_notes(sentence: str, notes: tuple[str, ...]) -> str:
    """The sentence with what else decided, such as a card that is left out."""
    return sentence if not notes else f"{sentence.removesuffix('.')}; {'; '.join(notes[:2])}."


def _with_cards(cards: list[DeviceNeed], main: DeviceNeed, facts: ModelFacts, gpu_layers: int, remembers: str) -> str:
    names = cards[0].name if len(cards) == 1 else f"{len(cards)} {cards[0].name} cards"
    need, free = size_text(sum(card.needed for card in cards)), size_text(sum(card.free for card in cards))
    if gpu_layers > facts.layers:
        return f"All of it runs on the {names}: {need} of {free} that are free there, and it {remembers}."
    share = round(100 * gpu_layers / max(1, facts.layers))
    return (
        f"About {share} % of it fits on the {names}; the rest, {size_text(main.needed)}, runs on the processor, "
        f"which is slower; it {remembers}."
    )


def _too_big(memory: MemoryNeed, machine: Machine) -> str:
    worst = max(memory.devices, key=lambda device: device.needed - device.free)
    missing = size_text(worst.needed - worst.free)
    where = "" if worst is memory.devices[0] else f" on the {worst.name}"
    text = f"It needs {size_text(worst.needed)}{where} and {size_text(worst.free)} are free: {missing} too little"
    if worst is memory.devices[0] and worst.needed + worst.reserved <= 0.95 * machine.memory.total:
        return f"{text}, though closing other programs could make room."
    return f"{text}."
