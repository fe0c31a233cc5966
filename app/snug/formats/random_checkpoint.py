"""A generated checkpoint in the shape of a real model: random BF16 weights in safetensors, a config, a tokenizer."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_POOL = 8 * 1024 * 1024
_STEP = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LlamaShape:
    """The sizes of a Llama-shaped model with tied embeddings."""

    layers: int
    width: int
    feed_forward: int
    heads: int
    kv_heads: int
    vocabulary: int

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Every tensor's name and shape."""
        head = self.width // self.heads
        inner = self.kv_heads * head
        found: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (self.vocabulary, self.width)}
        for layer in range(self.layers):
            start = f"model.layers.{layer}."
            found |= {
                f"{start}input_layernorm.weight": (self.width,),
                f"{start}self_attn.q_proj.weight": (self.width, self.width),
                f"{start}self_attn.k_proj.weight": (inner, self.width),
                f"{start}self_attn.v_proj.weight": (inner, self.width),
                f"{start}self_attn.o_proj.weight": (self.width, self.width),
                f"{start}post_attention_layernorm.weight": (self.width,),
                f"{start}mlp.gate_proj.weight": (self.feed_forward, self.width),
                f"{start}mlp.up_proj.weight": (self.feed_forward, self.width),
                f"{start}mlp.down_proj.weight": (self.width, self.feed_forward),
            }
        return found | {"model.norm.weight": (self.width,)}

    def config(self) -> dict[str, Any]:
        """config.json as the library of Hugging Face writes it."""
        return {
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": self.vocabulary,
            "hidden_size": self.width, "intermediate_size": self.feed_forward, "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads, "num_key_value_heads": self.kv_heads,
            "head_dim": self.width // self.heads, "hidden_act": "silu", "max_position_embeddings": 8192,
            "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "tie_word_embeddings": True, "torch_dtype": "bfloat16",
            "bos_token_id": 1, "eos_token_id": 2,
        }  # fmt: skip

    @property
    def parameters(self) -> int:
        return sum(math.prod(shape) for shape in self.tensors().values())


ONE_BILLION = LlamaShape(layers=16, width=2048, feed_forward=8192, heads=32, kv_heads=8, vocabulary=128256)
"""The shape of Llama 3.2 1B."""
TINY = LlamaShape(layers=2, width=256, feed_forward=512, heads=4, kv_heads=2, vocabulary=512)


def write_checkpoint(folder: Path, shape: LlamaShape, shards: int = 1, seed: int = 1) -> Path:
    """The checkpoint in `folder`, its weights bell-shaped as trained ones are, over so many files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(shape.config(), indent=1))
    (folder / "tokenizer.model").write_bytes(tokenizer_model(min(500, shape.vocabulary)))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "LlamaTokenizer"}))
    tensors = list(shape.tensors().items())
    random = np.random.default_rng(seed)
    pool = _bfloat16(random.standard_normal(_POOL, dtype=np.float32) * np.float32(0.02))
    share = -(-len(tensors) // shards)
    names = [f"model-{number + 1:05d}-of-{shards:05d}.safetensors" for number in range(shards)]
    names = ["model.safetensors"] if shards == 1 else names
    index: dict[str, str] = {}
    for number, name in enumerate(names):
        part = dict(tensors[number * share : (number + 1) * share])
        _write_shard(folder / name, part, pool, random)
        index |= dict.fromkeys(part, name)
    if shards > 1:
        document = {"metadata": {"total_size": 2 * shape.parameters}, "weight_map": index}
        (folder / "model.safetensors.index.json").write_text(json.dumps(document))
    return folder


def _write_shard(
    path: Path, tensors: Mapping[str, tuple[int, ...]], pool: np.ndarray[Any, Any], random: np.random.Generator
) -> None:
    header: dict[str, Any] = {}
    position = 0
    for name, shape in tensors.items():
        size = 2 * math.prod(shape)
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [position, position + size]}
        position += size
    raw = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(raw)) + raw)
        for name, shape in tensors.items():
            values = math.prod(shape)
            if "norm" in name:
                file.write(np.full(values, 0x3F80, np.uint16).tobytes())  # ones
                continue
            while values:
                count = min(values, _STEP)
                start = int(random.integers(0, len(pool) - count + 1))
                file.write(pool[start : start + count].tobytes())
                values -= count


def _bfloat16(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return ((values.view(np.uint32) + np.uint32(0x8000)) >> np.uint32(16)).astype(np.uint16)


def tokenizer_model(pieces: int) -> bytes:
    """A SentencePiece model (sentencepiece_model.proto) of the control pieces, all bytes, and made-up words."""
    named = [("<unk>", 2), ("<s>", 3), ("</s>", 3), *((f"<0x{byte:02X}>", 6) for byte in range(256))]
    named += [(f"▁w{number}", 1) for number in range(max(0, pieces - len(named)))]
    proto = b""
    for rank, (piece, kind) in enumerate(named):
        body = _field(1, piece.encode()) + b"\x15" + struct.pack("<f", -float(rank)) + bytes((0x18, kind))
        proto += _field(1, body)
    trainer = bytes((0x18, 2, 0x98, 0x02, 1))  # model_type: BPE; byte_fallback
    return proto + _field(2, trainer) + _field(3, _field(1, b"identity"))


def _field(number: int, body: bytes) -> bytes:
    length, encoded = len(body), b""
    while length >= 0x80:
        encoded += bytes((length & 0x7F | 0x80,))
        length >>= 7
    return bytes((number << 3 | 2,)) + encoded + bytes((length,)) + body
