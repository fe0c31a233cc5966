"""Models of an older shape: GPT-2, GPT-NeoX, Falcon, StarCoder 2, StableLM."""

from __future__ import annotations

import numpy as np

from snug.convert.architectures import views
from snug.convert.architectures.architecture import Architecture, Hyper, Match, Rule, in_layers, named
from snug.convert.architectures.blocks import ATTENTION, ENDS, FEED_FORWARD, KV_HEADS, NORMS
from snug.convert.architectures.hyper_parameters import BASIC, rope_settings
from snug.convert.architectures.settings import Settings, as_number, impossible
from snug.convert.architectures.transforms import Outputs, merge_experts, rows_in_order
from snug.convert.architectures.views import Index

LAYER_NORM = (*BASIC, "attention.layer_norm_epsilon")


def from_inputs(match: Match) -> Outputs:
    """GPT-2 keeps its matrices as (inputs, outputs); quantised ones come the usual way round."""
    (view,) = match.views
    is_swapped = len(view.shape) == 2 and view.is_plain
    yield match.name, views.transposed(view) if is_swapped else view


def by_head(settings: Settings, rows: int) -> Index:
    """Query, key and value of each head together become all queries, all keys, all values (GPT-NeoX)."""
    heads = settings.heads
    if rows % (3 * heads):
        raise impossible("num_attention_heads", heads)
    return np.arange(rows, dtype=np.int64).reshape(heads, 3, -1).swapaxes(0, 1).reshape(-1)


def falcon_kv_heads(settings: Settings) -> int:
    """One for all where the config says so, whatever count stands beside it."""
    if settings.flag("multi_query") and not settings.flag("new_decoder_architecture"):
        return 1
    heads = settings.get("num_kv_heads")
    return settings.whole("n_head_kv") if heads is None else settings.whole("num_kv_heads")


def by_group(settings: Settings, rows: int) -> Index:
    """Groups of queries that share a key and a value become all queries, all keys, all values (Falcon)."""
    heads, groups = settings.heads, falcon_kv_heads(settings) or 1
    size = settings.width // heads
    if heads % groups or rows != (heads + 2 * groups) * size:
        raise impossible("num_kv_heads", groups)
    order = np.arange(rows, dtype=np.int64).reshape(groups, heads // groups + 2, size)
    return np.concatenate([order[:, :-2].reshape(-1), order[:, -2].reshape(-1), order[:, -1].reshape(-1)])


def share_of_head(key: str) -> Hyper:
    """So many values of each head are rotated."""

    def size(settings: Settings) -> int:
        share = settings.get(key) if settings.get(key) is not None else rope_settings(settings).get(key)
        return int(as_number(share, key) * (settings.width // settings.heads))

    return Hyper("rope.dimension_count", "u32", size)


def four_widths(settings: Settings) -> int:
    return 4 * settings.width


GPT2 = Architecture(
    "gpt2",
    ("GPT2LMHeadModel",),
    (
        *named("", "", {"wte": "token_embd", "wpe": "position_embd", "ln_f": "output_norm", "lm_head": "output"}),
        *in_layers(
            {
                "ln_1": "attn_norm",
                "ln_2": "ffn_norm",
                "attn.c_attn": ("attn_qkv", from_inputs),
                "attn.c_proj": ("attn_output", from_inputs),
                "mlp.c_fc": ("ffn_up", from_inputs),
                "mlp.c_proj": ("ffn_down", from_inputs),
            },
            "h.#.",
        ),
    ),
    (
        Hyper("context_length", "u32", ("n_ctx", "n_positions")),
        Hyper("feed_forward_length", "u32", four_widths),
    ),
    {"n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12, "layer_norm_epsilon": 1e-5},
    ignored=(r"(^|\.)attn\.(masked_)?bias$",),
    strip=("transformer.",),
    common=("block_count", "embedding_length", "attention.head_count", "attention.layer_norm_epsilon"),
)
GPT_NEOX = Architecture(
    "gptneox",
    ("GPTNeoXForCausalLM",),
    (
        *named("", "", {"gpt_neox.embed_in": "token_embd", "gpt_neox.final_layer_norm": "output_norm",
                        "embed_out": "output"}),
        *in_layers(
            {
                "input_layernorm": "attn_norm",
                "post_attention_layernorm": "ffn_norm",
                "attention.query_key_value": ("attn_qkv", rows_in_order(by_head)),
                "attention.dense": "attn_output",
                "mlp.dense_h_to_4h": "ffn_up",
                "mlp.dense_4h_to_h": "ffn_down",
            },
            "gpt_neox.layers.#.",
        ),
    ),
    (
        share_of_head("rotary_pct"),
        Hyper("use_parallel_residual", "bool", ("use_parallel_residual",)),
    ),
    {"rotary_pct": 0.25, "use_parallel_residual": True, "layer_norm_eps": 1e-5, "max_position_embeddings": 2048},
    common=tuple(key for key in LAYER_NORM if key != "attention.head_count_kv"),
)  # fmt: skip
FALCON = Architecture(
    "falcon",
    ("FalconForCausalLM", "RWForCausalLM"),
    (
        *named("transformer.", "", {"word_embeddings": "token_embd", "ln_f": "output_norm"}),
        Rule(("lm_head",), "output"),
        *in_layers(
            {
                "input_layernorm": "attn_norm",
                "ln_mlp": "attn_norm",
                "ln_attn": "attn_norm_2",
                "self_attention.query_key_value": ("attn_qkv", rows_in_order(by_group)),
                "self_attention.dense": "attn_output",
                "mlp.dense_h_to_4h": "ffn_up",
                "mlp.dense_4h_to_h": "ffn_down",
            },
            "transformer.h.#.",
        ),
    ),
    (
        Hyper("context_length", "u32", lambda settings: 2048),
        Hyper("tensor_data_layout", "str", lambda settings: "jploski"),
        Hyper("feed_forward_length", "u32", four_widths),
        Hyper("attention.head_count_kv", "u32", falcon_kv_heads),
    ),
    {"layer_norm_epsilon": 1e-5, "num_kv_heads": lambda settings: settings.get("n_head_kv") or settings.heads},
    common=LAYER_NORM,
)
STARCODER2 = Architecture(
    "starcoder2",
    ("Starcoder2ForCausalLM",),
    (*ENDS, *NORMS, *ATTENTION, *in_layers({"mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down"})),
    (),
    {"num_key_value_heads": 2, "norm_epsilon": 1e-5, "rope_theta": 10000.0},
)
STABLELM = Architecture(
    "stablelm",
    ("StableLmForCausalLM", "StableLMEpochForCausalLM"),
    (
        *ENDS,
        *NORMS,
        *ATTENTION,
        *FEED_FORWARD,
        Rule(("model.layers.#.self_attn.q_layernorm.norms.@",), "blk.#.attn_q_norm", merge_experts,
             lambda settings: settings.heads),
        Rule(("model.layers.#.self_attn.k_layernorm.norms.@",), "blk.#.attn_k_norm", merge_experts,
             lambda settings: settings.kv_heads),
    ),
    (
        share_of_head("partial_rotary_factor"),
        Hyper("use_parallel_residual", "bool", ("use_parallel_residual",)),
    ),
    {**KV_HEADS, "partial_rotary_factor": 0.25, "use_parallel_residual": False, "layer_norm_eps": 1e-5,
     "max_position_embeddings": 4096},
    common=LAYER_NORM,
)  # fmt: skip
ENTRIES = (GPT2, GPT_NEOX, FALCON, STARCODER2, STABLELM)
