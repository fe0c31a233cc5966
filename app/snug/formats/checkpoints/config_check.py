"""Whether a checkpoint's tensors agree with its config.json, as far as every architecture has it in common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from snug.formats.checkpoints.checkpoint_format import CheckpointFormat, Config
from snug.formats.checkpoints.errors import bad_checkpoint
from snug.formats.checkpoints.json_text import table

EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "word_embeddings.weight", "embed_in.weight")
_LAYER = re.compile(r"(?:^|\.)(?:layers|h|blocks)\.(\d+)\.")
OTHER_WIDTHS = ("embedding_size", "word_embed_proj_dim")
"""Settings by which an embedding may be narrower than the model."""
MOST_LAYERS = 10_000
MOST_SIZE = 2**31


def check_against_config(weights: CheckpointFormat, config: Config) -> None:
    """Raises UserError where sizes or counts in the config are impossible or contradict the tensors."""
    settings = table(config, "text_config") or config
    width, vocabulary, layers = (
        _size(settings, key, most)
        for key, most in (
            ("hidden_size", MOST_SIZE),
            ("vocab_size", MOST_SIZE),
            ("num_hidden_layers", MOST_LAYERS),
        )
    )
    names = weights.weights
    embedding = next((name for name in names if name.endswith(EMBEDDINGS) and "vision" not in name), None)
    if embedding is not None and not any(key in settings for key in OTHER_WIDTHS):
        shape = names[embedding].shape
        if len(shape) != 2 or (width is not None and shape[1] != width):
            raise _contradiction(f"{embedding} is {shape}, hidden_size is {width}")
        if vocabulary is not None and shape[0] < vocabulary:
            raise _contradiction(f"{embedding} is {shape}, vocab_size is {vocabulary}")
    numbers = [int(match[1]) for name in names if len(name) < 1024 and (match := _LAYER.search(name))]
    if layers is not None and numbers and "vision_config" not in config and max(numbers) + 1 < layers:
        raise _contradiction(f"{max(numbers) + 1} layers, num_hidden_layers is {layers}")


def _size(settings: Mapping[str, Any], key: str, most: int) -> int | None:
    value = settings.get(key)
    if value is None:
        return None
    if type(value) is not int or not 0 < value <= most:
        raise bad_checkpoint(f"config.json gives an impossible {key}", repr(value)[:80])
    return value


def _contradiction(details: str) -> Exception:
    return bad_checkpoint("config.json contradicts the weights; files of two models may be mixed", details)
