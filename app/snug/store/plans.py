"""What is known of models' memory, kept by file and settings: dry runs of the engine, and what real loads took.

Two small files: dry runs lie in the cache folder and can be made again, measurements beside the database. Each is
replaced as a whole, so that window and command line may both write; a damaged one counts as empty.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from snug.core.fit import Fit, FitSettings, Offload, Parts, PlannedMemory
from snug.core.known_memory import MeasuredLoad, memory_key, offload_key, settings_key
from snug.core.model_facts import ModelFacts
from snug.store.kept_file import KeptFile

MEASURED_FILE = "measured_memory.json"


def engine_version() -> str:
    """The version of llama-cpp-python, from the name of its record beside it.

    Only where that is not there by importlib.metadata, which would cost the window 3 MB.
    """
    spec = importlib.util.find_spec("llama_cpp")
    for folder in spec.submodule_search_locations or () if spec else ():
        for record in Path(folder).parent.glob("llama_cpp_python-*.dist-info"):
            return record.name.removesuffix(".dist-info").rpartition("-")[2]
    from importlib.metadata import version

    return version("llama-cpp-python")


class Plans:
    """The figures of this installation and engine version. Nothing here raises: what is lost is made again."""

    def __init__(self, cache: Path, home: Path) -> None:
        self._planned = KeptFile(cache / "plans.json")
        self._measured = KeptFile(home / MEASURED_FILE)
        self._engine = engine_version()

    def planned(self, facts: ModelFacts, settings: FitSettings) -> PlannedMemory | None:
        """The engine's plan; None where it was not made yet."""
        found = self._planned.all().get(self._key(facts, settings))
        if not isinstance(found, list) or not _is_sizes(found, 2):
            return None
        return PlannedMemory(settings.context, settings.kv_type, settings.batch, found[0], found[1])

    def keep_planned(self, facts: ModelFacts, settings: FitSettings, plan: PlannedMemory) -> None:
        """Keep a plan; where the disk refuses it, it is made again next time."""
        self._planned.put(self._key(facts, settings), [plan.conversation, plan.compute])

    def measured(self, facts: ModelFacts, settings: FitSettings, offload: Offload) -> PlannedMemory | None:
        """What a load with these settings and this layout took here; None where there was none."""
        found = self._measured.all().get(self._key(facts, settings, offload_key(offload)))
        devices = _devices_of(found)
        if not devices:
            return None
        return PlannedMemory(
            context=settings.context,
            kv_type=settings.kv_type,
            batch=settings.batch,
            conversation=sum(device.conversation for device in devices),
            compute=sum(device.compute for device in devices),
            devices=devices,
            offload=offload,
        )

    def record(
        self, name: str, facts: ModelFacts, settings: FitSettings, before: Fit, devices: Sequence[Parts]
    ) -> None:
        """Keep what a load took on each device, main memory first; `before` is what was said of it.

        Of the same load measured again, the first estimate stays: the later ones knew the measurement.
        """
        exact = replace(settings, context=before.context)
        key = self._key(facts, exact, offload_key(before.offload))
        if not key or not devices:
            return
        known = _load_of(self._measured.all().get(key))
        record = {
            "name": name[:200],
            "estimated": known.estimated if known else before.memory.total,
            "taken": _taken(before, devices),
            "devices": [_sizes_of(device) for device in devices],
        }
        self._measured.put(key, record)

    def loads(self) -> tuple[MeasuredLoad, ...]:
        """Every different load that was measured here, with what had been estimated."""
        found = (_load_of(value) for value in self._measured.all().values())
        return tuple(load for load in found if load is not None)

    def _key(self, facts: ModelFacts, settings: FitSettings, layout: str = "") -> str:
        key = memory_key(facts)
        words = f"{key} {settings_key(settings)} {layout} {self._engine}"
        return hashlib.sha256(words.encode()).hexdigest()[:32] if key else ""


def _taken(before: Fit, devices: Sequence[Parts]) -> int:
    """Bytes in all. Over several devices the file's mapping in main memory spans weights that lie on cards too."""
    whole = sum(devices, Parts())
    weights = min(whole.weights, before.memory.weights) if len(devices) > 1 else whole.weights
    return whole.total - whole.weights + weights + (0 if whole.other else before.memory.other)


def _sizes_of(parts: Parts) -> list[int]:
    return [parts.weights, parts.conversation, parts.compute, parts.repacked, parts.other]


def _devices_of(record: object) -> tuple[Parts, ...]:
    listed = record.get("devices") if isinstance(record, Mapping) else None
    if not isinstance(listed, list) or not all(_is_sizes(sizes, 5) for sizes in listed):
        return ()
    return tuple(
        Parts(weights=sizes[0], conversation=sizes[1], compute=sizes[2], repacked=sizes[3], other=sizes[4])
        for sizes in listed
    )


def _load_of(record: object) -> MeasuredLoad | None:
    if not isinstance(record, Mapping):
        return None
    name, estimated, taken = (record.get(key) for key in ("name", "estimated", "taken"))
    if not isinstance(name, str) or not isinstance(estimated, int) or not isinstance(taken, int) or taken <= 0:
        return None
    return MeasuredLoad(name, estimated, taken)


def _is_sizes(value: object, count: int) -> bool:
    return (
        isinstance(value, list) and len(value) == count and all(isinstance(item, int) and item >= 0 for item in value)
    )
