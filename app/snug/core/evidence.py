"""Public figures of a model's quality: each with its source, its date, and the uses that it speaks for.

Benchmarks are put on one scale by what models of the catalogue usually reach: a figure says "answers like a usual model
of so much effective size" (see `packaging/scale_evidence.py`). Only measures that one publisher took of many models in
one way have a scale, and for pictures, where there are none, those that makers state of most models that see. The other
figures are shown and rank nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snug.core.errors import UserError

_LIMIT_BYTES = 4 * 1024 * 1024
_LEAST_SHARE, _MOST_SHARE = 0.01, 0.99
"""Beyond these a score says "all" or "nothing", not how much."""


@dataclass(frozen=True, slots=True)
class Source:
    """Who says so, where, and when ("2026-08-08"). `url` is a page to read, never fetched by Snug."""

    name: str
    url: str
    date: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One benchmark. `uses` are those that it speaks for; `weight` 0 means that it ranks nothing.

    A model of level x (log2 of effective size in billions) usually scores `at_zero` + `slope` x, as a logit.
    """

    key: str
    name: str
    about: str
    unit: str
    uses: tuple[str, ...]
    weight: float = 0.0
    at_zero: float = 0.0
    slope: float = 0.0

    def level(self, score: float) -> float | None:
        """The level of a model that usually scores so; None where the measure has no scale."""
        return (logit(score) - self.at_zero) / self.slope if self.slope > 0 else None


@dataclass(frozen=True, slots=True)
class Figure:
    """One published score of one model. `mode` says how it was run ("with thinking"), "" where there is one way."""

    measure: Measure
    score: float
    mode: str
    source: Source

    @property
    def text(self) -> str:
        """The score as it is published: "71.2 %", "1451 points"."""
        number = f"{self.score:.1f}".removesuffix(".0")
        return f"{number} %" if self.measure.unit == "percent" else f"{number} {self.measure.unit}"


def logit(score: float) -> float:
    """A score of 0 to 100 on a scale where equal steps mean equally more ability."""
    share = min(_MOST_SHARE, max(_LEAST_SHARE, score / 100))
    return math.log(share / (1 - share))


def load_evidence(path: Path) -> dict[str, tuple[Figure, ...]]:
    """The figures of a data file by catalogue key. Raises UserError where the file is wrong; a missing one is empty."""
    if not path.exists():
        return {}
    try:
        if path.stat().st_size > _LIMIT_BYTES:
            raise ValueError("the file is too large")
        return evidence_from_document(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        title = "Snug's figures about models cannot be read."
        raise UserError(title, "Install Snug again.", kind="bad-evidence", details=f"{path}: {error}") from error


def evidence_from_document(document: Mapping[str, Any]) -> dict[str, tuple[Figure, ...]]:
    """The figures by catalogue key. Raises ValueError, KeyError or TypeError for a figure without source or date."""
    sources = {key: Source(row["name"], row["url"], row["date"]) for key, row in document["sources"].items()}
    measures = {key: _measure(key, row) for key, row in document["measures"].items()}
    found: dict[str, list[Figure]] = {}
    for row in document["figures"]:
        score = float(row["score"])
        source = sources[row["source"]]
        if not math.isfinite(score) or score < 0 or not source.name or not source.date:
            raise ValueError(f"the figure {row!r} is incomplete")
        figure = Figure(measures[row["measure"]], score, str(row.get("mode", "")), source)
        found.setdefault(str(row["model"]), []).append(figure)
    return {key: tuple(figures) for key, figures in found.items()}


def level_by_evidence(figures: Iterable[Figure], use: str) -> tuple[float, float] | None:
    """The weighted level that the figures for `use` show, and their weight; None where nothing speaks for it.

    Several ways of running one benchmark (with and without thinking) count once, at their mean.
    """
    levels: dict[str, list[float]] = {}
    weights: dict[str, float] = {}
    for figure in figures:
        level = figure.measure.level(figure.score)
        if level is None or not figure.measure.weight or use not in figure.measure.uses:
            continue
        levels.setdefault(figure.measure.key, []).append(level)
        weights[figure.measure.key] = figure.measure.weight
    total = sum(weights.values())
    if not total:
        return None
    return sum(weights[key] * sum(found) / len(found) for key, found in levels.items()) / total, total


def _measure(key: str, row: Mapping[str, Any]) -> Measure:
    at_zero, slope = row.get("scale") or (0.0, 0.0)
    return Measure(
        key=key,
        name=str(row["name"]),
        about=str(row["about"]),
        unit=str(row["unit"]),
        uses=tuple(row["uses"]),
        weight=float(row["weight"]),
        at_zero=float(at_zero),
        slope=float(slope),
    )
