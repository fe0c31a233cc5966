"""Small GGUF files for tests: random weights in the shape of real architectures, written by gguf-py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gguf
import numpy as np


@dataclass
class Recipe:
    """A model to make. `tensors` maps names to numpy shapes (rows first reversed, as gguf-py wants them)."""

    architecture: str
    layers: int = 2
    width: int = 256
    feed_forward: int = 512
    heads: int = 4
    kv_heads: int = 2
    vocabulary: int = 512
    context: int = 4096
    tied: bool = False
    keys: dict[str, Any] = field(default_factory=dict)
    kind: Any = gguf.GGMLQuantizationType.F16
    layer_tensors: Callable[[Recipe, int], dict[str, tuple[int, ...]]] | None = None


def llama_layer(recipe: Recipe, index: int) -> dict[str, tuple[int, ...]]:
    """The tensors of one layer of a Llama-shaped model."""
    head = recipe.keys.get("attention.key_length", recipe.width // recipe.heads)
    inner, outer = recipe.heads * head, recipe.kv_heads * head
    return {
        f"blk.{index}.attn_norm.weight": (recipe.width,),
        f"blk.{index}.attn_q.weight": (inner, recipe.width),
        f"blk.{index}.attn_k.weight": (outer, recipe.width),
        f"blk.{index}.attn_v.weight": (outer, recipe.width),
        f"blk.{index}.attn_output.weight": (recipe.width, inner),
        f"blk.{index}.ffn_norm.weight": (recipe.width,),
        f"blk.{index}.ffn_gate.weight": (recipe.feed_forward, recipe.width),
        f"blk.{index}.ffn_up.weight": (recipe.feed_forward, recipe.width),
        f"blk.{index}.ffn_down.weight": (recipe.width, recipe.feed_forward),
    }


def gemma2_layer(recipe: Recipe, index: int) -> dict[str, tuple[int, ...]]:
    """The tensors of one layer of a Gemma-2-shaped model."""
    after = {f"blk.{index}.{name}.weight": (recipe.width,) for name in ("post_attention_norm", "post_ffw_norm")}
    return llama_layer(recipe, index) | after


def expert_layer(recipe: Recipe, index: int) -> dict[str, tuple[int, ...]]:
    """The tensors of one layer of a Qwen-3-MoE-shaped model, without dense feed-forward matrices."""
    shapes = {
        name: shape for name, shape in llama_layer(recipe, index).items() if ".ffn_norm" in name or ".attn" in name
    }
    head = recipe.keys.get("attention.key_length", recipe.width // recipe.heads)
    experts, length = recipe.keys["expert_count"], recipe.keys["expert_feed_forward_length"]
    for part in ("gate", "up"):
        shapes[f"blk.{index}.ffn_{part}_exps.weight"] = (experts, length, recipe.width)
    shapes[f"blk.{index}.ffn_down_exps.weight"] = (experts, recipe.width, length)
    shapes[f"blk.{index}.ffn_gate_inp.weight"] = (experts, recipe.width)
    return shapes | {f"blk.{index}.attn_{name}_norm.weight": (head,) for name in ("q", "k")}


def shapes_of(recipe: Recipe) -> dict[str, tuple[int, ...]]:
    """All tensors of the recipe with their shapes."""
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (recipe.vocabulary, recipe.width)}
    if not recipe.tied:
        shapes["output.weight"] = (recipe.vocabulary, recipe.width)
    shapes["output_norm.weight"] = (recipe.width,)
    for index in range(recipe.layers):
        shapes |= (recipe.layer_tensors or llama_layer)(recipe, index)
    return shapes


def write_gguf(path: Path, recipe: Recipe, seed: int = 1) -> Path:
    """Writes the recipe's model; the engine can load and run Llama-shaped ones of 300 tokens or more."""
    writer = gguf.GGUFWriter(path, recipe.architecture)
    writer.add_name(f"random {recipe.architecture}")
    writer.add_block_count(recipe.layers)
    writer.add_context_length(recipe.context)
    writer.add_embedding_length(recipe.width)
    writer.add_feed_forward_length(recipe.feed_forward)
    writer.add_head_count(recipe.heads)
    if "attention.head_count_kv" not in recipe.keys:
        writer.add_head_count_kv(recipe.kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(recipe.vocabulary)
    _add_vocabulary(writer, recipe.vocabulary)
    for key, value in recipe.keys.items():
        _add(writer, f"{recipe.architecture}.{key}", value)
    random = np.random.default_rng(seed)
    for name, shape in shapes_of(recipe).items():
        if len(shape) == 1:
            writer.add_tensor(name, np.ones(shape, dtype=np.float32))
            continue
        data = (random.standard_normal(shape, dtype=np.float32) * 0.02).astype(np.float32)
        if recipe.kind == gguf.GGMLQuantizationType.F16:
            writer.add_tensor(name, data.astype(np.float16))
        else:
            writer.add_tensor(name, gguf.quants.quantize(data, recipe.kind), raw_dtype=recipe.kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_vocabulary(writer: gguf.GGUFWriter, size: int) -> None:
    """Three control tokens, the 256 bytes, then made-up words; none at all where there is no room."""
    if size < 300:
        writer.add_tokenizer_model("none")
        return
    control, byte, normal = gguf.TokenType.CONTROL, gguf.TokenType.BYTE, gguf.TokenType.NORMAL
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{value:02X}>" for value in range(256))]
    kinds = [gguf.TokenType.UNKNOWN, control, control] + [byte] * 256 + [normal] * (size - 259)
    tokens += [f"\u2581word{number}" for number in range(size - 259)]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([-float(number) for number in range(size)])
    writer.add_token_types([int(kind) for kind in kinds])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template("{% for message in messages %}{{ message.content }} {% endfor %}")


def _add(writer: gguf.GGUFWriter, key: str, value: Any) -> None:
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, str):
        writer.add_string(key, value)
    else:
        writer.add_array(key, list(value))
