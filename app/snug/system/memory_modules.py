"""What the firmware says of the memory modules: kind, speed and channels, and so how fast they can be at most.

One table of the firmware (SMBIOS type 17, https://www.dmtf.org/standards/smbios) is seen through three windows: Linux'
udev keeps it readable for everybody (systemd's dmi_memory_id), the raw table is for the administrator, and Windows
gives it as Win32_PhysicalMemory (https://learn.microsoft.com/windows/win32/cimwin32prov/win32-physicalmemory).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from snug.system import windows_cim
from snug.system.environment import Environment, NotReadable
from snug.system.figures import text, whole
from snug.system.reading import Modules, Reading

UDEV_FILE = "/run/udev/data/+dmi:id"
TABLE_FILE = "/sys/firmware/dmi/tables/DMI"
FASTEST_MTS = 20_000
MOST_MODULES = 128
USUAL_WIDTH_BITS = 64
UNNAMED_CHANNELS = 2
"""Modules whose names do not tell their channel are counted as at most two channels, as ordinary boards have."""

_KINDS = {0x18: "DDR3", 0x1A: "DDR4", 0x1B: "LPDDR", 0x1C: "LPDDR2", 0x1D: "LPDDR3", 0x1E: "LPDDR4", 0x20: "HBM",
          0x21: "HBM2", 0x22: "DDR5", 0x23: "LPDDR5", 0x24: "HBM3"}  # fmt: skip
_CHANNEL = (
    re.compile(r"^(.*?\bchan(?:nel)?[\s_-]*[A-Z0-9])(?![a-z0-9])", re.IGNORECASE),
    re.compile(r"^(.*?channel[A-Z0-9])", re.IGNORECASE),
    re.compile(r"^(.*?CPU\d+_C\d+)", re.IGNORECASE),
    re.compile(r"^(.*?DIMM[\s_-]?[A-L])(?=\d|\b)", re.IGNORECASE),
    re.compile(r"^(Controller\d+)-DIMM", re.IGNORECASE),
)


@dataclass(frozen=True, slots=True)
class Module:
    """One module that is there: bytes, million transfers a second, bits of data, kind, and where it sits."""

    size: int
    speed_mts: int
    width_bits: int
    kind: str
    locator: str
    bank: str


def read(environment: Environment) -> Reading:
    """The modules of this computer, or why there is nothing to say."""
    if environment.system == "windows":
        try:
            return parse(parse_cim(windows_cim.rows(environment, windows_cim.MODULES)), windows_cim.MODULES)
        except NotReadable as reason:
            return Reading(unread={"memory.rated_bandwidth": str(reason)})
    if environment.system != "linux":
        return Reading()
    try:
        return parse(parse_udev(environment.text(UDEV_FILE)), "the firmware's table, as udev keeps it")
    except NotReadable:
        pass
    try:
        return parse(parse_table(environment.data(TABLE_FILE)), "the firmware's table (SMBIOS)")
    except NotReadable:
        return Reading(unread={"memory.rated_bandwidth": "the firmware's table of memory modules cannot be read here"})


def parse(modules: Iterable[Module], source: str) -> Reading:
    """Kind, speed, channels and what follows from them; no figure where the firmware gives no speed (as in a VM)."""
    found = [module for module in modules if module.size > 0][:MOST_MODULES]
    speeds = [module.speed_mts for module in found if 0 < module.speed_mts <= FASTEST_MTS]
    if not speeds:
        return Reading(unread={"memory.rated_bandwidth": f"{source} gives no speed of the memory modules"})
    widths = _channel_widths(found)
    speed = min(speeds)
    kinds = {module.kind for module in found if module.kind}
    modules_read = Modules(
        kind=kinds.pop() if len(kinds) == 1 else "",
        speed_mts=speed,
        channels=len(widths),
        rated_bandwidth=speed * 1e6 * sum(widths) / 8,
    )
    return Reading(modules=modules_read, sources={"memory.rated_bandwidth": source})


def parse_udev(database: str) -> list[Module]:
    """Modules from udev's properties, lines such as "E:MEMORY_DEVICE_0_CONFIGURED_SPEED_MTS=5600"."""
    slots: dict[int, dict[str, str]] = {}
    pattern = re.compile(r"^E:\s?MEMORY_DEVICE_(\d{1,3})_(\w+)=(.*)$", re.MULTILINE | re.ASCII)
    for number, name, value in pattern.findall(database):
        slots.setdefault(int(number), {})[name] = value.strip()
    return [
        Module(
            size=whole(slot.get("SIZE", "")),
            speed_mts=whole(slot.get("CONFIGURED_SPEED_MTS", "")) or whole(slot.get("SPEED_MTS", "")),
            width_bits=whole(slot.get("DATA_WIDTH", "")),
            kind=_kind(slot.get("TYPE", "")),
            locator=text(slot.get("LOCATOR", "")),
            bank=text(slot.get("BANK_LOCATOR", "")),
        )
        for slot in slots.values()
        if slot.get("PRESENT") != "0"
    ]


def parse_cim(rows: Iterable[Mapping[str, Any]]) -> list[Module]:
    """Modules from the instances of Win32_PhysicalMemory."""
    return [
        Module(
            size=whole(row.get("Capacity")),
            speed_mts=whole(row.get("ConfiguredClockSpeed")) or whole(row.get("Speed")),
            width_bits=whole(row.get("DataWidth")),
            kind=_KINDS.get(whole(row.get("SMBIOSMemoryType")), ""),
            locator=text(row.get("DeviceLocator")),
            bank=text(row.get("BankLabel")),
        )
        for row in rows
    ]


def parse_table(table: bytes) -> list[Module]:
    """Modules from the raw SMBIOS table (version 2.1 and later): its structures of type 17."""
    return [module for body, strings in _structures(table) if (module := _module(body, strings)) is not None]


def _structures(table: bytes) -> Iterator[tuple[bytes, list[str]]]:
    """Each structure's formatted part and its strings; what is cut off or malformed ends the walk."""
    place = 0
    while place + 4 <= len(table):
        length = table[place + 1]
        end = table.find(b"\0\0", place + length)
        if length < 4 or end < 0:
            return
        strings = table[place + length : end].split(b"\0")
        yield table[place : place + length], [string.decode("utf-8", "replace") for string in strings]
        place = end + 2


def _module(body: bytes, strings: list[str]) -> Module | None:
    if body[0] != 17 or len(body) < 0x17:
        return None
    width, size = struct.unpack_from("<HH", body, 0x0A)
    if size == 0x7FFF and len(body) >= 0x20:
        size_bytes = (struct.unpack_from("<I", body, 0x1C)[0] & 0x7FFFFFFF) << 20
    else:
        size_bytes = 0 if size == 0xFFFF else (size & 0x7FFF) << (10 if size & 0x8000 else 20)
    speed = struct.unpack_from("<H", body, 0x15)[0]
    configured = struct.unpack_from("<H", body, 0x20)[0] if len(body) >= 0x22 else 0
    return Module(
        size=size_bytes,
        speed_mts=configured or speed,
        width_bits=0 if width == 0xFFFF else width,
        kind=_KINDS.get(body[0x12], ""),
        locator=_string(strings, body[0x10]),
        bank=_string(strings, body[0x11]),
    )


def _string(strings: list[str], number: int) -> str:
    return text(strings[number - 1]) if 0 < number <= len(strings) else ""


def _kind(name: str) -> str:
    return name if name in _KINDS.values() else ""


def _channel_widths(modules: list[Module]) -> list[int]:
    """Bits of each channel; two modules in one channel are read in turns, so they count once."""
    channels: dict[str, int] = {}
    unnamed: list[int] = []
    for module in modules:
        width = module.width_bits if 8 <= module.width_bits <= 1024 else USUAL_WIDTH_BITS
        name = _channel_name(module.bank) or _channel_name(module.locator)
        if name:
            channels[name] = max(channels.get(name, 0), width)
        else:
            unnamed.append(width)
    return [*channels.values(), *(unnamed[: max(0, UNNAMED_CHANNELS - len(channels))])]


def _channel_name(locator: str) -> str:
    for pattern in _CHANNEL:
        match = pattern.match(locator)
        if match:
            return match.group(1).lower()
    return ""
