"""The memory rules against what the engine really allocates: pip and generated models, loaded in a child."""

from __future__ import annotations

from pathlib import Path

import gguf
import pytest

from snug.core.fit import FitSettings
from snug.core.memory_fit import fit
from snug.formats.gguf_facts import facts_from_header
from snug.formats.gguf_header import read_file_header
from snug.worker.client import WorkerClient
from snug.worker.protocol import LoadModel, ModelLoaded
from tests.core.machines import machine
from tests.formats.gguf_maker import Recipe, expert_layer, gemma2_layer, write_gguf

MIB = 2**20
PIP = Path(__file__).parents[2] / "resources" / "models" / "pip" / "pip-7m-Q8_0.gguf"
HEADS = {"attention.key_length": 64, "attention.value_length": 64}
RECIPES = {
    "wide": Recipe("llama", width=1024, feed_forward=2816, heads=16, kv_heads=4, vocabulary=4096, tied=True,
                   context=32768),
    "many words": Recipe("llama", width=256, vocabulary=30_000, tied=True, context=32768),
    "quantised": Recipe("llama", layers=4, width=512, feed_forward=1024, heads=8, kv_heads=8, context=32768,
                        vocabulary=4096, kind=gguf.GGMLQuantizationType.Q8_0),
    "windows": Recipe("gemma2", layers=6, width=512, feed_forward=1536, heads=8, kv_heads=4, vocabulary=4096, tied=True,
                      context=32768, layer_tensors=gemma2_layer, keys=HEADS | {"attention.sliding_window": 1024}),
    "experts": Recipe("qwen3moe", width=512, heads=8, kv_heads=4, vocabulary=4096, context=32768,
                      layer_tensors=expert_layer, keys=HEADS | {"expert_count": 16, "expert_used_count": 4,
                                                                "expert_feed_forward_length": 256}),
}  # fmt: skip


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("models")
    return {"pip": PIP} | {name: write_gguf(folder / f"{name}.gguf", recipe) for name, recipe in RECIPES.items()}


@pytest.mark.parametrize(
    ("name", "context", "kv_type"),
    [("pip", 1024, "f16"), ("wide", 2048, "f16"), ("wide", 8192, "q8_0"), ("many words", 2048, "f16"),
     ("quantised", 8192, "f16"), ("quantised", 4096, "q4_0"),
     ("windows", 8192, "f16"), ("experts", 4096, "f16")],
)  # fmt: skip
def test_the_formula_agrees_with_the_engine(
    models: dict[str, Path], tmp_path: Path, name: str, context: int, kv_type: str
) -> None:
    facts = facts_from_header(read_file_header(models[name]))
    ours = fit(facts, FitSettings(context=context, kv_type=kv_type), machine(16)).memory
    with WorkerClient(tmp_path / "logs") as child:
        real = child.request(LoadModel(path=str(models[name]), context=context, kv_type=kv_type), timeout=60)
    assert isinstance(real, ModelLoaded)
    assert real.context == context
    assert ours.weights == pytest.approx(real.weights_bytes, abs=MIB // 8)
    assert ours.conversation == pytest.approx(real.conversation_bytes, abs=MIB // 8)
    assert ours.compute == pytest.approx(real.compute_bytes, abs=4 * MIB)
