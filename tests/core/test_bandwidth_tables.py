"""How fast a device's memory is read, by its exact product: each row with its source, laptop parts apart."""

from __future__ import annotations

import re

import pytest

from snug.core.apple_models import APPLE_MODELS, SOURCE, apple_model
from snug.core.gpu_bandwidths import KNOWN_DEVICES, device_by_pci_id, known_device
from snug.core.gpu_pci_ids import TABLE_ROWS

GIB = 2**30


def test_every_row_names_its_maker_and_the_page_that_states_it() -> None:
    for row in KNOWN_DEVICES:
        assert re.fullmatch(r"(NVIDIA|AMD|Intel|Apple), .*\(https://[^ ]+.*\)", row.source), row
        assert 50e9 <= row.bandwidth_bytes_per_s <= 10e12, row
    assert "https://" in SOURCE


def test_every_pci_number_leads_to_a_row() -> None:
    assert len(TABLE_ROWS) > 250
    for device, (name, memory_gb) in TABLE_ROWS.items():
        assert re.fullmatch(r"(10de|8086):[0-9a-f]{4}|1002:[0-9a-f]{4}:[0-9a-f]{2}", device)
        row = device_by_pci_id(device)
        assert row is not None
        assert (row.name, row.memory_gb) == (name, memory_gb)


@pytest.mark.parametrize(
    ("device", "name", "gigabytes_per_s"),
    [
        ("10de:2504", "NVIDIA GeForce RTX 3060", 360),
        ("10de:28e0", "NVIDIA GeForce RTX 4060 Laptop GPU", 256),
        ("10de:2882", "NVIDIA GeForce RTX 4060", 272),
        ("10de:2335", "NVIDIA H200", 4800),
        ("10de:1c82", "NVIDIA GeForce GTX 1050 Ti", 112),
        ("1002:744c:c8", "AMD Radeon RX 7900 XTX", 960),
        ("1002:744c:cc", "AMD Radeon RX 7900 XT", 800),
        ("1002:744c:cf", "AMD Radeon RX 7900M", 576),
        ("8086:e20b", "Intel Arc B580", 456),
    ],
)
def test_the_number_and_the_name_of_a_product_agree(device: str, name: str, gigabytes_per_s: int) -> None:
    row = device_by_pci_id(device)
    assert row is not None
    assert row.bandwidth_bytes_per_s == gigabytes_per_s * 1e9
    assert known_device(name) == row


def test_one_amd_number_stands_for_several_products_and_only_the_revision_tells_them() -> None:
    assert device_by_pci_id("1002:744c") is None
    assert device_by_pci_id("1002:744c:77") is None


def test_laptop_parts_never_share_a_row_with_desktop_cards() -> None:
    for series in ("3060", "3070", "3080 Ti", "4060", "4070", "4080", "4090", "5060", "5070", "5080", "5090"):
        laptop, desktop = known_device(f"NVIDIA GeForce RTX {series} Laptop GPU"), known_device(f"GeForce RTX {series}")
        assert laptop is not None
        assert desktop is not None
        assert laptop.name.endswith(" laptop")
        assert laptop.bandwidth_bytes_per_s <= desktop.bandwidth_bytes_per_s


def test_a_product_that_is_not_in_the_table_has_no_figure() -> None:
    assert device_by_pci_id("10de:ffff") is None
    assert device_by_pci_id("") is None
    assert known_device("NVIDIA GeForce RTX 9999") is None


CHIPS = [
    f"Apple {generation}{variant}" for generation in ("M1", "M2", "M3", "M4", "M5") for variant in ("", " Pro", " Max")
]


@pytest.mark.parametrize("chip", [*CHIPS, "Apple M1 Ultra", "Apple M2 Ultra", "Apple M3 Ultra"])
def test_every_apple_chip_is_known_by_model_identifier_and_agrees_with_its_name(chip: str) -> None:
    rows = [row for row in APPLE_MODELS if row.chip == chip]
    by_name = {row.bandwidth_bytes_per_s for row in KNOWN_DEVICES if row.name == chip.lower()}
    assert rows
    assert {row.bandwidth_bytes_per_s for row in rows} == by_name


@pytest.mark.parametrize(
    ("model", "chip", "cores", "gigabytes_per_s"),
    [
        ("Mac15,11", "Apple M3 Max", 30, 300),
        ("Mac15,9", "Apple M3 Max", 40, 400),
        ("Mac16,5", "Apple M4 Max", 32, 410),
        ("Mac16,5", "Apple M4 Max", 40, 546),
        ("Mac16,5", "Apple M4 Max", 0, 410),
        ("Mac17,6", "Apple M5 Max", 40, 614),
        ("MacBookAir10,1", "Apple M1", 7, 68),
    ],
)
def test_a_chip_in_two_widths_is_told_by_the_model_or_the_graphics_cores(
    model: str, chip: str, cores: int, gigabytes_per_s: int
) -> None:
    row = apple_model(model, chip, cores)
    assert row is not None
    assert row.bandwidth_bytes_per_s == gigabytes_per_s * 1e9


def test_an_unknown_mac_or_a_chip_that_it_never_had_gives_no_figure() -> None:
    assert apple_model("Mac99,1", "Apple M9", 10) is None
    assert apple_model("Mac16,5", "Apple M5 Max", 40) is None
    assert apple_model("VirtualMac2,1", "Apple M4", 10) is None
