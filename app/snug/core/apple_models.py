"""Apple's computers by model identifier: the chip in each and how fast its memory is read.

Chips with two memory widths (M3 Max, M4 Max, M5 Max) are told apart by the identifier where it differs, else by the
number of graphics cores. Identifiers: Apple's support pages "Identify your … model"
(https://support.apple.com/en-us/108052, 102869, 102852, 108054, 102231); bandwidth: the technical specifications of
each computer (https://support.apple.com/specs).
"""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = "Apple, technical specifications (https://support.apple.com/specs)"

# (chip, fewest graphics cores, GB/s, identifiers)
_ROWS: tuple[tuple[str, int, float, str], ...] = (
    ("Apple M1", 0, 68, "MacBookAir10,1 MacBookPro17,1 Macmini9,1 iMac21,1 iMac21,2"),
    ("Apple M1 Pro", 0, 200, "MacBookPro18,1 MacBookPro18,3"),
    ("Apple M1 Max", 0, 400, "MacBookPro18,2 MacBookPro18,4 Mac13,1"),
    ("Apple M1 Ultra", 0, 800, "Mac13,2"),
    ("Apple M2", 0, 100, "Mac14,2 Mac14,15 Mac14,7 Mac14,3"),
    ("Apple M2 Pro", 0, 200, "Mac14,9 Mac14,10 Mac14,12"),
    ("Apple M2 Max", 0, 400, "Mac14,5 Mac14,6 Mac14,13"),
    ("Apple M2 Ultra", 0, 800, "Mac14,14 Mac14,8"),
    ("Apple M3", 0, 100, "Mac15,3 Mac15,4 Mac15,5 Mac15,12 Mac15,13"),
    ("Apple M3 Pro", 0, 150, "Mac15,6 Mac15,7"),
    ("Apple M3 Max", 0, 300, "Mac15,10 Mac15,11"),
    ("Apple M3 Max", 0, 400, "Mac15,8 Mac15,9"),
    ("Apple M3 Ultra", 0, 819, "Mac15,14"),
    ("Apple M4", 0, 120, "Mac16,1 Mac16,2 Mac16,3 Mac16,10 Mac16,12 Mac16,13"),
    ("Apple M4 Pro", 0, 273, "Mac16,7 Mac16,8 Mac16,11"),
    ("Apple M4 Max", 0, 410, "Mac16,5 Mac16,6 Mac16,9"),
    ("Apple M4 Max", 40, 546, "Mac16,5 Mac16,6 Mac16,9"),
    ("Apple M5", 0, 153, "Mac17,2 Mac17,3 Mac17,4"),
    ("Apple M5 Pro", 0, 307, "Mac17,8 Mac17,9"),
    ("Apple M5 Max", 0, 460, "Mac17,6 Mac17,7"),
    ("Apple M5 Max", 40, 614, "Mac17,6 Mac17,7"),
    ("Apple A18 Pro", 0, 60, "Mac17,5"),
)


@dataclass(frozen=True, slots=True)
class AppleModel:
    """One computer: `least_graphics_cores` above 0 marks the faster variant of a chip that comes in two."""

    identifier: str
    chip: str
    least_graphics_cores: int
    bandwidth_bytes_per_s: float


APPLE_MODELS: tuple[AppleModel, ...] = tuple(
    AppleModel(identifier, chip, cores, 1e9 * figure)
    for chip, cores, figure, identifiers in _ROWS
    for identifier in identifiers.split()
)


def apple_model(identifier: str, chip: str, graphics_cores: int) -> AppleModel | None:
    """The row of that computer; None for one that the table does not hold, or whose chip is another."""
    fitting = [
        row
        for row in APPLE_MODELS
        if row.identifier == identifier and row.chip == chip and graphics_cores >= row.least_graphics_cores
    ]
    return max(fitting, key=lambda row: row.least_graphics_cores, default=None)
