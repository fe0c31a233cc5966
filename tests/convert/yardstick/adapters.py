"""Tiny LoRA adapters for tiny models, made from a seed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.convert.yardstick.models_common import MODELS as COMMON
from tests.convert.yardstick.models_other import MODELS as OTHER
from tests.convert.yardstick.tiny_models import Shapes, TinyModel, write

RANK, ALPHA = 4, 16
BY_NAME = {model.name: model for model in (*COMMON, *OTHER)}


@dataclass(frozen=True)
class TinyAdapter:
    """An adapter of `base`: the endings of the modules that it changes."""

    base: str
    endings: tuple[str, ...]

    @property
    def model(self) -> TinyModel:
        return BY_NAME[self.base]

    @property
    def shapes(self) -> Shapes:
        found: Shapes = {}
        for name, shape in self.model.shapes.items():
            module = name.removesuffix(".weight")
            if len(shape) == 2 and module != name and module.endswith(self.endings):
                found[f"base_model.model.{module}.lora_A.weight"] = (RANK, shape[1])
                found[f"base_model.model.{module}.lora_B.weight"] = (shape[0], RANK)
        return found


ADAPTERS = (
    TinyAdapter("llama", ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")),
    TinyAdapter("qwen3", ("q_proj", "v_proj", "lm_head")),
    TinyAdapter("phi3", ("qkv_proj", "gate_up_proj", "o_proj")),
    TinyAdapter("mixtral", ("q_proj", "w1", "w2", "w3")),
    TinyAdapter("gemma3", ("q_proj", "down_proj")),
)


def write_adapter(adapter: TinyAdapter, folder: Path) -> None:
    """adapter_config.json and adapter_model.safetensors in `folder`."""
    write(TinyModel(adapter.base, {}, adapter.shapes, stored={"": "F32"}), folder)
    (folder / "config.json").unlink()
    (folder / "model.safetensors").rename(folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": RANK, "lora_alpha": ALPHA, "base_model_name_or_path": "snug/tiny"}
    (folder / "adapter_config.json").write_text(json.dumps(config))
