"""MLX's affine quantisation, against a bit by bit reading; what MLX rearranges is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snug.core.errors import UserError
from snug.formats.checkpoints.checkpoint import Checkpoint
from snug.formats.checkpoints.mlx import Mlx
from tests.formats.checkpoints.safetensors_maker import (
    Tensor,
    check_weight,
    safetensors,
    tensor_files,
    write_checkpoint,
)

LAYER = "model.layers.0.mlp.up_proj"
OUTPUTS, INPUTS = 11, 192


def settings(**more: Any) -> dict[str, Any]:
    return {"model_type": "llama", "quantization": {"group_size": 64, "bits": 4, **more}}


def layer(bits: int, group: int, seed: int = 1) -> tuple[dict[str, Tensor], np.ndarray]:
    """The parts of one layer, and its weights from the definition: each number's bits one after the other."""
    generator = np.random.default_rng(seed)
    numbers = generator.integers(0, 2**bits, (OUTPUTS, INPUTS))
    scales, biases = (generator.normal(size=(OUTPUTS, INPUTS // group)).astype(np.float16) for _ in range(2))
    words = np.zeros((OUTPUTS, INPUTS * bits // 32), np.uint32)
    for row in range(OUTPUTS):
        whole = sum(int(number) << (bits * place) for place, number in enumerate(numbers[row]))
        words[row] = np.frombuffer(whole.to_bytes(INPUTS * bits // 8, "little"), "<u4")
    expected = np.array(
        [
            [
                np.float32(number) * np.float32(scales[row, place // group]) + np.float32(biases[row, place // group])
                for place, number in enumerate(line)
            ]
            for row, line in enumerate(numbers)
        ],
        np.float32,
    )
    return {f"{LAYER}.weight": words, f"{LAYER}.scales": scales, f"{LAYER}.biases": biases}, expected


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6, 8])
@pytest.mark.parametrize("group", [32, 64])
def test_every_width_is_read(bits: int, group: int) -> None:
    tensors, expected = layer(bits, group)
    check_weight(
        Mlx(tensor_files(tensors), settings(bits=bits, group_size=group)), f"{LAYER}.weight", expected, tolerance=1e-6
    )


def test_a_layer_with_settings_of_its_own_is_read_by_them() -> None:
    tensors, expected = layer(8, 32)
    weights = Mlx(tensor_files(tensors), settings(**{LAYER: {"bits": 8, "group_size": 32}}))
    check_weight(weights, f"{LAYER}.weight", expected, tolerance=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        {f"{LAYER}.weight": np.zeros((OUTPUTS, 23), np.uint32)},
        {f"{LAYER}.weight": np.zeros((OUTPUTS, 24), np.int32)},
        {f"{LAYER}.scales": np.zeros((OUTPUTS, 4), np.float16)},
        {f"{LAYER}.biases": np.zeros((OUTPUTS,), np.float16)},
        {f"{LAYER}.scales": np.zeros((OUTPUTS, 3), np.int16)},
    ],
    ids=str,
)
def test_parts_that_disagree_are_refused(change: dict[str, Tensor]) -> None:
    tensors, _ = layer(4, 64)
    with pytest.raises(UserError) as caught:
        _ = Mlx(tensor_files(tensors | change), settings()).weights
    assert caught.value.bad_input


def test_a_folder_is_recognised(tmp_path: Path) -> None:
    tensors, expected = layer(4, 64)
    config = settings() | {"quantization_config": {"group_size": 64, "bits": 4}}
    with Checkpoint(write_checkpoint(tmp_path, config, tensors)) as checkpoint:
        assert checkpoint.format.key == "mlx"
        assert checkpoint.format.loses_bits
        np.testing.assert_allclose(checkpoint.format.read(f"{LAYER}.weight"), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (settings() | {"model_type": "qwen3_next"}, "qwen3_next"),
        (settings(mode="mxfp4"), "mxfp4"),
        ({"model_type": "lfm2"}, "lfm2"),
    ],
)
def test_what_only_mlx_can_read_is_refused_with_what_to_do(config: dict[str, Any], said: str, tmp_path: Path) -> None:
    write_checkpoint(tmp_path, config, {})
    (tmp_path / "model.safetensors").write_bytes(safetensors(layer(4, 64)[0], {"format": "mlx"}))
    with pytest.raises(UserError) as caught, Checkpoint(tmp_path) as checkpoint:
        _ = checkpoint.format
    assert "MLX" in caught.value.title
    assert said in caught.value.title
    assert "its page names it" in caught.value.advice
