"""EXAONE 3 and 4, and Nemotron (Minitron)."""

from __future__ import annotations

from snug.convert.architectures.architecture import Architecture, Hyper, Rule, in_layers, named
from snug.convert.architectures.blocks import (
    ATTENTION,
    ENDS,
    FEED_FORWARD,
    HEAD_NORMS,
    HEADS,
    KV_HEADS,
    SLIDING_WINDOW,
    VOCABULARY,
)
from snug.convert.architectures.hyper_parameters import rope_settings
from snug.convert.architectures.llama import llama3_rope
from snug.convert.architectures.settings import Settings, as_number, impossible
from snug.convert.architectures.transforms import plus_one


def rotary_size(settings: Settings) -> int:
    share = rope_settings(settings).get("partial_rotary_factor")
    share = 1.0 if share is None else as_number(share, "partial_rotary_factor")
    return int(share * (settings.width // settings.heads))


def nemotron_rotary(settings: Settings) -> int:
    share = as_number(rope_settings(settings).get("partial_rotary_factor"), "partial_rotary_factor")
    return int(share * settings.width) // settings.heads


def scaling_factor(settings: Settings) -> float | None:
    factor = settings.get("factor") or rope_settings(settings).get("factor")
    return None if factor is None else as_number(factor, "factor")


def sliding_pattern(settings: Settings) -> list[bool] | None:
    """From the layers' kinds, a word such as LLLG, or a number: every so many layers attend to all."""
    if settings.get("sliding_window") is None:
        return None
    if "layer_types" in settings.values:
        return [kind == "sliding_attention" for kind in settings.items("layer_types")]
    pattern = settings.get("sliding_window_pattern")
    if isinstance(pattern, str) and pattern:
        return [pattern[layer % len(pattern)] == "L" for layer in range(settings.layers)]
    if pattern is None:
        return None
    every = settings.positive("sliding_window_pattern")
    return [(layer + 1) % every != 0 for layer in range(settings.layers)]


def silu_only(settings: Settings) -> None:
    if settings.get("activation_function") != "silu":
        raise impossible("activation_function", settings.get("activation_function"))


EXAONE = Architecture(
    "exaone",
    ("ExaoneForCausalLM",),
    (
        *named("transformer.", "", {"wte": "token_embd", "ln_f": "output_norm"}),
        Rule(("lm_head",), "output"),
        *in_layers(
            {
                "ln_1": "attn_norm",
                "ln_2": "ffn_norm",
                "attn.attention.q_proj": "attn_q",
                "attn.attention.k_proj": "attn_k",
                "attn.attention.v_proj": "attn_v",
                "attn.attention.out_proj": "attn_output",
                "mlp.c_fc_0": "ffn_gate",
                "mlp.c_fc_1": "ffn_up",
                "mlp.c_proj": "ffn_down",
            },
            "transformer.h.#.",
        ),
    ),
    (
        Hyper("attention.layer_norm_rms_epsilon", "f32", ("rms_norm_eps", "layer_norm_epsilon")),
        Hyper("rope.dimension_count", "u32", rotary_size),
    ),
    ignored=(r"\.rotary\.inv_freq$",),
    generated=(llama3_rope,),
    prepare=silu_only,
)
EXAONE4 = Architecture(
    "exaone4",
    ("Exaone4ForCausalLM",),
    (
        *ENDS,
        *in_layers({"post_attention_layernorm": "post_attention_norm", "post_feedforward_layernorm": "post_ffw_norm"}),
        *HEAD_NORMS,
        *ATTENTION,
        *FEED_FORWARD,
    ),
    (VOCABULARY, SLIDING_WINDOW, Hyper("attention.sliding_window_pattern", "[bool", sliding_pattern)),
    {**KV_HEADS, "rms_norm_eps": 1e-5, "rope_theta": 10000.0},
    generated=(llama3_rope,),
)
NEMOTRON = Architecture(
    "nemotron",
    ("NemotronForCausalLM",),
    (
        *named("", "", {"model.embed_tokens": "token_embd", "lm_head": "output"}),
        Rule(("model.norm",), "output_norm", plus_one),
        *ATTENTION,
        *in_layers(
            {
                "input_layernorm": ("attn_norm", plus_one),
                "post_attention_layernorm": ("ffn_norm", plus_one),
                "mlp.up_proj": "ffn_up",
                "mlp.down_proj": "ffn_down",
            }
        ),
    ),
    (
        VOCABULARY,
        Hyper(
            "attention.layer_norm_epsilon", "f32", ("layer_norm_eps", "layer_norm_epsilon", "norm_epsilon", "norm_eps")
        ),
        Hyper("rope.dimension_count", "u32", nemotron_rotary),
        Hyper("rope.scaling.type", "str", lambda settings: "none" if scaling_factor(settings) is None else "linear"),
        Hyper("rope.scaling.factor", "f32", scaling_factor),
    ),
    {**HEADS, "rope_theta": 10000.0, "partial_rotary_factor": 0.5, "norm_eps": 1e-5},
)
ENTRIES = (EXAONE, EXAONE4, NEMOTRON)
