"""Memory bandwidth of graphics devices by product: the last resort where no driver or measurement gives it.

A row is one exact device: (name, memory in GB or 0 for any, GB/s), as its maker states it; the family above it names
the page. The device's PCI numbers (`gpu_pci_ids`) find its row; where they are unknown, its exact name does. A
laptop chip never takes a desktop card's figure. Of an Apple chip with two variants the memory size tells which it is;
without a size the slower one counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from snug.core.gpu_pci_ids import TABLE_ROWS

_FAMILIES: tuple[tuple[str, tuple[tuple[str, int, float], ...]], ...] = (
    ("NVIDIA, product specifications (https://www.nvidia.com/en-us/geforce/products/10series/)", (
        ("gtx 970", 0, 224), ("gtx 980", 0, 224), ("gtx 980 ti", 0, 336), ("gtx 1050", 0, 112),
        ("gtx 1050 ti", 0, 112), ("gtx 1060", 0, 192), ("gtx 1070", 0, 256), ("gtx 1070 ti", 0, 256),
        ("gtx 1080", 0, 320), ("gtx 1080 ti", 0, 484), ("gtx 1630", 0, 96), ("gtx 1650", 0, 128),
        ("gtx 1650 super", 0, 192), ("gtx 1660", 0, 192), ("gtx 1660 super", 0, 336), ("gtx 1660 ti", 0, 288),
    )),
    ("NVIDIA, product specifications (https://www.nvidia.com/en-us/geforce/20-series/)", (
        ("rtx 2060", 0, 336), ("rtx 2060 super", 0, 448), ("rtx 2070", 0, 448), ("rtx 2070 super", 0, 448),
        ("rtx 2080", 0, 448), ("rtx 2080 super", 0, 496), ("rtx 2080 ti", 0, 616), ("titan rtx", 0, 672),
    )),
    ("NVIDIA, bus width and memory speed (https://www.nvidia.com/en-us/geforce/graphics-cards/30-series/)", (
        ("rtx 3050", 0, 224), ("rtx 3050", 6, 168), ("rtx 3060", 0, 360), ("rtx 3060", 8, 240),
        ("rtx 3060 ti", 0, 448), ("rtx 3070", 0, 448), ("rtx 3070 ti", 0, 608), ("rtx 3080", 0, 760),
        ("rtx 3080", 12, 912), ("rtx 3080 ti", 0, 912), ("rtx 3090", 0, 936), ("rtx 3090 ti", 0, 1008),
    )),
    ("NVIDIA, bus width and memory speed (https://www.nvidia.com/en-us/geforce/graphics-cards/40-series/)", (
        ("rtx 4060", 0, 272), ("rtx 4060 ti", 0, 288), ("rtx 4070", 0, 504), ("rtx 4070 super", 0, 504),
        ("rtx 4070 ti", 0, 504), ("rtx 4070 ti super", 0, 672), ("rtx 4080", 0, 717), ("rtx 4080 super", 0, 736),
        ("rtx 4090", 0, 1008), ("rtx 4090 d", 0, 1008),
    )),
    ("NVIDIA, bus width and memory speed (https://www.nvidia.com/en-us/geforce/graphics-cards/50-series/)", (
        ("rtx 5050", 0, 320), ("rtx 5060", 0, 448), ("rtx 5060 ti", 0, 448), ("rtx 5070", 0, 672),
        ("rtx 5070 ti", 0, 896), ("rtx 5080", 0, 960), ("rtx 5090", 0, 1792), ("rtx 5090 d", 0, 1792),
    )),
    ("NVIDIA, bus width and memory speed (https://www.nvidia.com/en-us/geforce/laptops/compare/)", (
        ("rtx 3050 laptop", 0, 192), ("rtx 3050 laptop", 6, 168), ("rtx 3050 ti laptop", 0, 192),
        ("rtx 3060 laptop", 0, 336),
        ("rtx 3070 laptop", 0, 448), ("rtx 3070 ti laptop", 0, 448), ("rtx 3080 laptop", 0, 448),
        ("rtx 3080 ti laptop", 0, 512), ("rtx 4050 laptop", 0, 192), ("rtx 4060 laptop", 0, 256),
        ("rtx 4070 laptop", 0, 256), ("rtx 4080 laptop", 0, 432), ("rtx 4090 laptop", 0, 576),
        ("rtx 5050 laptop", 0, 384), ("rtx 5060 laptop", 0, 384), ("rtx 5070 laptop", 0, 384),
        ("rtx 5070 ti laptop", 0, 672), ("rtx 5080 laptop", 0, 896), ("rtx 5090 laptop", 0, 896),
    )),
    ("NVIDIA, data sheets (https://www.nvidia.com/en-us/design-visualization/)", (
        ("rtx 4000", 0, 416), ("rtx 5000", 0, 448), ("rtx 6000", 0, 672), ("rtx 8000", 0, 672), ("rtx a2000", 0, 288),
        ("rtx a4000", 0, 448), ("rtx a4500", 0, 640), ("rtx a5000", 0, 768), ("rtx a5500", 0, 768),
        ("rtx a6000", 0, 768), ("rtx 2000 ada", 0, 224), ("rtx 4000 ada", 0, 360), ("rtx 4500 ada", 0, 432),
        ("rtx 5000 ada", 0, 576), ("rtx 5880 ada", 0, 960), ("rtx 6000 ada", 0, 960), ("rtx pro 4000", 0, 672),
        ("rtx pro 4500", 0, 896), ("rtx pro 5000", 0, 1344), ("rtx pro 6000", 0, 1792), ("gb10", 0, 273),
    )),
    ("NVIDIA, data sheets (https://www.nvidia.com/en-us/data-center/data-center-gpus/)", (
        ("tesla k80", 0, 240), ("tesla m40", 0, 288), ("tesla p4", 0, 192), ("tesla p40", 0, 347),
        ("tesla p100", 0, 732), ("tesla p100", 12, 549), ("tesla t4", 0, 320), ("t4", 0, 320), ("tesla v100", 0, 900),
        ("v100", 0, 900), ("l4", 0, 300), ("l40", 0, 864), ("l40s", 0, 864), ("a2", 0, 200), ("a10", 0, 600),
        ("a10g", 0, 600), ("a30", 0, 933), ("a40", 0, 696), ("a100", 0, 2039), ("a100", 40, 1555),
        ("a100 pcie", 80, 1935), ("a100 pcie", 40, 1555), ("h100", 0, 3350), ("h100", 94, 3938), ("h100 pcie", 0, 2039),
        ("h20", 0, 4000), ("h200", 0, 4800), ("b200", 0, 8000),
    )),
    ("AMD, product specifications (https://www.amd.com/en/products/specifications/graphics.html)", (
        ("rx 470", 0, 211), ("rx 480", 0, 256), ("rx 570", 0, 224), ("rx 580", 0, 256), ("rx 590", 0, 256),
        ("rx vega 56", 0, 410), ("rx vega 64", 0, 484), ("vii", 0, 1024),
    )),
    ("AMD, product specifications (https://www.amd.com/en/products/specifications/graphics.html)", (
        ("rx 5500 xt", 0, 224), ("rx 5600 xt", 0, 288), ("rx 5700", 0, 448), ("rx 5700 xt", 0, 448),
        ("rx 6400", 0, 128), ("rx 6500 xt", 0, 144), ("rx 6600", 0, 224), ("rx 6600 xt", 0, 256),
        ("rx 6650 xt", 0, 280), ("rx 6700", 0, 320), ("rx 6700 xt", 0, 384), ("rx 6750 xt", 0, 432),
        ("rx 6800", 0, 512), ("rx 6800 xt", 0, 512), ("rx 6900 xt", 0, 512), ("rx 6950 xt", 0, 576),
    )),
    ("AMD, product specifications (https://www.amd.com/en/products/specifications/graphics.html)", (
        ("rx 7600", 0, 288), ("rx 7600 xt", 0, 288), ("rx 7700 xt", 0, 432), ("rx 7800 xt", 0, 624),
        ("rx 7900 gre", 0, 576), ("rx 7900 xt", 0, 800), ("rx 7900 xtx", 0, 960), ("rx 7600m xt", 0, 288),
        ("rx 7700s", 0, 288), ("rx 7900m", 0, 576), ("rx 9060 xt", 0, 320), ("rx 9070 gre", 0, 432),
        ("rx 9070", 0, 640), ("rx 9070 xt", 0, 640),
    )),
    ("AMD, data sheets (https://www.amd.com/en/products/specifications/professional-graphics.html)", (
        ("pro w6600", 0, 224), ("pro w6800", 0, 512), ("pro w7500", 0, 172), ("pro w7600", 0, 288),
        ("pro w7700", 0, 576), ("pro w7800", 0, 576), ("pro w7800", 48, 864), ("pro w7900", 0, 864),
        ("ai pro r9700", 0, 640), ("instinct mi25", 0, 484), ("instinct mi50", 0, 1024), ("instinct mi60", 0, 1024),
        ("instinct mi100", 0, 1229), ("instinct mi210", 0, 1638), ("instinct mi300x", 0, 5300),
        ("instinct mi325x", 0, 6000), ("8060s", 0, 256), ("8050s", 0, 256),
    )),
    ("Intel, product specifications (https://www.intel.com/content/www/us/en/ark.html, Arc A and B series)", (
        ("arc a310", 0, 124), ("arc a380", 0, 186), ("arc a580", 0, 512), ("arc a750", 0, 512), ("arc a770", 0, 560),
        ("arc a770", 8, 512), ("arc a770m", 0, 512), ("arc a730m", 0, 336), ("arc a550m", 0, 224),
        ("arc a370m", 0, 112), ("arc b570", 0, 380), ("arc b580", 0, 456), ("arc pro b50", 0, 224),
        ("arc pro b60", 0, 456),
    )),
    ("Apple, technical specifications of the Macs with that chip (https://support.apple.com/specs)", (
        ("apple m1", 0, 68), ("apple m1 pro", 0, 200), ("apple m1 max", 0, 400), ("apple m1 ultra", 0, 800),
        ("apple m2", 0, 100), ("apple m2 pro", 0, 200), ("apple m2 max", 0, 400), ("apple m2 ultra", 0, 800),
        ("apple m3", 0, 100), ("apple m3 pro", 0, 150), ("apple m3 max", 0, 300), ("apple m3 max", 48, 400),
        ("apple m3 max", 64, 400), ("apple m3 max", 128, 400), ("apple m3 ultra", 0, 819), ("apple m4", 0, 120),
        ("apple m4 pro", 0, 273), ("apple m4 max", 0, 410), ("apple m4 max", 48, 546), ("apple m4 max", 64, 546),
        ("apple m4 max", 128, 546), ("apple m5", 0, 153), ("apple m5 pro", 0, 307), ("apple m5 max", 0, 460),
        ("apple m5 max", 48, 614), ("apple m5 max", 64, 614), ("apple m5 max", 128, 614),
    )),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class KnownDevice:
    """One exact device: `memory_gb` 0 stands for any size; `source` says who states the bandwidth, and where."""

    name: str
    memory_gb: int
    bandwidth_bytes_per_s: float
    source: str


KNOWN_DEVICES: tuple[KnownDevice, ...] = tuple(
    KnownDevice(name, memory_gb, 1e9 * figure, source) for source, rows in _FAMILIES for name, memory_gb, figure in rows
)

SIZE_TOLERANCE = 0.08
"""Drivers hold some memory back, and people write 64,000,000,000 for 64 GB."""
_NOISE = re.compile(
    r"\((r|tm|c)\)|®|™|\b(nvidia|geforce|amd|radeon|intel|graphics|gpu|quadro|sxm\d?|hbm\d?\w?|nvl|generation|"
    r"blackwell|workstation edition|server edition)\b"
)
_MEMORY = re.compile(r"\b\d+ ?g(i?b)?\b")
_LAPTOP = re.compile(r"\b(laptop|mobile|notebook|max ?q)\b")
_TWICE = re.compile(r"\b(m\d) \1\b")


@lru_cache(maxsize=256)
def known_device(name: str, memory_bytes: int = 0) -> KnownDevice | None:
    """The row of the device with that name, or None where the table does not hold exactly that device."""
    words = _words(name)
    gigabytes = memory_bytes / 2**30
    for candidate in (words, words.replace(" pcie", "")):
        fitting = [
            row for row in KNOWN_DEVICES
            if row.name == candidate and (not row.memory_gb or abs(gigabytes / row.memory_gb - 1) <= SIZE_TOLERANCE)
        ]  # fmt: skip
        if fitting:
            return max(fitting, key=lambda row: row.memory_gb)
    return None


def device_by_pci_id(device_id: str) -> KnownDevice | None:
    """The row of the product with those PCI numbers ("10de:2504", "1002:744c:c8"), None where the table lacks it."""
    key = TABLE_ROWS.get(device_id)
    return None if key is None else next(row for row in KNOWN_DEVICES if (row.name, row.memory_gb) == key)


def bandwidth_by_name(name: str, memory_bytes: int = 0) -> float | None:
    """Bytes a second of the device with that name, or None where the table does not hold exactly that device."""
    row = known_device(name, memory_bytes)
    return None if row is None else row.bandwidth_bytes_per_s


def _words(name: str) -> str:
    """The device's name without maker, decoration and memory size; a laptop chip ends in "laptop"."""
    text = _NOISE.sub(" ", name.lower().replace("-", " "))
    laptop = _LAPTOP.search(text) is not None
    plain = " ".join(_MEMORY.sub(" ", _LAPTOP.sub(" ", text)).split()) + (" laptop" if laptop else "")
    return _TWICE.sub(r"\1", plain)
