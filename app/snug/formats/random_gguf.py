"""Writes a recipe of `random_models` as a GGUF: first its metadata alone, then, its tensors known, the whole file."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snug.core.errors import UserError
from snug.formats.random_models import RandomModel

SINGLE_PRECISION = re.compile(r"norm|ssm_(conv1d|a|d|dt)|conv\.weight|ffn_gate_inp|time_mix_|token_types|router|scale$")
"""Weights that converters leave in F32 even where they have two dimensions."""

ALIGNMENT = 32
"""Tensors in a GGUF begin at a multiple of this, where the file does not say otherwise."""


def write_metadata(path: Path, model: RandomModel) -> None:
    """A GGUF with the model's metadata and no tensors. Raises UserError where gguf-py is not installed."""
    writer = _started(path, model)
    _finish(writer)


def write_model(path: Path, model: RandomModel, shapes: Mapping[str, tuple[int, ...]], seed: int = 1) -> None:
    """The whole model: random F16 matrices, F32 where converters leave it so. `shapes` has the fastest dimension first,
    as `engine.tensor_shapes` gives it; what the recipe leaves out is left out."""
    import numpy as np  # slow to load, and the command line imports this module before it knows what is wanted

    writer = _started(path, model)
    random = np.random.default_rng(seed)
    left_out = [re.compile(pattern) for pattern in model.without]
    for name, dims in shapes.items():
        if any(pattern.search(name) for pattern in left_out):
            continue
        data = random.standard_normal(tuple(reversed(dims)), dtype=np.float32) * np.float32(0.02)
        is_single = len(dims) < 2 or SINGLE_PRECISION.search(name)
        writer.add_tensor(name, data if is_single else data.astype(np.float16))
    _finish(writer)


def write_sparse_model(path: Path, model: RandomModel, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """A file as large as the whole model with Q8_0 matrices, of which only the header is there."""
    writer = _started(path, model)
    import numpy as np
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    left_out = [re.compile(pattern) for pattern in model.without]
    size = 0
    for name, dims in shapes.items():
        if any(pattern.search(name) for pattern in left_out):
            continue
        is_single = len(dims) < 2 or SINGLE_PRECISION.search(name)
        kind = GGMLQuantizationType.F32 if is_single or dims[0] % 32 else GGMLQuantizationType.Q8_0
        block, block_bytes = GGML_QUANT_SIZES[kind]
        tensor_bytes = math.prod(dims) // block * block_bytes
        writer.add_tensor_info(name, tuple(reversed(dims)), np.dtype(np.float32), tensor_bytes, kind)
        size += -(-tensor_bytes // ALIGNMENT) * ALIGNMENT
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    header = -(-path.stat().st_size // ALIGNMENT) * ALIGNMENT
    os.truncate(path, header + size)


def _started(path: Path, model: RandomModel) -> Any:
    try:
        import gguf
    except ImportError:
        raise UserError(
            "Making test models needs the Python package gguf, which is not installed.",
            "Install Snug with its test extra, or run `packaging/dev.py test` once.",
            kind="not-installed",
        ) from None
    writer = gguf.GGUFWriter(path, model.architecture)
    writer.add_name(f"random {model.name}")
    writer.add_tokenizer_model("none")
    writer.add_token_type_count(2)
    for key, value in model.metadata().items():
        _add(writer, f"{model.architecture}.{key}", value)
    return writer


def _add(writer: Any, key: str, value: Any) -> None:
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    else:
        writer.add_array(key, list(value))


def _finish(writer: Any) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
