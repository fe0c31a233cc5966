"""LoRA adapters: merged into their model, and as adapter files that the engine loads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader

from snug.convert.conversion import Settings, convert
from snug.convert.open_source import open_local
from snug.convert.source import open_folder
from snug.core.errors import UserError
from snug.engine.library import llama
from snug.formats.random_checkpoint import LlamaShape, write_checkpoint
from tests.formats.checkpoints.safetensors_maker import Tensor, safetensors

SHAPE = LlamaShape(layers=2, width=256, feed_forward=512, heads=4, kv_heads=2, vocabulary=512)
RANK = 4
MODULES = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.o_proj", "mlp.down_proj")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("base") / "Tiny", SHAPE)


def write_adapter(folder: Path, base: Path | str, shape: LlamaShape = SHAPE, **config: object) -> Path:
    """An adapter for some modules of every layer."""
    random, shapes, tensors = np.random.default_rng(5), shape.tensors(), dict[str, Tensor]()
    for layer in range(shape.layers):
        for module in MODULES:
            name = f"model.layers.{layer}.{module}"
            rows, columns = shapes[f"{name}.weight"]
            for half, size in (("A", (RANK, columns)), ("B", (rows, RANK))):
                values = 0.05 * random.standard_normal(size).astype(np.float32)
                tensors[f"base_model.model.{name}.lora_{half}.weight"] = values
    folder.mkdir()
    settings = {"peft_type": "LORA", "r": RANK, "lora_alpha": 8, "base_model_name_or_path": str(base)}
    (folder / "adapter_config.json").write_text(json.dumps(settings | config))
    (folder / "adapter_model.safetensors").write_bytes(safetensors(tensors))
    return folder


def made(source: Path, out: Path, types: str, **options: Path) -> Path:
    with open_local(source, **options) as opened:
        convert(opened, out, Settings(types), on_progress=lambda _: None, is_cancelled=lambda: False)
    return out


def tensors_of(path: Path) -> dict[str, np.ndarray]:
    return {tensor.name: np.array(tensor.data, np.float32) for tensor in GGUFReader(path).tensors}


@pytest.mark.parametrize("config", [{}, {"use_rslora": True}, {"alpha_pattern": {"mlp.down_proj": 3}}])
def test_what_an_adapter_file_adds_is_what_merging_adds(config: dict[str, object], base: Path, tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "adapter", base, **config)
    plain = tensors_of(made(base, tmp_path / "plain.gguf", "F32"))
    merged = tensors_of(made(base, tmp_path / "merged.gguf", "F32", adapter=adapter))
    added = made(adapter, tmp_path / "adapter.gguf", "F32", base=base)
    alpha = GGUFReader(added).fields["adapter.lora.alpha"].contents()
    parts = tensors_of(added)
    changed = {name for name in plain if not np.array_equal(plain[name], merged[name])}
    assert changed == {name.removesuffix(".lora_a") for name in parts if name.endswith(".lora_a")}
    assert len(changed) == len(MODULES) * SHAPE.layers
    for name in changed:
        gain = alpha / RANK * parts[f"{name}.lora_b"] @ parts[f"{name}.lora_a"]
        np.testing.assert_allclose(merged[name] - plain[name], gain, atol=2e-6)


def test_the_engine_loads_the_adapter_beside_its_model(base: Path, tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "adapter", base)
    model_file = made(base, tmp_path / "model.gguf", "Q4_K_M")
    adapter_file = made(adapter, tmp_path / "adapter.gguf", "F16")
    api = llama()
    parameters = api.llama_model_default_params()
    parameters.n_gpu_layers = 0
    parameters.use_extra_bufts = False
    model = api.llama_model_load_from_file(str(model_file).encode(), parameters)
    assert model
    try:
        assert api.llama_adapter_lora_init(model, str(adapter_file).encode())
    finally:
        api.llama_model_free(model)


def test_an_adapter_without_its_model_says_what_to_do(tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "adapter", Path("maker/model"))
    with pytest.raises(UserError) as caught:
        open_local(adapter)
    assert caught.value.kind == "adapter"
    assert "--base" in caught.value.advice


def test_an_adapter_of_another_model_is_refused(base: Path, tmp_path: Path) -> None:
    other = write_checkpoint(tmp_path / "other", LlamaShape(2, 512, 512, 4, 2, 512))
    adapter = write_adapter(tmp_path / "adapter", base)
    with pytest.raises(UserError) as caught:
        open_folder(other, adapter)
    assert "another model" in caught.value.title


def test_a_model_is_no_adapter(base: Path) -> None:
    with pytest.raises(UserError) as caught:
        open_folder(base, base)
    assert caught.value.kind == "no-adapter"
