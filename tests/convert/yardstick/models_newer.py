"""Tiny models whose configs are written as transformers 5 does: everything about positions in `rope_parameters`."""

from __future__ import annotations

from typing import Any

from tests.convert.yardstick.models_common import MODELS as COMMON
from tests.convert.yardstick.models_other import MODELS as OTHER
from tests.convert.yardstick.tiny_models import TinyModel, without

OLDER = ("rope_theta", "rope_scaling", "rope_local_base_freq", "partial_rotary_factor")
BY_NAME = {model.name: model for model in (*COMMON, *OTHER)}
YARN = {"rope_type": "yarn", "rope_theta": 150000.0, "factor": 32.0, "beta_fast": 32.0, "beta_slow": 1.0,
        "truncate": False, "original_max_position_embeddings": 64}  # fmt: skip
LONG = {"rope_type": "longrope", "rope_theta": 10000.0, "partial_rotary_factor": 1.0, "short_factor": [1.0] * 8,
        "long_factor": [1.5] * 8, "original_max_position_embeddings": 64}  # fmt: skip


def newer(name: str, rope: dict[str, Any]) -> TinyModel:
    """The model `name` with its rope settings as `rope_parameters`."""
    model = BY_NAME[name]
    config = without(model.config, *OLDER) | {"rope_parameters": rope}
    return TinyModel(f"{name}-v5", config, model.shapes, model.stored)


def default(base: float, **others: Any) -> dict[str, Any]:
    return {"rope_type": "default", "rope_theta": base} | others


MODELS = (
    newer("gemma3", {"full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
                     "sliding_attention": default(10000.0)}),
    newer("olmo3", {"full_attention": YARN, "sliding_attention": default(10000.0)}),
    newer("qwen3moe", default(1e6)),
    newer("gpt-oss", YARN),
    newer("phi3", LONG),
    newer("glm4", default(10000.0, partial_rotary_factor=0.5)),
    newer("nemotron", default(10000.0, partial_rotary_factor=0.5)),
    newer("stablelm", default(10000.0, partial_rotary_factor=0.25)),
    newer("lfm2", default(1e6)),
    newer("mixtral", default(1e6)),
)  # fmt: skip
