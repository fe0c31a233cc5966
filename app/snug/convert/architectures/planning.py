"""From a checkpoint and its config to the plan of what will be written."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from snug.convert.architectures import views
from snug.convert.architectures.architecture import Architecture
from snug.convert.architectures.fixed_types import fixed_type
from snug.convert.architectures.general import general
from snug.convert.architectures.hyper_parameters import metadata, unsupported_rope
from snug.convert.architectures.placing import outputs, place
from snug.convert.architectures.settings import Settings
from snug.convert.architectures.views import View
from snug.convert.plan import Meta, ModelPlan, OutputTensor
from snug.core.errors import UserError
from snug.formats.checkpoints.checkpoint_format import CheckpointFormat
from snug.formats.checkpoints.errors import bad_checkpoint, not_supported

MOST_TENSORS_NAMED = 5
MXFP4 = "MXFP4"
POOLING = {"mean": 1, "cls": 2, "last": 3}
"""llama.cpp's numbers for how an embedding model makes one vector of many."""


def find_architecture(config: Mapping[str, Any], architectures: Iterable[Architecture]) -> Architecture:
    """The entry for the class that config.json names. Raises UserError with the nearest one where there is none."""
    by_class = {name: entry for entry in architectures for name in entry.classes}
    named = config.get("architectures")
    names = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
    for name in names:
        if name in by_class:
            entry = by_class[name]
            return entry if entry.variant is None else replace(entry, name=entry.variant(Settings(config, {})))
    if not names:
        raise not_supported(
            "This model's config.json does not say what kind of model it is",
            "Get its files again from where they came from, or choose another model.",
        )
    wanted = names[0][:80]
    near = difflib.get_close_matches(wanted, list(by_class), n=1, cutoff=0.0)[0]
    raise not_supported(
        f"Snug cannot convert models of the kind {wanted} yet",
        f"The nearest kind that it can convert is {near}. A GGUF of this model made by somebody else may work.",
        details=wanted,
    )


def plan_model(
    architecture: Architecture,
    weights: CheckpointFormat,
    config: Mapping[str, Any],
    folder_name: str,
    card: Mapping[str, Any] | None = None,
    pooling: str | None = None,
) -> ModelPlan:
    """Names, shapes, transforms and hyper-parameters of the whole model; no weights are read.

    `card` is what the head of the model's README says, `pooling` how an embedding model makes one vector of many
    ("mean", "cls" or "last"). Raises UserError for settings that are missing or impossible,
    tensors that no rule knows, and shapes that contradict the settings.
    """
    settings = Settings(config, architecture.defaults)
    if architecture.prepare is not None:
        architecture.prepare(settings)
    problem = unsupported_rope(settings)
    if problem is not None:
        raise problem
    entries = metadata(architecture, settings)
    if pooling is not None:
        entries = (*entries, Meta(f"{architecture.name}.pooling_type", "u32", POOLING[pooling]))
    found, left_out = _tensors(architecture, settings, weights)
    tensors = tuple(_output(name, view) for name, view in found.items())
    notes = ("Only the part that writes text is converted: pictures and sound are left out.",) if left_out else ()
    head = (Meta("general.architecture", "str", architecture.name),)
    return ModelPlan(
        architecture.name, (*head, *general(tensors, config, folder_name, card or {}), *entries), tensors, notes
    )


def _output(name: str, view: View) -> OutputTensor:
    fixed = fixed_type(name, len(view.shape))
    if view.read_blocks is not None:
        blocks = view.read_blocks
        return OutputTensor(
            name,
            view.shape,
            view.read_rows,
            _once(view.sources),
            MXFP4,
            MXFP4,
            lambda first, last: blocks(first, last).tobytes(),
        )
    return OutputTensor(name, view.shape, view.read_rows, _once(view.sources), fixed, view.stored_type)


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _tensors(architecture: Architecture, settings: Settings, weights: CheckpointFormat) -> tuple[dict[str, View], bool]:
    """Every tensor to be written by name, and whether tensors for other senses were left out."""
    stored = ((name, views.stored(weights, name, weight)) for name, weight in weights.weights.items())
    placed = place(architecture, settings, stored)
    if placed.unknown:
        raise _unknown(architecture, settings, placed.unknown)
    found: dict[str, View] = {}
    for group in placed.groups.values():
        _add(found, outputs(group, settings))
    for generate in architecture.generated:
        _add(found, generate(settings))
    _check_layers(found, settings.layers)
    _check_shapes(found, settings)
    return found, placed.left_out


def _add(found: dict[str, View], outputs: Iterable[tuple[str, View]]) -> None:
    for name, view in outputs:
        if name in found:
            raise bad_checkpoint("two of them become the same tensor", name)
        found[name] = view


def _check_layers(found: Mapping[str, View], layers: int) -> None:
    """Raises UserError where a layer has no tensors at all, or there is no embedding."""
    present = {int(name.split(".")[1]) for name in found if name.startswith("blk.")}
    if len(present) < layers or "token_embd.weight" not in found:
        missing = next((layer for layer in range(layers) if layer not in present), None)
        details = "no token embedding" if missing is None else f"layer {missing} of {layers}"
        raise bad_checkpoint("tensors of the model are missing", details)


WIDE_COLUMNS = ("token_embd.weight", "output.weight", "attn_q.weight", "attn_qkv.weight", "ffn_up.weight",
                "ffn_up_exps.weight", "ffn_gate.weight", "ffn_gate_inp.weight")  # fmt: skip
WIDE_ROWS = ("attn_norm.weight", "ffn_norm.weight", "output_norm.weight", "attn_output.weight", "ffn_down.weight",
             "ffn_down_exps.weight")  # fmt: skip


def _check_shapes(found: Mapping[str, View], settings: Settings) -> None:
    """Raises UserError where a tensor is not as wide as the settings say."""
    width = settings.width
    for name, view in found.items():
        ending = name.split(".", 2)[2] if name.startswith("blk.") else name
        if ending in WIDE_COLUMNS and view.columns != width:
            raise views.disagree(view, f"{view.shape}, hidden_size is {width}")
        if ending in WIDE_ROWS and (view.shape or (1,))[max(-2, -len(view.shape))] != width:
            raise views.disagree(view, f"{view.shape}, hidden_size is {width}")


def _unknown(architecture: Architecture, settings: Settings, names: list[str]) -> UserError:
    shown = ", ".join(name[:100] for name in sorted(names)[:MOST_TENSORS_NAMED])
    return not_supported(
        f"This model has {len(names)} tensor{'s' * (len(names) != 1)} that Snug does not know",
        "It may be a newer kind of model than this version of Snug, or files of two models may be mixed.",
        details=f"{architecture.name}, {settings.layers} layers: {shown}",
    )
