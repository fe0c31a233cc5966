"""Recorded checkpoints, damaged at random: right shapes or words, never anything else."""

from __future__ import annotations

import copy
import json
import os
import random
from typing import Any

import numpy as np
import pytest

from snug.core.errors import UserError
from snug.formats.checkpoints.checkpoint_format import row_count
from snug.formats.checkpoints.config_check import check_against_config
from snug.formats.checkpoints.formats import format_of
from tests.formats.checkpoints.safetensors_maker import Tensor, tensor_files
from tests.formats.checkpoints.test_recorded import NAMES, opened

CASES = 400 if os.environ.get("SNUG_FULL_TESTS") == "1" else 30
JUNK = (None, True, -1, 0, 1, 3, 5, 2**40, 1.5, "", "4", "gptq", [], [0], [128, 128], {}, {"a": 1}, "marlin")


def recorded(name: str) -> tuple[dict[str, Any], dict[str, Tensor], dict[str, str]]:
    with opened(name) as files:
        tensors: dict[str, Tensor] = {
            tensor: (info.kind.name, files.stored(tensor)) for tensor, info in files.tensors.items()
        }
        return json.loads(files.metadata["config"]), tensors, files.metadata


def damage(config: dict[str, Any], tensors: dict[str, Tensor], source: random.Random) -> None:
    name = source.choice(sorted(tensors))
    kind, array = tensors[name]
    choice = source.randrange(7)
    if choice == 0:
        del tensors[name]
    elif choice == 1:
        tensors[name] = (kind, array.reshape(source.choice([(-1,), (1, -1), (-1, 1), (1, 1, -1), array.shape[::-1]])))
    elif choice == 2:
        tensors[name] = (kind, array.reshape(-1)[: source.randint(0, array.size)])
    elif choice == 3:
        tensors[name] = (kind, np.concatenate([array.reshape(-1), array.reshape(-1)[: source.randint(0, 9)]]))
    elif choice == 4:
        random_bytes = np.frombuffer(source.randbytes(array.nbytes), array.dtype).reshape(array.shape)
        tensors[name] = (kind, random_bytes)
    elif choice == 5:
        raw = array.reshape(-1).view(np.uint8)
        other, size = source.choice([("U8", 1), ("I8", 1), ("F16", 2), ("BF16", 2), ("I32", 4), ("F32", 4), ("I64", 8)])
        width = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}[size]
        tensors[name] = (other, raw[: raw.size // size * size].view(width))
    else:
        settings = config.get("quantization") or config["quantization_config"]
        target = source.choice([settings, *(value for value in settings.values() if isinstance(value, dict))])
        target[source.choice([*sorted(target), "group_size", "weight_block_size"])] = source.choice(JUNK)


def check_words(error: UserError) -> None:
    assert error.bad_input
    assert error.title
    assert error.advice


def outcome(config: dict[str, Any], tensors: dict[str, Tensor], metadata: dict[str, str]) -> str:
    try:
        files = tensor_files(tensors, metadata)
        weights = format_of(config, files.tensors.keys())(files, config)
        check_against_config(weights, config)
        for name, weight in weights.weights.items():
            rows = row_count(weight.shape)
            values = weights.read_rows(name, rows // 2, rows)
            assert values.dtype == np.float32
            assert values.shape == (rows - rows // 2, weight.shape[-1] if weight.shape else 1)
    except UserError as error:
        check_words(error)
        return "refused"
    return "read"


@pytest.mark.parametrize("name", NAMES)
def test_damaged_checkpoints_are_read_or_refused(name: str) -> None:
    config, tensors, metadata = recorded(name)
    source = random.Random(name)
    outcomes = []
    for _ in range(CASES):
        damaged_config, damaged = copy.deepcopy(config), dict(tensors)
        damage(damaged_config, damaged, source)
        outcomes.append(outcome(damaged_config, damaged, metadata))
    assert "refused" in outcomes
    assert "read" in outcomes
