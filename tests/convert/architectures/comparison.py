"""Our plan of a tiny checkpoint beside the recording of llama.cpp's converter."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from snug.convert.architectures import plan_model
from snug.convert.architectures.model_card import read_card
from snug.convert.architectures.pooling import read_pooling
from snug.convert.plan import ModelPlan, OutputTensor
from snug.convert.quantize import quantize_rows
from snug.formats.checkpoints.checkpoint import Checkpoint
from tests.convert.yardstick.models_common import ENGINE_ONLY as COMMON_ENGINE_ONLY
from tests.convert.yardstick.models_common import MODELS as COMMON
from tests.convert.yardstick.models_encoders import MODELS as ENCODERS
from tests.convert.yardstick.models_newer import MODELS as NEWER
from tests.convert.yardstick.models_other import ENGINE_ONLY as OTHER_ENGINE_ONLY
from tests.convert.yardstick.models_other import MODELS as OTHER
from tests.convert.yardstick.tiny_models import TinyModel, write

RECORDINGS = Path(__file__).parents[2] / "data" / "architectures"
MODELS: tuple[TinyModel, ...] = (*COMMON, *OTHER, *ENCODERS, *NEWER)
ENGINE_ONLY: tuple[TinyModel, ...] = (*COMMON_ENGINE_ONLY, *OTHER_ENGINE_ONLY)
OURS_TOO = {"exaone.attention.layer_norm_rms_epsilon": "the engine asks for it; the converter forgets it"}
"""Keys that only Snug writes, and why."""
NOT_LOADED = {"deepseek2-lite": "the engine tells the small DeepSeek 2 by its 27 layers: `ENGINE_ONLY` has it"}
KINDS = {"STRING": "str", "UINT32": "u32", "INT32": "i32", "FLOAT32": "f32", "BOOL": "bool", "UINT64": "u64"}


def recording(model: TinyModel) -> dict[str, Any]:
    return json.loads((RECORDINGS / f"{model.name}.json").read_text())


def planned(model: TinyModel, folder: Path) -> tuple[Checkpoint, ModelPlan]:
    """The checkpoint, open, and its plan."""
    source = folder / (model.folder or model.name)
    write(model, source)
    checkpoint = Checkpoint(source)
    card, pooling = read_card(source), read_pooling(source)
    return checkpoint, plan_model(checkpoint.format, checkpoint.config, source.name, card, pooling)


def tensor_bytes(tensor: OutputTensor, output_type: str, step: int = 7) -> tuple[str, bytes]:
    """Type and bytes of a tensor, read some rows at a time."""
    kind = tensor.fixed_type or output_type
    if tensor.read_stored is not None:
        return kind, tensor.read_stored(0, tensor.rows)
    parts = []
    for first in range(0, tensor.rows, step):
        rows = tensor.read_rows(first, min(tensor.rows, first + step))
        assert rows.dtype == np.float32
        assert rows.shape == (min(tensor.rows, first + step) - first, tensor.columns)
        parts.append(quantize_rows(rows, kind))
    return kind, b"".join(parts)


def differences(model: TinyModel, folder: Path) -> list[str]:
    """Every key and tensor that is not as recorded, in words."""
    checkpoint, plan = planned(model, folder)
    with checkpoint:
        recorded = recording(model)
        found = _metadata_differences(plan, recorded["metadata"])
        ours = {tensor.name: tensor for tensor in plan.tensors}
        for name in sorted(set(ours) | set(recorded["tensors"])):
            if name not in ours or name not in recorded["tensors"]:
                found.append(f"{name}: only {'ours' if name in ours else 'theirs'}")
                continue
            kind, shape, digest = recorded["tensors"][name]
            our_kind, raw = tensor_bytes(ours[name], recorded["output_type"])
            if (our_kind, list(ours[name].shape)) != (kind, shape):
                found.append(f"{name}: {our_kind} {ours[name].shape}, theirs {kind} {shape}")
            elif isinstance(digest, list):
                if not np.allclose(np.frombuffer(raw, np.float32), np.ravel(digest), rtol=2**-22, atol=0):
                    found.append(f"{name}: other values")
            elif hashlib.sha256(raw).hexdigest()[:32] != digest:
                found.append(f"{name}: other bytes")
    return found


def _metadata_differences(plan: ModelPlan, theirs: dict[str, list[Any]]) -> list[str]:
    ours = {entry.key: (entry.kind, entry.value) for entry in plan.metadata}
    found = []
    for key in sorted((set(ours) | set(theirs)) - (set(OURS_TOO) - set(theirs))):
        if key not in ours or key not in theirs:
            found.append(f"{key}: only {'ours' if key in ours else 'theirs'} {ours.get(key, theirs.get(key))}")
            continue
        kind, value = theirs[key]
        kind = "[" + KINDS[kind[1:]] if kind.startswith("[") else KINDS[kind]
        if kind != ours[key][0] or not _same(ours[key][1], value):
            found.append(f"{key}: {ours[key]}, theirs {(kind, value)}")
    return found


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(theirs, float):
        return math.isclose(float(np.float32(ours)), theirs, rel_tol=1e-12)
    if isinstance(theirs, list):
        return len(ours) == len(theirs) and all(_same(a, b) for a, b in zip(ours, theirs, strict=True))
    return bool(ours == theirs)
