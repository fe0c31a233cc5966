"""Linux' list of graphics devices in sysfs: who made each, which it is, where its files are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from snug.system.environment import Environment, NotReadable
from snug.system.figures import text, whole

DRM_FOLDER = "/sys/class/drm"
PCI_ID_FILES = ("/usr/share/hwdata/pci.ids", "/usr/share/misc/pci.ids")
AMD_ID_FILE = "/usr/share/libdrm/amdgpu.ids"
MOST_CARDS = 32

_CARD = re.compile(r"card\d{1,3}")


@dataclass(frozen=True, slots=True)
class Card:
    """One device: its folder in sysfs, PCI numbers in lower-case hexadecimal, kernel driver and bus address."""

    folder: str
    vendor: str
    device: str
    revision: str
    driver: str
    pci_id: str


def cards(environment: Environment) -> tuple[Card, ...]:
    """All graphics devices on the PCI bus that the kernel drives. Raises NotReadable where it lists none."""
    names = [name for name in environment.names(DRM_FOLDER) if _CARD.fullmatch(name)]
    found = (_card(environment, f"{DRM_FOLDER}/{name}/device") for name in names[:MOST_CARDS])
    return tuple(card for card in found if card)


def number(environment: Environment, path: str) -> int:
    """The number in a sysfs file, 0 where there is none."""
    return whole(words(environment, path))


def words(environment: Environment, path: str) -> str:
    """The text in a sysfs file, "" where there is none."""
    try:
        return text(environment.text(path))
    except NotReadable:
        return ""


def pci_name(environment: Environment, vendor: str, device: str) -> str:
    """The device's name in the system's own list of PCI devices, "" where it has none."""
    for path in PCI_ID_FILES:
        try:
            return parse_pci_ids(environment.text(path), vendor, device)
        except NotReadable:
            continue
    return ""


def parse_pci_ids(listing: str, vendor: str, device: str) -> str:
    """The name in a pci.ids file; the part in square brackets is the one that people know."""
    start = re.search(rf"^{re.escape(vendor)}  ", listing, re.MULTILINE)
    if not start:
        return ""
    end = re.compile(r"^[0-9a-fA-F]{4}  |^C ", re.MULTILINE).search(listing, start.end())
    block = listing[start.start() : end.start() if end else len(listing)]
    line = re.search(rf"^\t{re.escape(device)}  (.+)$", block, re.MULTILINE)
    if not line:
        return ""
    sold_as = re.search(r"\[([^\]]+)\]\s*$", line.group(1))
    return text(sold_as.group(1) if sold_as else line.group(1))


def parse_amd_ids(listing: str, device: str, revision: str) -> str:
    """The name in libdrm's amdgpu.ids, whose lines read "15BF,	C4,	AMD Radeon 780M Graphics"."""
    for line in listing.splitlines():
        parts = [part.strip() for part in line.split(",", 2)]
        if len(parts) == 3 and parts[0].lower() == device and parts[1].lower() == revision:
            return text(parts[2])
    return ""


def _card(environment: Environment, folder: str) -> Card | None:
    vendor = _hexadecimal(words(environment, f"{folder}/vendor"))
    if not vendor:
        return None
    try:
        pairs = dict(line.split("=", 1) for line in environment.text(f"{folder}/uevent").splitlines() if "=" in line)
    except NotReadable:
        pairs = {}
    return Card(
        folder=folder,
        vendor=vendor,
        device=_hexadecimal(words(environment, f"{folder}/device")),
        revision=_hexadecimal(words(environment, f"{folder}/revision")),
        driver=text(pairs.get("DRIVER", "")),
        pci_id=text(pairs.get("PCI_SLOT_NAME", "")).lower(),
    )


def _hexadecimal(value: str) -> str:
    match = re.fullmatch(r"0x([0-9a-fA-F]{1,8})", value)
    return match.group(1).lower() if match else ""
