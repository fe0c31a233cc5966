"""Graphics devices on Linux that have no probe of their own: Intel's, and cards without their maker's driver."""

from __future__ import annotations

import re

from snug.core.machine import Gpu
from snug.system import amd, drm
from snug.system.environment import Environment, NotReadable
from snug.system.reading import Reading

SOURCE = "Linux graphics devices (sysfs)"
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
    for card in cards:
        here = f"gpus.{len(gpus)}"
        gpu = parse(card, drm.pci_name(environment, card.vendor, card.device))
        gpus.append(gpu)
        sources |= {f"{here}.name": SOURCE, f"{here}.driver": SOURCE}
        if gpu.kind == "discrete":
            unread[f"{here}.memory_total"] = f"its kernel driver ({gpu.driver or 'none'}) does not say"
    return Reading(gpus=tuple(gpus), sources=sources, unread=unread)


def parse(card: drm.Card, listed_name: str) -> Gpu:
    """The device; Intel's integrated graphics always sit at address 00:02.0 of the bus."""
    maker = _MAKERS.get(card.vendor, "")
    integrated = card.vendor == INTEL and (card.pci_id.endswith(":00:02.0") or not _INTEL_CARD.search(listed_name))
    name = listed_name or ("Graphics" if integrated else "graphics card")
    return Gpu(
        name=name if name.startswith(maker) else f"{maker} {name}",
        kind="integrated" if integrated else "discrete",
        vendor=maker.lower(),
        driver=card.driver,
        pci_id=card.pci_id,
    )
