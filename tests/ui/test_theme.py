"""The colours: what LOOK.md names, and words that can be read on what they stand on."""

from __future__ import annotations

import re

import pytest

from snug.paths import resources_folder

SURFACES = ("window", "surface", "raised", "control", "hover", "accentSoft")
PAIRS = (
    *(("text", surface) for surface in SURFACES),
    *(("quiet", surface) for surface in SURFACES),
    *(("accent", surface) for surface in ("window", "surface", "accentSoft")),
    ("inkOnAccent", "accent"),
    ("inkOnAccent", "accentHover"),
    ("goodText", "goodSoft"),
    ("tightText", "tightSoft"),
    ("badText", "badSoft"),
    *((state, surface) for state in ("goodText", "tightText", "badText") for surface in ("window", "surface")),
    ("window", "text"),
)
ROLES = {
    "window": ("#F7F5F2", "#171615"),
    "surface": ("#FFFFFF", "#211F1D"),
    "raised": ("#FBFAF8", "#2A2825"),
    "line": ("#E4DFD8", "#36332F"),
    "text": ("#1F1D1A", "#EDE9E3"),
    "quiet": ("#6B655C", "#A39C92"),
    "accent": ("#2F6F5E", "#6FC3AC"),
    "inkOnAccent": ("#FFFFFF", "#10201B"),
    "good": ("#2E7D4F", "#7BD49C"),
    "tight": ("#9A6700", "#E6B450"),
    "bad": ("#B3372B", "#F08A7E"),
    "focus": ("#1F6FEB", "#79B0FF"),
}


@pytest.fixture(scope="module")
def colours() -> dict[str, tuple[str, str]]:
    """Every colour of the theme: (light, dark)."""
    source = (resources_folder() / "qml" / "Snug" / "Style" / "Theme.qml").read_text()
    found = re.findall(r'property color (\w+): dark \? "(#\w{6})" : "(#\w{6})"', source)
    return {name: (light, dark) for name, dark, light in found}


@pytest.mark.parametrize(("name", "light_and_dark"), ROLES.items())
def test_a_role_has_the_colours_of_the_look(colours, name, light_and_dark):
    assert colours[name] == light_and_dark


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_words_can_be_read_on_their_ground(colours, ink, ground, mode):
    assert contrast(colours[ink][mode], colours[ground][mode]) >= 4.5


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["window", "surface", "accentSoft"])
def test_the_focus_ring_is_seen_on_every_ground(colours, ground, mode):
    assert contrast(colours["focus"][mode], colours[ground][mode]) >= 3


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
