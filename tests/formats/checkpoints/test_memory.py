"""Reading a few rows takes memory for a few rows, whatever the tensor's size."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from snug.formats.byte_source import FileSource
from snug.formats.checkpoints.formats import format_of
from snug.formats.checkpoints.tensor_files import TensorFiles, open_tensor_file
from tests.formats.checkpoints.safetensors_maker import Tensor, safetensors

SIDE = 2048
ROWS = 32
STATE = np.frombuffer(json.dumps({"blocksize": 64, "shape": [SIDE, SIDE]}).encode(), np.uint8)
METHODS: dict[str, dict[str, Tensor]] = {
    "": {"a.weight": np.zeros((SIDE, SIDE), np.float16)},
    "fp8": {
        "a.weight": ("F8_E4M3", np.zeros((SIDE, SIDE), np.uint8)),
        "a.weight_scale_inv": np.ones((16, 16), np.float32),
    },
    "bitsandbytes": {
        "a.weight": np.zeros((SIDE * SIDE // 2, 1), np.uint8),
        "a.weight.absmax": np.ones(SIDE * SIDE // 64, np.float32),
        "a.weight.quant_map": np.zeros(16, np.float32),
        "a.weight.quant_state.bitsandbytes__nf4": STATE,
    },
    "gptq": {
        "a.qweight": np.zeros((SIDE // 8, SIDE), np.int32),
        "a.qzeros": np.zeros((SIDE // 128, SIDE // 8), np.int32),
        "a.scales": np.ones((SIDE // 128, SIDE), np.float16),
        "a.g_idx": np.arange(SIDE, dtype=np.int32) // 128,
    },
    "aqlm": {
        "a.codes": np.zeros((SIDE, SIDE // 8, 2), np.int8),
        "a.codebooks": np.zeros((2, 256, 1, 8), np.float16),
        "a.scales": np.ones((SIDE, 1, 1, 1), np.float16),
    },
}


@pytest.mark.parametrize("method", list(METHODS))
def test_a_few_rows_take_little_memory(tmp_path: Path, method: str) -> None:
    config = {"quantization_config": {"quant_method": method}} if method else {}
    path = tmp_path / "model.safetensors"
    path.write_bytes(safetensors(METHODS[method]))
    with TensorFiles([open_tensor_file(path.name, FileSource(path))]) as files:
        weights = format_of(config, files.tensors.keys())(files, config)
        tracemalloc.start(1)
        try:
            assert weights.read_rows("a.weight", 64, 64 + ROWS).shape == (ROWS, SIDE)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    answer = 4 * ROWS * SIDE
    stored_by_columns = 2 * sum(info.size_bytes for info in files.tensors.values()) if method == "gptq" else 0
    assert peak < 8 * answer + stored_by_columns
    assert peak < 4 * SIDE * SIDE / 2
