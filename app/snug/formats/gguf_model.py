"""A model on disk as people mean it: one GGUF, or all parts of a split one."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from snug.core.errors import UserError
from snug.core.model_facts import ModelFacts
from snug.formats.byte_cursor import LIMITS, Limits, bad_gguf
from snug.formats.gguf_facts import facts_from_headers
from snug.formats.gguf_header import GgufHeader, read_file_header

SPLIT_NAME = re.compile(r"^(?P<stem>.+)-(?P<part>\d{5})-of-(?P<parts>\d{5})\.gguf$", re.IGNORECASE)
MOST_PARTS = 1000


@dataclass(frozen=True, slots=True)
class GgufModel:
    """The figures of a model and its files, first part first; `missing` names parts that are not there."""

    facts: ModelFacts
    parts: tuple[Path, ...]
    missing: tuple[str, ...] = ()


def part_names(name: str) -> tuple[str, ...]:
    """The file names of all parts of the split model that `name` belongs to; just `name` where it is not split."""
    match = SPLIT_NAME.match(name)
    if match is None:
        return (name,)
    count = int(match["parts"])
    if not 1 <= count <= MOST_PARTS or not 1 <= int(match["part"]) <= count:
        return (name,)
    return tuple(f"{match['stem']}-{number:05d}-of-{count:05d}.gguf" for number in range(1, count + 1))


def inspect_gguf(path: Path | str, limits: Limits = LIMITS, *, all_parts: bool = True) -> GgufModel:
    """The model at `path`, any part of a split one. Raises UserError where it is damaged or a part is missing.

    With `all_parts` False a missing part is only named, and the figures cover the parts that are there.
    """
    chosen = Path(path)
    names = part_names(chosen.name)
    header = read_file_header(chosen, limits)
    if len(names) == 1:
        if _stated_parts(header) > 1:
            raise UserError(
                f"{chosen.name} is one part of a split model, and its name does not say which.",
                "Give the parts their names back, such as model-00001-of-00003.gguf.",
                kind="renamed-part",
                bad_input=True,
            )
        return GgufModel(facts_from_headers((header,), header.file_bytes, chosen.stem), (chosen,))
    parts = [chosen.with_name(name) for name in names]
    missing = tuple(part.name for part in parts if not part.is_file())
    if missing and (all_parts or parts[0].name in missing):
        raise UserError(
            f"The model is split, and {missing[0]} is missing.",
            "Get the missing part too and put it into the same folder.",
            kind="missing-part",
            details=", ".join(missing),
            bad_input=True,
        )
    there = [part for part in parts if part.name not in missing]
    headers = [header if part == chosen else read_file_header(part, limits) for part in there]
    _check_split(headers, there, len(names))
    facts = facts_from_headers(headers, sum(item.file_bytes for item in headers), _stem(chosen.name))
    if missing:
        facts = replace(facts, warnings=(*facts.warnings, f"{len(missing)} of {len(names)} parts are missing"))
    return GgufModel(facts, tuple(there), missing)


def _check_split(headers: list[GgufHeader], parts: list[Path], count: int) -> None:
    for header, part in zip(headers, parts, strict=True):
        if _stated_parts(header) != count:
            raise bad_gguf(f"{part.name} is no part of it", f"split.count {header.values.get('split.count')}")


def _stated_parts(header: GgufHeader) -> int:
    stated = header.values.get("split.count", 0)
    return stated if isinstance(stated, int) else 0


def _stem(name: str) -> str:
    match = SPLIT_NAME.match(name)
    return match["stem"] if match else Path(name).stem
