"""MLX's quantisations, against a bit by bit reading; what cannot be turned back is refused."""

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
OUTPUTS, INPUTS = 11, 384


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


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 5, 6, 8])
@pytest.mark.parametrize("group", [32, 64, 128])
def test_every_width_is_read(bits: int, group: int) -> None:
    tensors, expected = layer(bits, group)
    check_weight(
        Mlx(tensor_files(tensors), settings(bits=bits, group_size=group)), f"{LAYER}.weight", expected, tolerance=1e-6
    )


FLOATS = {"mxfp4": (4, 32), "mxfp8": (8, 32), "nvfp4": (4, 16)}
"""Bits and group size of each mode of floats."""


def float_of(code: int, exponent_bits: int, fraction_bits: int) -> float:
    """The value of a small float by the definition of its parts."""
    sign = -1.0 if code >> (exponent_bits + fraction_bits) else 1.0
    exponent, fraction = code >> fraction_bits & (2**exponent_bits - 1), code & (2**fraction_bits - 1)
    bias = 2 ** (exponent_bits - 1) - 1
    if exponent == 0:
        return sign * fraction * 2.0 ** (1 - bias - fraction_bits)
    return sign * (1 + fraction / 2**fraction_bits) * 2.0 ** (exponent - bias)


def float_layer(mode: str, *outer: int) -> tuple[dict[str, Tensor], np.ndarray]:
    """The parts of a layer of floats, and its weights from the definition."""
    bits, group = FLOATS[mode]
    generator = np.random.default_rng(2)
    codes = generator.integers(0, 2 ** (bits - 1) - 1, (*outer, OUTPUTS, INPUTS)) | (
        generator.integers(0, 2, (*outer, OUTPUTS, INPUTS)) << (bits - 1)
    )
    scales = generator.integers(110, 126, (*outer, OUTPUTS, INPUTS // group)).astype(np.uint8)
    value = np.vectorize(lambda code: float_of(code, 2, 1) if bits == 4 else float_of(code, 4, 3), otypes=[np.float32])
    factor = np.vectorize(lambda code: float_of(int(code), 4, 3) if mode == "nvfp4" else 2.0 ** (int(code) - 127))
    words = sum(
        codes[..., place :: 32 // bits].astype(np.uint32) << np.uint32(place * bits) for place in range(32 // bits)
    )
    expected = value(codes) * np.repeat(factor(scales), group, axis=-1)
    return {f"{LAYER}.weight": np.asarray(words), f"{LAYER}.scales": scales}, expected.astype(np.float32)


@pytest.mark.parametrize("mode", FLOATS)
def test_every_kind_of_floats_is_read(mode: str) -> None:
    tensors, expected = float_layer(mode)
    bits, group = FLOATS[mode]
    for given in ({"mode": mode, "bits": bits, "group_size": group}, {LAYER: {"mode": mode}}, {}):
        check_weight(Mlx(tensor_files(tensors), settings(**given)), f"{LAYER}.weight", expected, tolerance=1e-6)


def test_experts_in_one_tensor_are_read() -> None:
    tensors, expected = float_layer("mxfp4", 3)
    assert expected.shape == (3, OUTPUTS, INPUTS)
    check_weight(Mlx(tensor_files(tensors), settings(mode="mxfp4")), f"{LAYER}.weight", expected, tolerance=1e-6)


@pytest.mark.parametrize(
    "given",
    [
        {LAYER: {"bits": 8, "group_size": 32}},
        {LAYER: {"bits": 8, "group_size": 32}, "mode": "mxfp4"},
        {LAYER: {"bits": 8, "group_size": 32}, "model.norm": False},
        {"bits": 8, "group_size": 32},
    ],
    ids=str,
)
def test_a_layer_with_settings_of_its_own_is_read_by_them(given: dict[str, Any]) -> None:
    tensors, expected = layer(8, 32)
    check_weight(Mlx(tensor_files(tensors), settings(**given)), f"{LAYER}.weight", expected, tolerance=1e-6)


def test_what_a_layers_own_settings_leave_out_is_the_modes_and_not_the_models() -> None:
    tensors, expected = layer(8, 64)
    weights = Mlx(tensor_files(tensors), settings(group_size=32, **{LAYER: {"bits": 8}}))
    check_weight(weights, f"{LAYER}.weight", expected, tolerance=1e-6)


def test_own_settings_may_leave_out_the_name_of_the_text_part() -> None:
    tensors, expected = layer(8, 32)
    files = tensor_files({f"language_model.{name}": tensor for name, tensor in tensors.items()})
    weights = Mlx(files, settings(**{LAYER: {"bits": 8, "group_size": 32}}))
    check_weight(weights, f"language_model.{LAYER}.weight", expected, tolerance=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        {f"{LAYER}.weight": np.zeros((OUTPUTS, 47), np.uint32)},
        {f"{LAYER}.weight": np.zeros((OUTPUTS, 48), np.int32)},
        {f"{LAYER}.scales": np.zeros((OUTPUTS, 7), np.float16)},
        {f"{LAYER}.biases": np.zeros((OUTPUTS,), np.float16)},
        {f"{LAYER}.scales": np.zeros((OUTPUTS, 6), np.int16)},
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
        (settings() | {"model_type": "gpt2"}, "gpt2"),
        (settings(mode="mxfp5"), "mxfp5"),
        (settings(**{LAYER: {"mode": "one_bit"}}), "one_bit"),
        ({"model_type": "nemotron_h"}, "nemotron_h"),
        ({}, "the kind that it is"),
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


def test_experts_with_a_scale_for_all_are_refused() -> None:
    tensors, _ = float_layer("nvfp4", 3)
    files = tensor_files(tensors | {f"{LAYER}.global_scale": np.ones(3, np.float32)})
    with pytest.raises(UserError, match="one more scale"):
        _ = Mlx(files, settings()).weights
