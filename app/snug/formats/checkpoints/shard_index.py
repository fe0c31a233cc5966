"""The list of shards of a checkpoint: `model.safetensors.index.json`, or the names of the shards themselves.

Source: huggingface_hub's and transformers' description of sharded checkpoints (`weight_map`: tensor to file name).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from snug.core.errors import UserError
from snug.formats.checkpoints.errors import bad_checkpoint
from snug.formats.checkpoints.json_text import parse_object

MOST_INDEX_BYTES = 100_000_000
MOST_TENSORS = 2_000_000
MOST_SHARDS = 10_000
_NUMBERED = re.compile(r"^(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.safetensors$")


@dataclass(frozen=True, slots=True)
class ShardIndex:
    """Which file holds which tensor; `shards` are the file names, sorted."""

    shard_of: Mapping[str, str]
    shards: tuple[str, ...]


def read_index(raw: bytes, file_name: str = "model.safetensors.index.json") -> ShardIndex:
    """The index in `raw`. Raises UserError for damage, and for shard names that lead out of the folder."""
    if len(raw) > MOST_INDEX_BYTES or raw.count(b":") > MOST_TENSORS:
        raise bad_checkpoint(f"{file_name} is impossibly long", f"{len(raw)} bytes")
    weight_map = parse_object(raw, file_name).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise bad_checkpoint(f"{file_name} lists no tensors")
    shards = set()
    for tensor, shard in weight_map.items():
        if not isinstance(shard, str):
            raise bad_checkpoint(f"{file_name} is damaged", f"{tensor[:80]!r}: {repr(shard)[:80]}")
        shards.add(shard)
    if len(shards) > MOST_SHARDS:
        raise bad_checkpoint(f"{file_name} lists impossibly many files", str(len(shards)))
    for shard in shards:
        check_shard_name(shard, file_name)
    return ShardIndex(weight_map, tuple(sorted(shards)))


def check_shard_name(name: str, file_name: str) -> None:
    """Raises UserError unless `name` is that of a safetensors file in the same folder, and nothing else."""
    is_plain = name.isprintable() and len(name.encode("utf-8", "replace")) <= 255 and not set(name) & set('/\\:*?"<>|')
    if not is_plain or name.startswith(".") or not name.endswith(".safetensors"):
        raise UserError(
            "This model's list of files names something outside of its folder.",
            "Such a list is not made by any usual tool: do not use this model unless you know its maker.",
            kind="unsafe-checkpoint",
            details=f"{file_name}: {name[:120]!r}",
            bad_input=True,
        )


def shards_by_name(names: Iterable[str]) -> tuple[str, ...]:
    """The shards among a folder's safetensors files where there is no index.

    Numbered ones (`-00001-of-00003`) must be all there; missing ones are listed in the UserError.
    """
    numbered = [(name, match) for name in sorted(names) if (match := _NUMBERED.match(name))]
    if not numbered:
        return ()
    stem, count = numbered[0][1]["stem"], numbered[0][1]["count"]
    if not 1 <= int(count) <= MOST_SHARDS:
        raise bad_checkpoint("its files are numbered impossibly", numbered[0][0])
    present = {name for name, _ in numbered}
    wanted = [f"{stem}-{number:05d}-of-{count}.safetensors" for number in range(1, int(count) + 1)]
    check_present(wanted, present)
    return tuple(wanted)


def check_present(wanted: Iterable[str], present: Iterable[str]) -> None:
    """Raises UserError with the names of the files that are wanted and not present."""
    wanted = tuple(wanted)
    missing = sorted(set(wanted) - set(present))
    if not missing:
        return
    named = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
    raise UserError(
        f"{len(missing)} of this model's {len(wanted)} files {'is' if len(missing) == 1 else 'are'} missing: {named}."
        if len(wanted) > 1
        else f"This model's file is missing: {named}.",
        "Fetch what is missing into the same folder.",
        kind="missing-part",
        details=", ".join(missing[:50]),
        bad_input=True,
    )
