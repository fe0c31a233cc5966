"""How far files of a model were measured to be from their original: kept beside the database, by model and type."""

from __future__ import annotations

import math
from pathlib import Path

from snug.store.kept_file import KeptFile

DIVERGENCES_FILE = "measured_quality.json"
MOST_NATS = 100.0


class Divergences:
    """Mean KL divergences in nats a token. Nothing here raises: what is lost can be measured again."""

    def __init__(self, home: Path) -> None:
        self._file = KeptFile(home / DIVERGENCES_FILE)

    def known(self) -> dict[tuple[str, str], float]:
        """Every divergence that was measured here, by catalogue key (or lower-case repository) and type."""
        found = {}
        for name, nats in self._file.all().items():
            model, _, file_type = name.rpartition(" ")
            if model and file_type and _is_divergence(nats):
                found[model, file_type] = float(nats)
        return found

    def record(self, model: str, file_type: str, nats: float) -> None:
        """Keep what was measured last; nothing for a model or a type without a name, or a figure that is none."""
        if model and file_type and " " not in file_type and _is_divergence(nats):
            self._file.put(f"{model} {file_type}", nats)


def _is_divergence(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and 0.0 <= value <= MOST_NATS
    )
