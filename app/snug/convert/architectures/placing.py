"""Which rule takes which tensor of a checkpoint, and what the rules make of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from snug.convert.architectures.architecture import Architecture, Match, Rule
from snug.convert.architectures.settings import Settings
from snug.convert.architectures.views import View
from snug.formats.checkpoints.errors import bad_checkpoint

BUFFERS = (".attention.masked_bias", ".attention.bias", ".rotary_emb.inv_freq")
"""Endings of what PyTorch saves but no model needs; llama.cpp's converter leaves them out of every architecture."""
OTHER_SENSES = re.compile(
    r"^(mlp1?\.|vit\.|vpm\.|siglip2\.|conformer\.|merger\.|resampler\.|sound_encoder\.|sound_projection\."
    r"|speech_embeddings\.)|visual\.|vision\.|audio\.|talker\.|vision_|audio_|token2wav\.|code2wav\.|projector\."
    r"|pre_mm_projector_norm|image_newline|view_seperator|patch_embed|patch_merger\.|patch_merge_mlp\.|model\.connector\."
)
"""Tensors that see or hear: the text model does without them."""
LAYER = re.compile(r"(?:^|\.)(?:layers|layer|h)\.(\d{1,6})\.")
LONGEST_NAME = 1024


@dataclass(slots=True)
class Group:
    """The tensors that one rule takes together in one layer, by place of the pattern and number of the expert."""

    rule: Rule
    layer: int
    suffix: str
    members: dict[tuple[int, int], View]


@dataclass(slots=True)
class Placed:
    """What became of a checkpoint's tensors: those that rules take, those that none knows, whether some see or hear."""

    groups: dict[tuple[str, int, str], Group] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    left_out: bool = False


def place(architecture: Architecture, settings: Settings, tensors: Iterable[tuple[str, View]]) -> Placed:
    """The tensors by the rules that take them. Raises UserError for names that are impossible or occur twice."""
    placed = Placed()
    ignored = re.compile("|".join(architecture.ignored)) if architecture.ignored else None
    table = {pattern: (rule, number) for rule in architecture.tensors for number, pattern in enumerate(rule.patterns)}
    for stored_name, view in tensors:
        if len(stored_name) > LONGEST_NAME:
            raise bad_checkpoint("a tensor has an impossibly long name")
        if stored_name.endswith(BUFFERS) or (ignored is not None and ignored.search(stored_name)):
            continue
        if architecture.skips_later_layers and _layer(stored_name) >= settings.layers:
            continue
        name = stored_name
        for piece in ("language_model.", *architecture.strip):
            name = name.replace(piece, "")
        found = _rule_for(table, name)
        if found is None and OTHER_SENSES.search(stored_name):
            placed.left_out = True
            continue
        if found is None or found[2] >= settings.layers:
            placed.unknown.append(stored_name)
            continue
        rule, pattern, layer, expert, suffix = found
        group = placed.groups.setdefault((rule.name, layer, suffix), Group(rule, layer, suffix, {}))
        if (pattern, expert) in group.members:
            raise bad_checkpoint("they hold a tensor twice", stored_name[:200])
        group.members[pattern, expert] = view
    return placed


def outputs(group: Group, settings: Settings) -> Iterable[tuple[str, View]]:
    """What the rule makes of its tensors in one layer. Raises UserError where some of them are missing."""
    rule = group.rule
    name = rule.name.replace("#", str(group.layer)) + group.suffix
    order = sorted(group.members)
    experts = 0
    if any("@" in pattern for pattern in rule.patterns):
        experts = settings.experts if rule.count is None else rule.count(settings)
    if experts:
        present = {pattern for pattern, _ in order}
        if order != [(pattern, expert) for pattern in sorted(present) for expert in range(experts)]:
            raise bad_checkpoint(
                f"the experts of layer {group.layer} are not all there", f"{name}: {len(order)} tensors"
            )
    if len({pattern for pattern, _ in order}) not in (1, len(rule.patterns)):
        raise bad_checkpoint(f"parts of layer {group.layer} are missing", name)
    match = Match(settings, [group.members[key] for key in order], name, group.layer, group.suffix, experts)
    if rule.transform is not None:
        return rule.transform(match)
    return [(name, match.views[0])]


_Table = Mapping[str, tuple[Rule, int]]


def _rule_for(table: _Table, name: str) -> tuple[Rule, int, int, int, str] | None:
    """Which rule takes the tensor, through which of its patterns; layer, expert and ending."""
    endings = [ending for ending in (".weight", ".bias") if name.endswith(ending)]
    for ending in ("", *endings):
        parts = name.removesuffix(ending).split(".")
        numbers = [int(part) for part in parts if part.isdecimal() and len(part) <= 6]
        if len(numbers) > 2:
            return None
        marks = iter("#@")
        key = ".".join(next(marks) if part.isdecimal() and len(part) <= 6 else part for part in parts)
        place = table.get(key) or table.get(f"model.{key}")
        if place is not None:
            layer, expert = [*numbers, 0, 0][:2]
            return (*place, layer, expert, ending)
    return None


def _layer(name: str) -> int:
    """The number of the layer that the tensor belongs to, -1 for the others."""
    match = LAYER.search(name)
    return int(match[1]) if match else -1
