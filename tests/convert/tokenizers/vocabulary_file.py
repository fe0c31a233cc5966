"""A vocabulary as a GGUF without tensors, for the engine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from snug.convert.plan import Meta
from snug.formats.gguf_writer import encode_value, plan_layout


def write_vocabulary(path: Path, architecture: str, metadata: Iterable[Meta]) -> Path:
    entries = [("general.architecture", encode_value("str", architecture))]
    entries += [(meta.key, encode_value(meta.kind, meta.value)) for meta in metadata]
    path.write_bytes(plan_layout(entries, []).header)
    return path
