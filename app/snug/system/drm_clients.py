"""Who holds a card's own memory on Linux: what its driver says of every program that draws or computes on it.

Format: https://docs.kernel.org/gpu/drm-usage-stats.html; amdgpu calls a card's own memory "vram", xe "vram0", i915
"local0".
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from snug.core.machine_words import AS_PROGRAMS_SAY
from snug.system.card_holders import CardUse, largest, program_of
from snug.system.environment import Environment, NotReadable
from snug.system.figures import LARGEST, whole
from snug.system.process_list import is_snugs

SOURCE = f"{AS_PROGRAMS_SAY}: its driver's figure of each (fdinfo)"
LONGEST_S = 0.25
MOST_BYTES = 16 * 1024
MOST_CLIENTS = 10_000

_LINE = re.compile(r"^drm-([a-z]+)(?:-([\w-]+))?:\s*(\S+)(?:\s+(KiB|MiB|GiB))?\s*$", re.MULTILINE)
_UNITS = {"": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_OWN_MEMORY = re.compile(r"(?:vram|local)\d{0,2}")


@dataclass(frozen=True, slots=True)
class _Client:
    """One opening of a card by a program: its bus address and number there, and bytes of the card's own memory."""

    card: str
    number: str
    held: int


def read(environment: Environment) -> dict[str, CardUse]:
    """The use of each card by its bus address; empty where nothing can be read."""
    try:
        return parse(environment.drm_clients())
    except NotReadable:
        return {}


def parse(clients: Sequence[Any]) -> dict[str, CardUse]:
    """The use of each card out of one mapping an open file (see `ask_drm_clients`).

    Programs that share one opening, as parents and children do, are counted once.
    """
    seen: set[tuple[str, str]] = set()
    held: dict[str, list[tuple[str, int]]] = {}
    for mapping in clients[:MOST_CLIENTS]:
        client = _parsed(mapping.get("fdinfo")) if isinstance(mapping, Mapping) else None
        if client is None:
            continue
        known = client.card, client.number or f"process {whole(mapping.get('pid'))}"
        if known not in seen:
            seen.add(known)
            held.setdefault(client.card, []).append((program_of(mapping), client.held))
    return {card: CardUse(sum(size for _, size in programs), largest(programs)) for card, programs in held.items()}


def ask_drm_clients() -> list[dict[str, Any]]:
    """One mapping for each open file of a graphics device: pid, name, is_own, and fdinfo, the driver's text.

    Other people's processes are left out, since only the administrator may look at them. Raises NotReadable.
    """
    until = time.monotonic() + LONGEST_S
    try:
        numbers = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError as error:
        raise NotReadable(f"/proc cannot be read ({error.strerror})") from error
    found: list[dict[str, Any]] = []
    for number in numbers:
        if time.monotonic() > until:
            break
        texts = list(_open_devices(f"/proc/{number}"))
        if texts:
            name, is_own = _name(f"/proc/{number}"), is_snugs(int(number))
            found += [{"pid": int(number), "name": name, "is_own": is_own, "fdinfo": words} for words in texts]
    return found


def _open_devices(folder: str) -> Iterator[str]:
    """The driver's text of each file of a graphics device that a process has open."""
    try:
        files = os.listdir(f"{folder}/fd")
    except OSError:  # the process has ended, or is another person's
        return
    for file in files:
        try:
            if os.readlink(f"{folder}/fd/{file}").startswith("/dev/dri/"):
                with open(f"{folder}/fdinfo/{file}", encoding="utf-8", errors="replace") as opened:
                    yield opened.read(MOST_BYTES)
        except OSError:
            continue


def _name(folder: str) -> str:
    try:
        with open(f"{folder}/comm", encoding="utf-8", errors="replace") as file:
            return file.read(64).strip()
    except OSError:
        return ""


def _parsed(fdinfo: Any) -> _Client | None:
    """None for a text that names no card, such as that of a device without an address on the bus.

    What is resident counts, less what other programs share: that much comes back when the program ends. Older kernels
    give one figure alone, "memory".
    """
    if not isinstance(fdinfo, str):
        return None
    card, number = "", ""
    sizes: dict[tuple[str, str], int] = {}
    for kind, name, value, unit in _LINE.findall(fdinfo):
        if kind == "pdev":
            card = value.lower()
        elif (kind, name) == ("client", "id"):
            number = value
        elif _OWN_MEMORY.fullmatch(name):
            sizes[kind, name] = min(LARGEST, whole(value) * _UNITS[unit])
    regions = {region for _, region in sizes}
    held = sum(_held_of({kind: size for (kind, name), size in sizes.items() if name == region}) for region in regions)
    return _Client(card, number, held) if card and regions else None


def _held_of(sizes: Mapping[str, int]) -> int:
    whole_size = next((sizes[kind] for kind in ("resident", "total", "memory") if kind in sizes), 0)
    return max(0, whole_size - sizes.get("shared", 0))
