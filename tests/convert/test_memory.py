"""One tensor larger than all the memory that a conversion may take: plain, stacked experts, GPTQ."""

from __future__ import annotations

import json
import math
import os
import struct
from pathlib import Path
from typing import Any

import pytest

from snug.formats.random_checkpoint import tokenizer_model
from snug.worker.client import WorkerClient
from snug.worker.conversion_messages import ConversionDone, ConversionSource, Convert

IS_FULL = os.environ.get("SNUG_FULL_TESTS") == "1"
SCALE = 20 if IS_FULL else 1
MOST_BYTES = 1_500_000_000 if IS_FULL else 400_000_000
WIDTH = 2048
BYTES = {"BF16": 2, "F16": 2, "I32": 4}

Shapes = dict[str, tuple[str, tuple[int, ...]]]
LLAMA: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 512, "hidden_size": WIDTH,
    "intermediate_size": 512, "num_hidden_layers": 1, "num_attention_heads": 16, "num_key_value_heads": 2,
    "head_dim": 128, "hidden_act": "silu", "max_position_embeddings": 4096, "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0, "tie_word_embeddings": True, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
LAYER = "model.layers.0."


def attention() -> Shapes:
    return {
        "model.norm.weight": ("BF16", (WIDTH,)),
        f"{LAYER}input_layernorm.weight": ("BF16", (WIDTH,)),
        f"{LAYER}post_attention_layernorm.weight": ("BF16", (WIDTH,)),
        f"{LAYER}self_attn.q_proj.weight": ("BF16", (2048, WIDTH)),
        f"{LAYER}self_attn.k_proj.weight": ("BF16", (256, WIDTH)),
        f"{LAYER}self_attn.v_proj.weight": ("BF16", (256, WIDTH)),
        f"{LAYER}self_attn.o_proj.weight": ("BF16", (WIDTH, 2048)),
    }


def wide_embedding() -> tuple[dict[str, Any], Shapes]:
    rows = 40_000 * SCALE
    feed_forward: Shapes = {
        f"{LAYER}mlp.{name}_proj.weight": ("BF16", shape)
        for name, shape in (("gate", (512, WIDTH)), ("up", (512, WIDTH)), ("down", (WIDTH, 512)))
    }
    config = LLAMA | {"vocab_size": rows}
    return config, {"model.embed_tokens.weight": ("BF16", (rows, WIDTH)), **attention(), **feed_forward}


def stacked_experts() -> tuple[dict[str, Any], Shapes]:
    experts, width = 128, 160 * SCALE
    config = LLAMA | {
        "architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", "moe_intermediate_size": width,
        "num_experts": experts, "num_experts_per_tok": 8, "norm_topk_prob": True, "decoder_sparse_step": 1,
        "mlp_only_layers": [], "rms_norm_eps": 1e-6,
    }  # fmt: skip
    return config, {
        "model.embed_tokens.weight": ("BF16", (512, WIDTH)),
        **attention(),
        f"{LAYER}self_attn.q_norm.weight": ("BF16", (128,)),
        f"{LAYER}self_attn.k_norm.weight": ("BF16", (128,)),
        f"{LAYER}mlp.gate.weight": ("BF16", (experts, WIDTH)),
        f"{LAYER}mlp.experts.gate_up_proj": ("BF16", (experts, 2 * width, WIDTH)),
        f"{LAYER}mlp.experts.down_proj": ("BF16", (experts, WIDTH, width)),
    }


def gptq() -> tuple[dict[str, Any], Shapes]:
    inner = 8192 * SCALE
    shapes: Shapes = {"model.embed_tokens.weight": ("BF16", (512, WIDTH)), **attention()}
    for name, outputs, inputs in (("gate", inner, WIDTH), ("up", inner, WIDTH), ("down", WIDTH, inner)):
        start = f"{LAYER}mlp.{name}_proj."
        shapes[f"{start}qweight"] = ("I32", (inputs // 8, outputs))
        shapes[f"{start}qzeros"] = ("I32", (inputs // 128, outputs // 8))
        shapes[f"{start}scales"] = ("F16", (inputs // 128, outputs))
    quantised = {"quant_method": "gptq", "bits": 4, "group_size": 128, "desc_act": False, "sym": True}
    return LLAMA | {"intermediate_size": inner, "quantization_config": quantised}, shapes


def write_empty(folder: Path, config: dict[str, Any], shapes: Shapes) -> Path:
    """A checkpoint of zeros that takes no room on the disk: its weights are a hole in the file."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.model").write_bytes(tokenizer_model(500))
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "LlamaTokenizer"}')
    header, position = {}, 0
    for name, (kind, shape) in shapes.items():
        size = BYTES[kind] * math.prod(shape)
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [position, position + size]}
        position += size
    raw = json.dumps(header).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(raw)) + raw)
        file.truncate(8 + len(raw) + position)
    return folder


@pytest.mark.skipif(os.name == "nt", reason="holes in files are made in another way there")
@pytest.mark.parametrize("model", [wide_embedding, stacked_experts, gptq], ids=lambda model: model.__name__)
def test_a_tensor_larger_than_the_memory_passes_through(model: Any, tmp_path: Path) -> None:
    source = write_empty(tmp_path / "model", *model())
    request = Convert(
        source=ConversionSource(path=str(source)), out=str(tmp_path / "out.gguf"), type_name="Q4_K_M", threads=2,
        check=False,
    )  # fmt: skip
    with WorkerClient(tmp_path / "logs") as child:
        done = child.request(request, timeout=600)
    assert isinstance(done, ConversionDone)
    assert 0 < done.peak_memory_bytes < MOST_BYTES
