"""Tiny checkpoints of every architecture, made from a seed: config.json and the names and shapes of the tensors.

Independent of Snug's code, so that the reference converter's environment can run it too (numpy alone).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

WIDTH, HEADS, KV_HEADS, HEAD, FEED_FORWARD, LAYERS, VOCABULARY, CONTEXT = 64, 4, 2, 16, 96, 2, 160, 256
EXPERTS, EXPERT_WIDTH = 4, 32
Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class TinyModel:
    """One checkpoint. `config` is config.json; `stored` names other types than BF16 by the ending of a tensor's name.

    `folder` is what its folder is called, `files` are others in it. `beside` are tensors that the reference fails on
    and that Snug must leave out.
    """

    name: str
    config: Mapping[str, Any]
    shapes: Shapes
    stored: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    beside: Shapes = field(default_factory=dict)


def base(architecture: str, model_type: str, **settings: Any) -> dict[str, Any]:
    """A config.json of the usual kind."""
    return {
        "architectures": [architecture], "model_type": model_type, "vocab_size": VOCABULARY, "hidden_size": WIDTH,
        "intermediate_size": FEED_FORWARD, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS, "max_position_embeddings": CONTEXT, "rms_norm_eps": 1e-5,
        "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": False, "torch_dtype": "bfloat16",
    } | settings  # fmt: skip


def without(config: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key not in keys}


def layers(make: Callable[[int], Shapes], prefix: str = "model.layers.", count: int = LAYERS) -> Shapes:
    return {f"{prefix}{layer}.{name}": shape for layer in range(count) for name, shape in make(layer).items()}


def ends(head: bool = True, prefix: str = "model.") -> Shapes:
    tail = {"lm_head.weight": (VOCABULARY, WIDTH)} if head else {}
    return {f"{prefix}embed_tokens.weight": (VOCABULARY, WIDTH), f"{prefix}norm.weight": (WIDTH,)} | tail


def attention(head: int = HEAD, kv: int = KV_HEADS, bias: tuple[str, ...] = (), norms: bool = False) -> Shapes:
    sizes = {"q": HEADS * head, "k": kv * head, "v": kv * head}
    found: Shapes = {f"self_attn.{part}_proj.weight": (rows, WIDTH) for part, rows in sizes.items()}
    found["self_attn.o_proj.weight"] = (WIDTH, HEADS * head)
    found |= {f"self_attn.{part}_proj.bias": ((sizes | {"o": WIDTH})[part],) for part in bias}
    if norms:
        found |= {f"self_attn.{part}_norm.weight": (head,) for part in "qk"}
    return found


def feed_forward(width: int = FEED_FORWARD, prefix: str = "mlp.") -> Shapes:
    return {f"{prefix}{part}_proj.weight": (width, WIDTH) for part in ("gate", "up")} | {
        f"{prefix}down_proj.weight": (WIDTH, width)
    }


def experts(
    prefix: str = "mlp.experts.", names: tuple[str, str, str] = ("gate_proj", "up_proj", "down_proj")
) -> Shapes:
    gate, up, down = names
    found: Shapes = {}
    for expert in range(EXPERTS):
        found |= {f"{prefix}{expert}.{part}.weight": (EXPERT_WIDTH, WIDTH) for part in (gate, up)}
        found[f"{prefix}{expert}.{down}.weight"] = (WIDTH, EXPERT_WIDTH)
    return found


def norms(*names: str) -> Shapes:
    return {f"{name}.weight": (WIDTH,) for name in names or ("input_layernorm", "post_attention_layernorm")}


def with_bias(shapes: Shapes) -> Shapes:
    return shapes | {
        name.removesuffix("weight") + "bias": shape[:1] for name, shape in shapes.items() if name.endswith("weight")
    }


def values(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Uniform numbers that keep activations tame: norms around one, all else small."""
    random = np.random.Generator(np.random.PCG64([seed, *name.encode()]))
    spread = random.random(shape, dtype=np.float32) - np.float32(0.5)
    if "norm" in name.lower() or "ln_" in name or name.endswith("layer_scalar"):
        return spread * np.float32(0.2) + np.float32(1 if name.endswith("weight") or "scal" in name else 0)
    return spread * np.float32(0.4)


def stored_bytes(array: np.ndarray, kind: str) -> bytes:
    """The array as the type's bytes; BF16 rounds to nearest even."""
    if kind == "BF16":
        words = array.astype(np.float32).view(np.uint32)
        return ((words + (0x7FFF + ((words >> 16) & 1))) >> 16).astype(np.uint16).tobytes()
    if kind == "U8":
        return (np.abs(array) * 600).astype(np.uint8).tobytes()
    return array.astype({"F32": np.float32, "F16": np.float16, "I64": np.int64}[kind]).tobytes()


def write(model: TinyModel, folder: Path, seed: int = 1, *, for_reference: bool = False) -> None:
    """The checkpoint in `folder`; `for_reference` without the tensors that the reference fails on."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(dict(model.config)))
    for name, text in model.files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    header: dict[str, Any] = {}
    data = b""
    for name, shape in (dict(model.shapes) if for_reference else model.shapes | model.beside).items():
        kind = next((kind for ending, kind in model.stored.items() if name.endswith(ending)), "BF16")
        raw = stored_bytes(np.asarray(values(name, shape, seed)), kind)
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)
