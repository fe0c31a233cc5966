"""A repository's files as the things a person can get: grouped by size, split sets as one, companions added."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from snug.hub.remote import Choice, File, text_of

GROUPS = ("compact", "balanced", "nearly_lossless", "other")

_TYPE = re.compile(
    r"(?<![A-Za-z0-9])"
    r"(?P<maker>UD-|i1-)?"
    r"(?P<type>BF16|F16|FP16|F32|FP32|MXFP4(?:_MOE)?|NVFP4|TQ[12]_0|IQ[1-4]_(?:XXS|XS|NL|XL|S|M|L)"
    r"|Q[2-8]_(?:K(?:_(?:XXS|XS|XL|S|M|L|P))?|0|1)(?:_(?:\d_\d|L|XL|R\d+))*)"
    r"(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_PART = re.compile(r"(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE | re.DOTALL)
_MOST_PARTS = 1000
_FORMATS = (
    ("GPTQ", ("gptq",)),
    ("AWQ", ("awq",)),
    ("EXL2", ("exl2", "exl3")),
    ("bitsandbytes", ("bitsandbytes", "bnb", "bnb-4bit")),
    ("FP8", ("fp8", "compressed-tensors")),
    ("MLX", ("mlx",)),
    ("ONNX", ("onnx",)),
    ("safetensors", ("safetensors",)),
    ("PyTorch", ("pytorch",)),
)
_PROJECTOR_ORDER = ("F16", "BF16", "Q8_0", "F32")


def file_type_of(name: str) -> str:
    """The quantisation type that a file's name claims, such as "Q4_K_M"; "" where it claims none."""
    found = [match["type"].upper() for match in _TYPE.finditer(name)]
    return {"FP16": "F16", "FP32": "F32"}.get(found[-1], found[-1]) if found else ""


def group_of(file_type: str) -> str:
    """The group that a type belongs to: how much of the model's quality it keeps, in three steps."""
    if not file_type:
        return "other"
    if file_type in ("F16", "BF16", "F32") or file_type.startswith(("Q8", "Q6")):
        return "nearly_lossless"
    if file_type.startswith(("Q5", "Q4", "IQ4", "MXFP4", "NVFP4")):
        return "balanced"
    return "compact"


def choices_in(files: Iterable[File]) -> list[Choice]:
    """What can be got from a repository with these files, the smallest group first."""
    models, projectors = _models_and_projectors(files)
    sets: dict[tuple[str, int], dict[int, File]] = defaultdict(dict)
    choices = []
    for file in models:
        part = _PART.fullmatch(file.name)
        if part and 1 <= int(part["number"]) <= int(part["count"]) <= _MOST_PARTS:
            sets[part["stem"], int(part["count"])][int(part["number"])] = file
        else:
            choices.append(_single(file))
    choices += [_split_set(stem, count, parts) for (stem, count), parts in sets.items()]
    companions = projectors[:1]
    choices = [replace(choice, companions=companions) for choice in choices]
    return sorted(choices, key=lambda choice: (GROUPS.index(choice.group), choice.size_bytes, choice.title))


def projector_first(projectors: Sequence[File]) -> list[File]:
    """Projectors in the order in which they should be taken: half precision is enough and small."""

    def rank(file: File) -> tuple[int, int]:
        kind = file_type_of(file.name)
        return (_PROJECTOR_ORDER.index(kind) if kind in _PROJECTOR_ORDER else 9, file.size_bytes)

    return sorted(projectors, key=rank)


def other_format(names: Iterable[str], tags: Iterable[str]) -> str:
    """The format of a repository that holds no GGUF: "GPTQ", "MLX", "safetensors"…; "" where none is known."""
    known = {tag.lower() for tag in tags}
    lowered = [name.lower() for name in names]
    for label, words in _FORMATS:
        if known.intersection(words):
            return label
    for suffix, label in ((".onnx", "ONNX"), (".safetensors", "safetensors"), (".bin", "PyTorch"), (".pt", "PyTorch")):
        if any(name.endswith(suffix) for name in lowered):
            return label
    return ""


def _models_and_projectors(files: Iterable[File]) -> tuple[list[File], list[File]]:
    models: list[File] = []
    projectors: list[File] = []
    for file in files:
        base = file.name.rsplit("/", 1)[-1].lower()
        if not base.endswith(".gguf") or "imatrix" in base:
            continue
        (projectors if "mmproj" in base else models).append(file)
    return models, projector_first(projectors)


def _single(file: File) -> Choice:
    kind = file_type_of(file.name)
    return Choice(
        title=_title(file.name, kind), group=group_of(kind), file_type=kind, size_bytes=file.size_bytes, files=[file]
    )


def _split_set(stem: str, count: int, parts: dict[int, File]) -> Choice:
    kind = file_type_of(stem)
    base = stem.rsplit("/", 1)[-1]
    absent = [number for number in range(1, count + 1) if number not in parts]
    missing = [text_of(f"{base}-{number:05}-of-{count:05}.gguf") for number in absent]
    return Choice(
        title=_title(f"{stem}.gguf", kind),
        group=group_of(kind),
        file_type=kind,
        size_bytes=sum(file.size_bytes for file in parts.values()),
        files=[parts[number] for number in sorted(parts)],
        complete=not missing,
        missing=missing,
    )


def _title(name: str, kind: str) -> str:
    """The type with its maker's prefix; the file's own name where it claims no type."""
    base = name.rsplit("/", 1)[-1].removesuffix(".gguf")
    found = list(_TYPE.finditer(base))
    if not kind or not found:
        return text_of(base, 80) or "unnamed"
    return text_of(f"{(found[-1]['maker'] or '').replace('i1-', '')}{kind}", 80)
