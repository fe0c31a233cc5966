"""Memory bandwidth of graphics devices by name: the last resort where no driver or measurement gives it.

Figures are the makers' published ones (product pages and data sheets: NVIDIA, AMD, Intel, Apple), in GB/s. A laptop
chip never takes a desktop card's figure. `memory_gb` tells variants of one name apart; 0 fits any.
"""

from __future__ import annotations

import re

_ROWS: tuple[tuple[str, int, float], ...] = (
    # NVIDIA desktop
    ("gtx 1050", 0, 112), ("gtx 1050 ti", 0, 112), ("gtx 1060", 0, 192), ("gtx 1070", 0, 256), ("gtx 1070 ti", 0, 256),
    ("gtx 1080", 0, 320), ("gtx 1080 ti", 0, 484), ("gtx 1650", 0, 128), ("gtx 1650 super", 0, 192),
    ("gtx 1660", 0, 192), ("gtx 1660 super", 0, 336), ("gtx 1660 ti", 0, 288), ("rtx 2060", 0, 336),
    ("rtx 2060 super", 0, 448), ("rtx 2070", 0, 448), ("rtx 2070 super", 0, 448), ("rtx 2080", 0, 448),
    ("rtx 2080 super", 0, 496), ("rtx 2080 ti", 0, 616), ("titan rtx", 0, 672), ("rtx 3050", 0, 224),
    ("rtx 3050", 6, 168), ("rtx 3060", 0, 360), ("rtx 3060", 8, 240), ("rtx 3060 ti", 0, 448), ("rtx 3070", 0, 448),
    ("rtx 3070 ti", 0, 608), ("rtx 3080", 0, 760), ("rtx 3080", 12, 912), ("rtx 3080 ti", 0, 912),
    ("rtx 3090", 0, 936), ("rtx 3090 ti", 0, 1008), ("rtx 4060", 0, 272), ("rtx 4060 ti", 0, 288),
    ("rtx 4070", 0, 504), ("rtx 4070 super", 0, 504), ("rtx 4070 ti", 0, 504), ("rtx 4070 ti super", 0, 672),
    ("rtx 4080", 0, 717), ("rtx 4080 super", 0, 736), ("rtx 4090", 0, 1008), ("rtx 5050", 0, 320),
    ("rtx 5060", 0, 448), ("rtx 5060 ti", 0, 448), ("rtx 5070", 0, 672), ("rtx 5070 ti", 0, 896), ("rtx 5080", 0, 960),
    ("rtx 5090", 0, 1792),
    # NVIDIA laptop
    ("rtx 3050 laptop", 0, 192), ("rtx 3060 laptop", 0, 336), ("rtx 3070 laptop", 0, 448),
    ("rtx 3080 laptop", 0, 448), ("rtx 4050 laptop", 0, 192), ("rtx 4060 laptop", 0, 256),
    ("rtx 4070 laptop", 0, 256), ("rtx 4080 laptop", 0, 432), ("rtx 4090 laptop", 0, 576),
    ("rtx 5060 laptop", 0, 384), ("rtx 5070 laptop", 0, 384), ("rtx 5070 ti laptop", 0, 672),
    ("rtx 5080 laptop", 0, 896), ("rtx 5090 laptop", 0, 896),
    # NVIDIA workstation and data centre
    ("tesla p40", 0, 347), ("tesla p100", 0, 732), ("tesla t4", 0, 320), ("t4", 0, 320), ("tesla v100", 0, 900),
    ("v100", 0, 900), ("rtx a2000", 0, 288), ("rtx a4000", 0, 448), ("rtx a5000", 0, 768), ("rtx a6000", 0, 768),
    ("rtx 2000 ada", 0, 224), ("rtx 4000 ada", 0, 360), ("rtx 5000 ada", 0, 576), ("rtx 6000 ada", 0, 960),
    ("rtx pro 6000", 0, 1792), ("l4", 0, 300), ("l40", 0, 864), ("l40s", 0, 864), ("a10", 0, 600), ("a40", 0, 696),
    ("a100", 0, 2039), ("a100", 40, 1555), ("h100", 0, 3350), ("h100 pcie", 0, 2039), ("h200", 0, 4800),
    ("b200", 0, 8000), ("gb10", 0, 273),
    # AMD
    ("rx 570", 0, 224), ("rx 580", 0, 256), ("rx 5600 xt", 0, 288), ("rx 5700 xt", 0, 448), ("rx vega 56", 0, 410),
    ("rx vega 64", 0, 484), ("vii", 0, 1024), ("rx 6600", 0, 224), ("rx 6600 xt", 0, 256), ("rx 6650 xt", 0, 280),
    ("rx 6700 xt", 0, 384), ("rx 6750 xt", 0, 432), ("rx 6800", 0, 512), ("rx 6800 xt", 0, 512), ("rx 6900 xt", 0, 512),
    ("rx 6950 xt", 0, 576), ("rx 7600", 0, 288), ("rx 7600 xt", 0, 288), ("rx 7700 xt", 0, 432),
    ("rx 7800 xt", 0, 624), ("rx 7900 gre", 0, 576), ("rx 7900 xt", 0, 800), ("rx 7900 xtx", 0, 960),
    ("rx 9060 xt", 0, 320), ("rx 9070", 0, 640), ("rx 9070 xt", 0, 640), ("pro w7900", 0, 864),
    ("instinct mi50", 0, 1024), ("instinct mi100", 0, 1229), ("instinct mi300x", 0, 5300),
    ("8060s", 0, 256), ("8050s", 0, 256),
    # Intel
    ("arc a310", 0, 124), ("arc a380", 0, 186), ("arc a580", 0, 512), ("arc a750", 0, 512), ("arc a770", 0, 560),
    ("arc b570", 0, 380), ("arc b580", 0, 456), ("arc pro b50", 0, 224), ("arc pro b60", 0, 456),
    # Apple (the larger variant of a name that has two is told apart by its memory only where Apple does so)
    ("apple m1", 0, 68), ("apple m1 pro", 0, 200), ("apple m1 max", 0, 400), ("apple m1 ultra", 0, 800),
    ("apple m2", 0, 100), ("apple m2 pro", 0, 200), ("apple m2 max", 0, 400), ("apple m2 ultra", 0, 800),
    ("apple m3", 0, 100), ("apple m3 pro", 0, 150), ("apple m3 max", 0, 300), ("apple m3 ultra", 0, 819),
    ("apple m4", 0, 120), ("apple m4 pro", 0, 273), ("apple m4 max", 0, 410), ("apple m5", 0, 153),
)  # fmt: skip

_NOISE = re.compile(r"\((r|tm|c)\)|®|™|\b(nvidia|geforce|amd|radeon|intel|graphics|gpu|quadro|sxm\d?|hbm\d?\w?|nvl)\b")
_MEMORY = re.compile(r"\b\d+ ?g(i?b)?\b")
_LAPTOP = re.compile(r"\b(laptop|mobile|notebook|max ?q)\b")


def bandwidth_by_name(name: str, memory_bytes: int = 0) -> float | None:
    """Bytes a second of the device with that name, or None where the table does not hold exactly that device."""
    words = _words(name)
    memory_gb = round(memory_bytes / 2**30)
    for candidate in (words, words.replace(" pcie", "")):
        figures = {gb: figure for row, gb, figure in _ROWS if row == candidate and gb in (0, memory_gb)}
        if figures:
            return 1e9 * figures[max(figures)]
    return None


def _words(name: str) -> str:
    """The device's name without maker, decoration and memory size; a laptop chip ends in "laptop"."""
    text = _NOISE.sub(" ", name.lower().replace("-", " "))
    laptop = _LAPTOP.search(text) is not None
    return " ".join(_MEMORY.sub(" ", _LAPTOP.sub(" ", text)).split()) + (" laptop" if laptop else "")
