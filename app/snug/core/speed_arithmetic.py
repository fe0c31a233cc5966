"""How much a graphics device can calculate, by name: the ground of how fast it reads prompts.

The figures are single-precision teraflops as the makers state them (cores x boost clock; AMD's RDNA 3 and 4 with
their dual issue). Tensor units make a card faster at the engine's 8-bit products than that figure says: the classes
below carry it, relative to NVIDIA's RTX 30 to 50 cards. Laptop chips differ with their power and are left out: they,
and whatever else is not in the table, count by their bandwidth.
"""

from __future__ import annotations

import re

from snug.core.gpu_bandwidths import known_device

_FAMILIES: tuple[tuple[str, float, tuple[tuple[str, float], ...]], ...] = (
    # a family, its class relative to the constant of its back-end, (device, teraflops)
    ("GTX 900 and 10, Pascal and Maxwell data-centre cards: 8-bit products, no tensor units", 0.5, (
        ("gtx 970", 3.9), ("gtx 980", 5.0), ("gtx 980 ti", 6.1), ("gtx 1050", 1.9), ("gtx 1050 ti", 2.1),
        ("gtx 1060", 4.4), ("gtx 1070", 6.5), ("gtx 1070 ti", 8.2), ("gtx 1080", 8.9), ("gtx 1080 ti", 11.3),
        ("tesla p4", 5.5), ("tesla p40", 11.8), ("tesla m40", 6.8), ("tesla p100", 9.5),
    )),
    ("GTX 16: Turing without tensor units", 0.6, (
        ("gtx 1630", 1.8), ("gtx 1650", 3.0), ("gtx 1650 super", 4.4), ("gtx 1660", 5.0), ("gtx 1660 super", 5.0),
        ("gtx 1660 ti", 5.4),
    )),
    ("RTX 20 and Volta: as many tensor units for half the single-precision ones", 1.5, (
        ("rtx 2060", 6.5), ("rtx 2060 super", 7.2), ("rtx 2070", 7.5), ("rtx 2070 super", 9.1), ("rtx 2080", 10.1),
        ("rtx 2080 super", 11.2), ("rtx 2080 ti", 13.4), ("titan rtx", 16.3), ("rtx 4000", 7.1), ("rtx 5000", 11.2),
        ("rtx 6000", 16.3), ("rtx 8000", 16.3), ("tesla v100", 15.7), ("v100", 15.7),
    )),
    ("T4: Turing held back by 70 watts", 0.9, (("tesla t4", 8.1), ("t4", 8.1))),
    ("RTX 30, 40 and 50, and the workstation cards of their generations", 1.0, (
        ("rtx 3050", 9.1), ("rtx 3060", 12.7), ("rtx 3060 ti", 16.2), ("rtx 3070", 20.3), ("rtx 3070 ti", 21.7),
        ("rtx 3080", 29.8), ("rtx 3080 ti", 34.1), ("rtx 3090", 35.6), ("rtx 3090 ti", 40.0), ("rtx 4060", 15.1),
        ("rtx 4060 ti", 22.1), ("rtx 4070", 29.1), ("rtx 4070 super", 35.5), ("rtx 4070 ti", 40.1),
        ("rtx 4070 ti super", 44.1), ("rtx 4080", 48.7), ("rtx 4080 super", 52.2), ("rtx 4090", 82.6),
        ("rtx 4090 d", 73.5), ("rtx 5050", 13.2), ("rtx 5060", 19.2), ("rtx 5060 ti", 23.7), ("rtx 5070", 30.9),
        ("rtx 5070 ti", 43.9), ("rtx 5080", 56.3), ("rtx 5090", 104.8), ("rtx 5090 d", 104.8), ("rtx a2000", 8.0),
        ("rtx a4000", 19.2), ("rtx a4500", 23.7), ("rtx a5000", 27.8), ("rtx a5500", 34.1), ("rtx a6000", 38.7),
        ("rtx 2000 ada", 12.0), ("rtx 4000 ada", 26.7), ("rtx 4500 ada", 39.6), ("rtx 5000 ada", 65.3),
        ("rtx 5880 ada", 69.3), ("rtx 6000 ada", 91.1), ("rtx pro 6000", 125.0), ("gb10", 31.0), ("l4", 30.3),
        ("l40", 90.5), ("l40s", 91.6), ("a2", 4.5), ("a10", 31.2), ("a10g", 31.5), ("a40", 37.4),
    )),
    ("A100, A30 and the H and B data-centre cards: larger tensor units", 1.7, (
        ("a100", 19.5), ("a100 pcie", 19.5), ("a30", 10.3), ("h100", 67.0), ("h100 pcie", 51.0), ("h20", 44.0),
        ("h200", 67.0), ("b200", 75.0),
    )),
    ("Radeon RX 400 to 6000 and Radeon VII: no dual issue in the figure", 1.3, (
        ("rx 470", 4.9), ("rx 480", 5.8), ("rx 570", 5.1), ("rx 580", 6.2), ("rx 590", 7.1), ("rx vega 56", 10.5),
        ("rx vega 64", 12.7), ("vii", 13.4), ("rx 5500 xt", 5.2), ("rx 5600 xt", 7.2), ("rx 5700", 8.0),
        ("rx 5700 xt", 9.8), ("rx 6400", 3.6), ("rx 6500 xt", 5.8), ("rx 6600", 8.9), ("rx 6600 xt", 10.6),
        ("rx 6650 xt", 10.8), ("rx 6700", 11.3), ("rx 6700 xt", 13.2), ("rx 6750 xt", 13.3), ("rx 6800", 16.2),
        ("rx 6800 xt", 20.7), ("rx 6900 xt", 23.0), ("rx 6950 xt", 23.7), ("pro w6600", 10.4), ("pro w6800", 17.8),
        ("instinct mi25", 12.3), ("instinct mi50", 13.4), ("instinct mi60", 14.7),
    )),
    ("Radeon RX 7000 and 9000, Ryzen AI Max, Arc", 1.0, (
        ("rx 7600", 21.8), ("rx 7600 xt", 22.6), ("rx 7700 xt", 35.2), ("rx 7800 xt", 37.3), ("rx 7900 gre", 46.0),
        ("rx 7900 xt", 51.6), ("rx 7900 xtx", 61.4), ("rx 9060 xt", 25.6), ("rx 9070", 36.1), ("rx 9070 xt", 48.7),
        ("pro w7800", 45.2), ("pro w7900", 61.3), ("ai pro r9700", 47.8), ("8060s", 29.7), ("8050s", 23.8),
        ("arc a310", 3.1), ("arc a380", 4.2), ("arc a580", 12.3), ("arc a750", 17.2), ("arc a770", 19.7),
        ("arc b570", 11.5), ("arc b580", 13.7),
    )),
    ("AMD Instinct with matrix units", 2.0, (
        ("instinct mi100", 23.1), ("instinct mi210", 22.6), ("instinct mi300x", 163.4), ("instinct mi325x", 163.4),
    )),
    ("Apple M1 to M4, with all graphics cores", 1.0, (
        ("apple m1", 2.6), ("apple m1 pro", 5.3), ("apple m1 max", 10.6), ("apple m1 ultra", 21.2), ("apple m2", 3.6),
        ("apple m2 pro", 6.8), ("apple m2 max", 13.5), ("apple m2 ultra", 27.2), ("apple m3", 4.1),
        ("apple m3 pro", 7.4), ("apple m3 max", 16.3), ("apple m3 ultra", 32.5), ("apple m4", 4.3),
        ("apple m4 pro", 9.2), ("apple m4 max", 18.4),
    )),
    ("Apple M5: matrix units in each graphics core", 3.0, (("apple m5", 4.6),)),
)  # fmt: skip

_TERAFLOPS = {name: factor * figure for _, factor, rows in _FAMILIES for name, figure in rows}
_BY_BANDWIDTH = (
    (r"apple m5", 90.0), (r"apple", 30.0), (r"rtx 40|\bada\b", 75.0), (r"rtx 50|rtx pro", 60.0),
    (r"radeon|\brx \d|\barc\b|intel", 60.0), (r"rtx 20", 40.0), (r"gtx", 16.0),
)  # fmt: skip
_USUAL = 38.0


def relative_arithmetic(name: str, memory_bytes: int, bandwidth: float) -> float:
    """What the device's arithmetic is worth in the prompt, in flop/s of an RTX 30 to 50 card, or of its back-end's
    usual device.

    A device that is not in the table gets the usual flops for a byte of bandwidth of its generation.
    """
    row = known_device(name, memory_bytes)
    if row is not None and row.name in _TERAFLOPS:
        return 1e12 * _TERAFLOPS[row.name]
    return bandwidth * next((ratio for pattern, ratio in _BY_BANDWIDTH if re.search(pattern, name.lower())), _USUAL)
