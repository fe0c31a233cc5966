"""Graphics devices on Linux that have no probe of their own: Intel's, and cards without their maker's driver."""

from __future__ import annotations

import re
from dataclasses import replace

from snug.core.gpu_bandwidths import device_by_pci_id
from snug.core.machine import Gpu
from snug.core.machine_words import TAKEN_AS_ALL
from snug.system import amd, drm, drm_clients
from snug.system.card_holders import CardUse
from snug.system.environment import Environment, NotReadable
from snug.system.reading import Reading

SOURCE = "Linux graphics devices (sysfs)"
MOST_TILES = 4
INTEL, NVIDIA = "8086", "10de"
_MAKERS = {INTEL: "Intel", NVIDIA: "NVIDIA"}

_INTEL_CARD = re.compile(r"\bArc\b.*\b[AB]\d{3}|\bIris Xe MAX\b|\bDG[12]\b|\bBMG\b|\bFlex\b", re.IGNORECASE)


def read(environment: Environment) -> Reading:
    """Intel's devices, and NVIDIA's that only the kernel knows. Adapters that cannot compute are left out."""
    if environment.system != "linux":
        return Reading()
    try:
        cards = [card for card in drm.cards(environment) if card.vendor in _MAKERS and card.vendor != amd.VENDOR]
    except NotReadable:
        return Reading(unread={"gpus": "Linux lists no graphics device"})
    gpus: list[Gpu] = []
    sources: dict[str, str] = {}
    unread: dict[str, str] = {}
    uses = drm_clients.read(environment) if cards else {}
    for card in cards:
        here = f"gpus.{len(gpus)}"
        gpu = parse(card, drm.pci_name(environment, card.vendor, card.device), *_own_memory(environment, card))
        use = uses.get(gpu.pci_id, CardUse()) if gpu.kind == "discrete" else CardUse()
        gpu = replace(gpu, holders=use.holders)
        sources |= {f"{here}.name": SOURCE, f"{here}.driver": SOURCE}
        if gpu.memory_total:
            says = f"{gpu.driver} driver (sysfs)"
            sources[f"{here}.memory_total"] = says
            sources[f"{here}.memory_free"] = says
            if gpu.memory_free == gpu.memory_total:
                gpu = replace(gpu, memory_free=max(0, gpu.memory_total - use.held))
                does_not_say = f"{TAKEN_AS_ALL}: its driver does not say what is in use"
                sources[f"{here}.memory_free"] = drm_clients.SOURCE if use.held else does_not_say
        elif gpu.kind == "discrete":
            unread[f"{here}.memory_total"] = f"its kernel driver ({gpu.driver or 'none'}) does not say"
        gpus.append(gpu)
    return Reading(gpus=tuple(gpus), sources=sources, unread=unread)


def parse(card: drm.Card, listed_name: str, own_memory: int = 0, own_free: int = 0) -> Gpu:
    """The device; Intel's integrated graphics always sit at address 00:02.0 of the bus.

    `own_memory` and `own_free` are the bytes that the kernel driver gives as the card's own.
    """
    maker = _MAKERS.get(card.vendor, "")
    device_id = f"{card.vendor}:{card.device}"
    known = device_by_pci_id(device_id)
    listed_name = listed_name or (known.name.title() if known else "")
    is_card = own_memory > 0 or known is not None or _INTEL_CARD.search(listed_name) is not None
    integrated = card.vendor == INTEL and (card.pci_id.endswith(":00:02.0") or not (is_card or card.pci_id))
    name = listed_name or ("Graphics" if integrated else "graphics card")
    total = 0 if integrated else own_memory
    return Gpu(
        name=name if name.startswith(maker) else f"{maker} {name}",
        kind="integrated" if integrated else "discrete",
        memory_total=total,
        memory_free=min(own_free, total),
        vendor=maker.lower(),
        driver=card.driver,
        pci_id=card.pci_id,
        device_id=device_id,
    )


def _own_memory(environment: Environment, card: drm.Card) -> tuple[int, int]:
    """Total and free bytes of a card's own memory, zeros where its driver does not say.

    xe gives the physical memory of each tile, i915 with Intel's own additions a total and what is available; i915 as
    Linux ships it gives none, and the engine is asked then (Intel's level-zero reads the same files:
    https://github.com/intel/compute-runtime, sysman/source/shared/linux).
    """
    tiles = [
        drm.number(environment, f"{card.folder}/tile{tile}/physical_vram_size_bytes") for tile in range(MOST_TILES)
    ]
    if any(tiles):
        return sum(tiles), sum(tiles)
    above = card.folder.removesuffix("/device")
    total = drm.number(environment, f"{above}/lmem_total_bytes")
    return total, drm.number(environment, f"{above}/lmem_avail_bytes") or total
