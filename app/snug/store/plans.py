"""What the engine planned for models, kept by header and settings: a dry run is made once."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
from pathlib import Path

from snug.core.fit import PlannedMemory

MOST_KEPT = 2000


class Plans:
    """The dry runs of this installation: one small file in the cache folder, forgotten when it is damaged."""

    def __init__(self, cache: Path) -> None:
        self._path = cache / "plans.json"
        self._engine = importlib.metadata.version("llama-cpp-python")

    def find(self, header_sha256: str, context: int, kv_type: str, batch: int) -> PlannedMemory | None:
        """The plan of this engine version for that header and these settings, None where it was not made yet."""
        found = self._read().get(self._key(header_sha256, context, kv_type, batch))
        return PlannedMemory(context, kv_type, batch, *found) if found else None

    def keep(self, header_sha256: str, plan: PlannedMemory) -> None:
        """Keep a plan; where the disk refuses it, it is made again next time."""
        plans = self._read()
        key = self._key(header_sha256, plan.context, plan.kv_type, plan.batch)
        plans.pop(key, None)
        plans[key] = (plan.conversation, plan.compute)
        newest = dict(list(plans.items())[-MOST_KEPT:])
        new = self._path.with_suffix(f".{os.getpid()}.new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            new.write_text(json.dumps(newest), "utf-8")
            os.replace(new, self._path)
        except OSError:
            return

    def _key(self, header_sha256: str, context: int, kv_type: str, batch: int) -> str:
        words = f"{header_sha256} {context} {kv_type} {batch} {self._engine}"
        return hashlib.sha256(words.encode()).hexdigest()[:32]

    def _read(self) -> dict[str, tuple[int, int]]:
        try:
            found = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(found, dict):
            return {}
        return {key: (value[0], value[1]) for key, value in found.items() if _is_plan(value)}


def _is_plan(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(item, int) and item >= 0 for item in value)
