"""What changed on this computer since an earlier reading: hardware and drivers, never what is merely free or in use."""

from __future__ import annotations

from collections import Counter

from snug.core.machine import Gpu, Machine
from snug.core.machine_words import name_words
from snug.core.words import sold_text

LEAST_CHANGE = 0.02
"""A new kernel or firmware setting moves the total by a few megabytes; that is no news."""


def machine_changes(before: Machine, now: Machine) -> tuple[str, ...]:
    """One sentence a change, the gravest first. What either reading does not know is no change."""
    return (
        *_gone(before, now),
        *_new(before, now),
        *_same_cards(before, now),
        *_memory(before, now),
        *_processor(before, now),
    )


def _memory(before: Machine, now: Machine) -> list[str]:
    was, has = before.memory, now.memory
    if was.limit != has.limit and has.total and was.total:
        if has.limit is None:
            return [f"No container limits the memory any more: {sold_text(has.total)}."]
        earlier = sold_text(was.limit) if was.limit is not None else "none"
        return [f"This container may use {sold_text(has.limit)} of memory (the limit was {earlier})."]
    if not was.total or not has.total or abs(has.total - was.total) <= LEAST_CHANGE * was.total:
        return []
    more = "More" if has.total > was.total else "Less"
    return [f"{more} memory: {sold_text(has.total)} (it was {sold_text(was.total)})."]


def _processor(before: Machine, now: Machine) -> list[str]:
    was, has = before.cpu, now.cpu
    if was.name and has.name and was.name != has.name:
        return [f"Another processor: {name_words(has.name)} (it was {name_words(was.name)})."]
    if was.cores and has.cores and was.cores != has.cores:
        return [f"The processor has {has.cores} cores now (it had {was.cores})."]
    return []


def _gone(before: Machine, now: Machine) -> list[str]:
    words = []
    for name in _missing(before.gpus, now.gpus):
        gpu = next(gpu for gpu in before.gpus if gpu.name == name)
        why = now.unread.get(f"gpus.{gpu.vendor}") or (now.unread.get("gpus") if not now.gpus else None)
        words.append(f"{name_words(name)} is gone" + (f": {why}." if why else "."))
    return words


def _new(before: Machine, now: Machine) -> list[str]:
    words = []
    for name in _missing(now.gpus, before.gpus):
        gpu = next(gpu for gpu in now.gpus if gpu.name == name)
        memory = f", with {sold_text(gpu.memory_total)} of its own" if _has_own(gpu) else ""
        words.append(f"New graphics: {name_words(name)}{memory}.")
    return words


def _same_cards(before: Machine, now: Machine) -> list[str]:
    """New drivers and other memory of devices that both readings hold."""
    words = []
    said = set()
    for index, gpu in enumerate(now.gpus):
        had = any(_has_own(was) and was.name == gpu.name for was in before.gpus)
        if had and gpu.kind == "discrete" and not gpu.memory_total:
            why = now.unread.get(f"gpus.{index}.memory_total", "nothing gives its memory")
            words.append(f"The {name_words(gpu.name)} does not answer any more: {why}.")
    for was, has in _pairs(before.gpus, now.gpus):
        if was.driver and has.driver and was.driver != has.driver and (has.vendor, has.driver) not in said:
            said.add((has.vendor, has.driver))
            words.append(f"New driver for the {name_words(has.name)}: {has.driver} (it was {was.driver}).")
        own = _has_own(was) and _has_own(has)
        if own and abs(has.memory_total - was.memory_total) > LEAST_CHANGE * was.memory_total:
            change = f"{sold_text(has.memory_total)} of its own (it was {sold_text(was.memory_total)})"
            words.append(f"The {name_words(has.name)} has {change}.")
    return words


def _pairs(before: tuple[Gpu, ...], now: tuple[Gpu, ...]) -> list[tuple[Gpu, Gpu]]:
    waiting = list(before)
    pairs = []
    for gpu in now:
        same = [other for other in waiting if other.name == gpu.name]
        if same:
            other = next((other for other in same if other.pci_id == gpu.pci_id), same[0])
            waiting.remove(other)
            pairs.append((other, gpu))
    return pairs


def _missing(among: tuple[Gpu, ...], others: tuple[Gpu, ...]) -> list[str]:
    return list((Counter(gpu.name for gpu in among) - Counter(gpu.name for gpu in others)).elements())


def _has_own(gpu: Gpu) -> bool:
    return gpu.kind == "discrete" and gpu.memory_total > 0
