"""What is planned loads in the engine and computes: one child process for all architectures."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFValueType, GGUFWriter

from snug.convert.architectures import find_architecture
from snug.convert.architectures.adapters import plan_adapter
from snug.convert.plan import ModelPlan
from snug.formats.checkpoints.checkpoint import Checkpoint
from tests.convert.architectures.comparison import ENGINE_ONLY, MODELS, NOT_LOADED, planned, tensor_bytes
from tests.convert.yardstick.adapters import ADAPTERS, TinyAdapter, write_adapter
from tests.convert.yardstick.tiny_models import VOCABULARY, TinyModel

GGUF_KINDS = {"u32": GGUFValueType.UINT32, "i32": GGUFValueType.INT32, "f32": GGUFValueType.FLOAT32,
              "bool": GGUFValueType.BOOL, "str": GGUFValueType.STRING}  # fmt: skip


def write_gguf(model: TinyModel, folder: Path) -> Path:
    """The model's plan as a file, with no tokenizer."""
    checkpoint, plan = planned(model, folder)
    path = folder / f"{model.name}.gguf"
    with checkpoint:
        writer = _writer(path, plan)
        writer.add_tokenizer_model("none")
        writer.add_token_type_count(2)
        if f"{plan.architecture}.vocab_size" not in {entry.key for entry in plan.metadata}:
            writer.add_vocab_size(VOCABULARY)
        _finish(writer, plan)
    return path


def write_adapter_gguf(adapter: TinyAdapter, folder: Path) -> Path:
    """The adapter's plan as a file."""
    path = folder / f"{adapter.base}-lora.gguf"
    write_adapter(adapter, folder / f"{adapter.base}-lora")
    with Checkpoint(folder / f"{adapter.base}-lora") as checkpoint:
        config = adapter.model.config
        plan = plan_adapter(find_architecture(config), checkpoint.adapter, config, "lora")
        _finish(_writer(path, plan), plan)
    return path


def _writer(path: Path, plan: ModelPlan) -> GGUFWriter:
    writer = GGUFWriter(path, plan.architecture)
    for entry in plan.metadata:
        kind = GGUF_KINDS[entry.kind.removeprefix("[")]
        is_list = entry.kind.startswith("[")
        if entry.key != "general.architecture":
            writer.add_key_value(
                entry.key, entry.value, GGUFValueType.ARRAY if is_list else kind, kind if is_list else None
            )
    return writer


def _finish(writer: GGUFWriter, plan: ModelPlan) -> None:
    for tensor in plan.tensors:
        kind, raw = tensor_bytes(tensor, "F16")
        rows = np.frombuffer(raw, np.uint8).reshape(*tensor.shape[:-1], -1)
        writer.add_tensor(tensor.name, rows, raw_dtype=GGMLQuantizationType[kind])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_every_architecture_and_adapter_loads_and_computes(tmp_path: Path) -> None:
    paths = {str(write_gguf(model, tmp_path)): model.name for model in (*MODELS, *ENGINE_ONLY)}
    by_name = {name: path for path, name in paths.items()}
    for adapter in ADAPTERS:
        paths[f"{by_name[adapter.base]}|{write_adapter_gguf(adapter, tmp_path)}"] = f"{adapter.base} with an adapter"
    child = Path(__file__).with_name("engine_child.py")
    done = subprocess.run(
        [sys.executable, str(child), *paths],
        capture_output=True,
        timeout=120,
        env={**os.environ, "GGML_NO_BACKTRACE": "1"},
    )
    found = {paths[path]: result for path, result in map(json.loads, done.stdout.splitlines())}
    wrong = {
        name: found.get(name, "ends the process")
        for name in set(paths.values()) - set(NOT_LOADED)
        if found.get(name) != "finite"
    }
    assert wrong == {}, done.stderr[-3000:].decode(errors="replace")
    assert done.returncode == 0
