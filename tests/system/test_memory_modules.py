"""Memory modules as the firmware describes them: speed, channels, and what follows."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from snug.system.memory_modules import Module, parse, parse_cim, parse_table, parse_udev

GIB = 2**30


def module(**more: Any) -> Module:
    figures = {"size": 16 * GIB, "speed_mts": 3200, "width_bits": 64, "kind": "DDR4", "locator": "DIMM 0", "bank": ""}
    return Module(**{**figures, **more})


def structure(kind: int, body: bytes, *strings: bytes) -> bytes:
    return bytes([kind, 4 + len(body)]) + b"\x00\x11" + body + (b"\0".join(strings) + b"\0\0" if strings else b"\0\0")


def device(size: int, extended: int, speed: int, configured: int, kind: int = 0x22) -> bytes:
    """A memory device (SMBIOS type 17) of version 2.8."""
    body = struct.pack("<HHHHHBBBBBHH4BBIHHHH", 0x10, 0xFFFE, 64, 64, size, 9, 0, 1, 2, kind, 0x80, speed, 3, 4, 5, 6,
                       1, extended, configured, 1100, 1100, 1100)  # fmt: skip
    return structure(17, body, b"Controller0-ChannelA-DIMM0", b"BANK 0", b"Samsung", b"S", b"A", b"M425R2GA3BB0")


def test_the_raw_table_is_read_structure_by_structure() -> None:
    table = (
        structure(0, b"\x01\x02\x00\xf0\x03", b"Vendor", b"1.0")
        + device(16384, 0, 5600, 5200)
        + device(0x7FFF, 49152, 5600, 5600)
        + device(0, 0, 0, 0, kind=2)
        + structure(127, b"")
    )
    found = parse_table(table)
    assert found[0] == Module(16 * GIB, 5200, 64, "DDR5", "Controller0-ChannelA-DIMM0", "BANK 0")
    assert found[1].size == 48 * GIB
    assert found[2].size == 0
    assert parse(found[:2], "x").modules is not None


@pytest.mark.parametrize("cut", range(0, 60, 7))
def test_a_table_that_is_cut_off_is_read_as_far_as_it_goes(cut: int) -> None:
    table = device(16384, 0, 5600, 5200)
    assert parse_table(table[:cut]) == []


@pytest.mark.parametrize(
    ("modules", "channels", "rated"),
    [
        ([module(bank="P0 CHANNEL A"), module(bank="P0 CHANNEL B")], 2, 51.2e9),
        ([module(bank="P0 CHANNEL A"), module(bank="P0 CHANNEL A", locator="DIMM 1")], 1, 25.6e9),
        ([module(locator=f"DIMM_{slot}") for slot in ("A1", "A2", "B1", "B2")], 2, 51.2e9),
        ([module(locator=f"Controller{number}-ChannelA-DIMM0", speed_mts=5600) for number in (0, 1)], 2, 89.6e9),
        ([module(locator=f"Controller{number}-DIMM0") for number in (0, 1)], 2, 51.2e9),
        ([module(locator=f"DIMM {number}", bank=f"BANK {number}") for number in range(4)], 2, 51.2e9),
        ([module()], 1, 25.6e9),
        ([module(width_bits=32, speed_mts=8000, bank=f"P0 CHANNEL {letter}") for letter in "ABCDEFGH"], 8, 256e9),
        ([module(width_bits=16, speed_mts=7500, locator=f"Controller{n // 4}-Channel{n % 4}") for n in range(8)], 8,
         120e9),
        ([module(locator=f"CPU{socket}_C{channel}D0", speed_mts=2933) for socket in (0, 1) for channel in range(6)], 12,
         281.568e9),
    ],
)  # fmt: skip
def test_modules_of_one_channel_count_once(modules: list[Module], channels: int, rated: float) -> None:
    found = parse(modules, "x").modules
    assert found is not None
    assert (found.channels, found.rated_bandwidth) == (channels, pytest.approx(rated))


def test_the_slowest_module_sets_the_speed() -> None:
    found = parse([module(bank="P0 CHANNEL A"), module(bank="P0 CHANNEL B", speed_mts=2666)], "x").modules
    assert found is not None
    assert found.speed_mts == 2666


def test_a_virtual_machines_modules_without_speed_say_nothing() -> None:
    reading = parse([module(speed_mts=0, kind="")], "the firmware's table")
    assert reading.modules is None
    assert "gives no speed" in reading.unread["memory.rated_bandwidth"]


def test_udev_keeps_empty_slots_apart() -> None:
    database = (
        "E:MEMORY_DEVICE_0_PRESENT=0\nE:MEMORY_DEVICE_0_SPEED_MTS=3000\nE:MEMORY_DEVICE_1_SIZE=17179869184\n"
        "E:MEMORY_DEVICE_1_CONFIGURED_SPEED_MTS=3000\nE:MEMORY_DEVICE_1_TYPE=DDR4\nE:MEMORY_DEVICE_1_DATA_WIDTH=64\n"
        "E:MEMORY_DEVICE_1_LOCATOR=DIMM 1\nE:MEMORY_DEVICE_1_BANK_LOCATOR=P0 CHANNEL A\n"
    )
    assert parse_udev(database) == [Module(16 * GIB, 3000, 64, "DDR4", "DIMM 1", "P0 CHANNEL A")]


def test_windows_tells_the_same_of_a_module() -> None:
    row = {"BankLabel": "P0 CHANNEL A", "DeviceLocator": "DIMM 0", "Capacity": 16 * GIB, "DataWidth": 64, "Speed": 5600,
           "ConfiguredClockSpeed": 5200, "SMBIOSMemoryType": 34}  # fmt: skip
    expected = Module(16 * GIB, 5200, 64, "DDR5", "DIMM 0", "P0 CHANNEL A")
    assert parse_cim([row, row]) == [expected, expected]
    assert parse_cim([]) == []
