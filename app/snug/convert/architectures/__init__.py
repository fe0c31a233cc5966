"""The architectures that Snug converts: for each, names, hyper-parameters, tensors and transforms as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from snug.convert.architectures import (
    bert,
    cohere,
    deepseek,
    exaone,
    gemma,
    gemma4,
    glm,
    gpt_oss,
    granite,
    granite_hybrid,
    lfm2,
    llama,
    older,
    olmo,
    others,
    phi,
    planning,
    qwen,
    qwen3next,
    qwen35,
    seeing,
)
from snug.convert.architectures.architecture import Architecture
from snug.convert.plan import ModelPlan
from snug.formats.checkpoints.checkpoint_format import CheckpointFormat

ARCHITECTURES: tuple[Architecture, ...] = tuple(
    entry
    for family in (
        llama, qwen, qwen3next, qwen35, seeing, gemma, gemma4, phi, gpt_oss, granite, granite_hybrid, olmo, deepseek,
        glm, lfm2, cohere, exaone, older, others, bert,
    )
    for entry in family.ENTRIES
)  # fmt: skip
"""Every architecture. A new one is an entry in the family's module (or a module of its own) and its tiny test."""


def find_architecture(config: Mapping[str, Any]) -> Architecture:
    """The architecture that config.json names. Raises UserError with its name and the nearest one if it is unknown."""
    return planning.find_architecture(config, ARCHITECTURES)


def plan_model(
    weights: CheckpointFormat,
    config: Mapping[str, Any],
    folder_name: str,
    card: Mapping[str, Any] | None = None,
    pooling: str | None = None,
) -> ModelPlan:
    """Tensors, hyper-parameters and general.* of the model in `weights`; the tokenizer's entries are not among them.

    `folder_name` names the model where nothing else does; `card` is the head of its README (`model_card.read_card`),
    `pooling` that of an embedding model (`pooling.read_pooling`). Raises UserError.
    """
    return planning.plan_model(find_architecture(config), weights, config, folder_name, card, pooling)
