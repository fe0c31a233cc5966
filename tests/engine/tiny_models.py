"""Tiny models with random weights and Pip's vocabulary, of kinds that cannot forget the end of what they read."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

WIDTH, LAYERS, CONTEXT = 64, 2, 32_768
WINDOW = 32


def write_recurrent_model(path: Path, pip: Path) -> None:
    """A Mamba: its state holds everything that was read, and no part can be taken out again."""
    inner, state, rank, kernel = 2 * WIDTH, 8, 4, 4
    writer, random = _start(path, pip, "mamba")
    writer.add_ssm_conv_kernel(kernel)
    writer.add_ssm_inner_size(inner)
    writer.add_ssm_state_size(state)
    writer.add_ssm_time_step_rank(rank)
    for layer in range(LAYERS):
        name = f"blk.{layer}."
        shapes = {
            "ssm_in.weight": (2 * inner, WIDTH),
            "ssm_conv1d.weight": (inner, kernel),
            "ssm_conv1d.bias": (inner,),
            "ssm_x.weight": (rank + 2 * state, inner),
            "ssm_dt.weight": (inner, rank),
            "ssm_dt.bias": (inner,),
            "ssm_d": (inner,),
            "ssm_out.weight": (WIDTH, inner),
        }
        writer.add_tensor(name + "attn_norm.weight", np.ones(WIDTH, np.float32))
        writer.add_tensor(name + "ssm_a", -np.ones((inner, state), np.float32))
        for key, shape in shapes.items():
            writer.add_tensor(name + key, _weights(random, shape))
    _finish(writer)


def write_sliding_window_model(path: Path, pip: Path, context: int = CONTEXT) -> None:
    """A Gemma 2: every second layer keeps only the newest `WINDOW` tokens."""
    heads, feed_forward = 2, 128
    writer, random = _start(path, pip, "gemma2", context)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_key_length(WIDTH // heads)
    writer.add_value_length(WIDTH // heads)
    writer.add_sliding_window(WINDOW)
    for layer in range(LAYERS):
        name = f"blk.{layer}."
        for norm in ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"):
            writer.add_tensor(f"{name}{norm}.weight", np.ones(WIDTH, np.float32))
        for square in ("attn_q", "attn_k", "attn_v", "attn_output"):
            writer.add_tensor(f"{name}{square}.weight", _weights(random, (WIDTH, WIDTH)))
        for wide in ("ffn_gate", "ffn_up"):
            writer.add_tensor(f"{name}{wide}.weight", _weights(random, (feed_forward, WIDTH)))
        writer.add_tensor(f"{name}ffn_down.weight", _weights(random, (WIDTH, feed_forward)))
    _finish(writer)


def _start(
    path: Path, pip: Path, architecture: str, context: int = CONTEXT
) -> tuple[gguf.GGUFWriter, np.random.Generator]:
    random = np.random.default_rng(7)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(context)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(128)
    writer.add_block_count(LAYERS)
    if architecture == "mamba":
        writer.add_head_count(0)
    writer.add_layer_norm_rms_eps(1e-5)
    tokens = _copy_vocabulary(writer, pip)
    writer.add_tensor("token_embd.weight", _weights(random, (tokens, WIDTH)))
    writer.add_tensor("output_norm.weight", np.ones(WIDTH, np.float32))
    return writer, random


def _copy_vocabulary(writer: gguf.GGUFWriter, pip: Path) -> int:
    """Everything that Pip's file says about its tokenizer; how many tokens there are."""
    fields = gguf.GGUFReader(pip).fields
    for key, field in fields.items():
        if key.startswith("tokenizer."):
            kind = field.types[0]
            writer.add_key_value(key, field.contents(), kind, field.types[-1] if len(field.types) > 1 else None)
    return len(fields["tokenizer.ggml.tokens"].contents())


def _weights(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return random.normal(0.0, 2.0 / np.sqrt(shape[-1]), shape).astype(np.float32)


def _finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
