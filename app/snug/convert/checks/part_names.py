"""The parts of a model in words: "the attention (values) in layer 3" for blk.2.attn_v.weight."""

from __future__ import annotations

import re
from collections.abc import Iterable

MOST_NAMED = 3
PARTS = {
    "token_embd": "the word table",
    "output": "the table of answers",
    "per_layer_token_embd": "the layers' word table",
    "attn_q": "the attention (queries)",
    "attn_k": "the attention (keys)",
    "attn_v": "the attention (values)",
    "attn_qkv": "the attention (input)",
    "attn_output": "the attention (output)",
    "attn_gate": "the attention (gate)",
    "attn_q_a": "the attention (queries, first half)",
    "attn_q_b": "the attention (queries, second half)",
    "attn_kv_a_mqa": "the attention (memory, first half)",
    "attn_kv_b": "the attention (memory, second half)",
    "ffn_up": "the knowledge part (up)",
    "ffn_gate": "the knowledge part (gate)",
    "ffn_down": "the knowledge part (down)",
    "ffn_gate_inp": "the choice of experts",
    "ssm_in": "the running memory (input)",
    "ssm_out": "the running memory (output)",
}
"""Names of GGUF tensors, without layer and ending, in a person's words."""
EXPERTS = ("_exps", "_shexp")
"""Endings of the tensors that hold experts, one beside the other or shared."""
_LAYER = re.compile(r"(?:blk|enc\.blk|dec\.blk)\.(\d+)\.(.+)")


def part_name(tensor: str) -> str:
    """The words for a tensor of a GGUF; its own name where there are none."""
    name = tensor.removesuffix(".weight").removesuffix(".bias")
    inside = _LAYER.fullmatch(name)
    kind = inside[2] if inside else name
    plain = next((kind.removesuffix(ending) for ending in EXPERTS if kind.endswith(ending)), kind)
    words = PARTS.get(plain, plain) + (" of the experts" if plain != kind else "")
    return f"{words} in layer {int(inside[1]) + 1}" if inside else words


def part_names(tensors: Iterable[str]) -> str:
    """The first few in words: "the word table, the attention (values) in layer 1 and 4 more"."""
    names = [part_name(tensor) for tensor in tensors]
    shown, more = names[:MOST_NAMED], len(names) - MOST_NAMED
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else ""
