"""Writes the scale of each ranking benchmark into resources/catalogue/evidence.json.

    python3 packaging/scale_evidence.py

A scale is the line through what the catalogue's models usually score: the logit of the score against the level that
their size and age let expect (`core/quality.py`), by Theil and Sen's robust slope (median of all pairwise slopes), so
that a few models trained on the test do not bend it. A measure needs a weight and at least 8 models.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import mean, median
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "app"))

from snug.core.catalogue import CatalogueEntry, load_catalogue  # noqa: E402 (path first)
from snug.core.evidence import logit  # noqa: E402
from snug.core.quality import expected_level  # noqa: E402

EVIDENCE = ROOT / "resources" / "catalogue" / "evidence.json"
LEAST_MODELS = 8


def scales(document: dict[str, Any], catalogue: tuple[CatalogueEntry, ...]) -> dict[str, tuple[float, float]]:
    """For each measure with a weight: logit at level 0, and slope."""
    levels = {entry.key: expected_level(entry) for entry in catalogue}
    found = {}
    for key, measure in document["measures"].items():
        scores: dict[str, list[float]] = {}
        for figure in document["figures"]:
            if figure["measure"] == key and figure["model"] in levels:
                scores.setdefault(figure["model"], []).append(logit(figure["score"]))
        points = [(levels[model], mean(values)) for model, values in scores.items()]
        if measure["weight"] and len(points) >= LEAST_MODELS:
            found[key] = robust_line(points)
    return found


def robust_line(points: list[tuple[float, float]]) -> tuple[float, float]:
    """The intercept and the slope of the line through (x, y) by Theil and Sen."""
    slope = median(
        (y2 - y1) / (x2 - x1)
        for index, (x1, y1) in enumerate(points)
        for x2, y2 in points[index + 1 :]
        if abs(x2 - x1) > 0.1
    )
    return round(median(y - slope * x for x, y in points), 4), round(slope, 4)


def main() -> None:
    text = EVIDENCE.read_text("utf-8")
    document = json.loads(text)
    found = scales(document, load_catalogue(EVIDENCE.with_name("models.json")))
    for key, measure in document["measures"].items():
        measure.pop("scale", None)
        if key in found:
            measure["scale"] = list(found[key])
    head = {name: document[name] for name in ("about", "sources", "measures")}
    rows = ",\n".join("  " + json.dumps(figure, ensure_ascii=False) for figure in document["figures"])
    written = json.dumps(head, indent=1, ensure_ascii=False).removesuffix("\n}")
    EVIDENCE.write_text(f'{written},\n "figures": [\n{rows}\n ]\n}}\n', "utf-8")


if __name__ == "__main__":
    main()
