"""Gemma 1, 2 and 3, the text part."""

from __future__ import annotations

from dataclasses import replace

from snug.convert.architectures import views
from snug.convert.architectures.architecture import Architecture, Hyper, Match, Rule, in_layers
from snug.convert.architectures.blocks import ATTENTION, FEED_FORWARD, KV_HEADS
from snug.convert.architectures.hyper_parameters import BASIC, full_rope
from snug.convert.architectures.settings import Settings
from snug.convert.architectures.transforms import Outputs, plus_one


def vocabulary_rows(match: Match) -> Outputs:
    """The embeddings of tokens that there are: checkpoints with pictures have more rows than words."""
    (view,) = match.views
    rows = min(view.shape[0], match.settings.whole("vocab_size"))
    yield match.name, views.row_slice(view, 0, rows)


ENDS = (Rule(("model.embed_tokens",), "token_embd"), Rule(("model.norm",), "output_norm", plus_one))
NORMS = in_layers({"input_layernorm": ("attn_norm", plus_one), "post_attention_layernorm": ("ffn_norm", plus_one)})
FOUR_NORMS = in_layers(
    {
        "input_layernorm": ("attn_norm", plus_one),
        "post_attention_layernorm": ("post_attention_norm", plus_one),
        "pre_feedforward_layernorm": ("ffn_norm", plus_one),
        "post_feedforward_layernorm": ("post_ffw_norm", plus_one),
    }
)
HEAD_NORMS = in_layers({"self_attn.q_norm": ("attn_q_norm", plus_one), "self_attn.k_norm": ("attn_k_norm", plus_one)})
COMMON_KEYS = (*BASIC, "attention.layer_norm_rms_epsilon", "attention.key_length", "attention.value_length")
TIED = (r"^lm_head\.weight$",)
"""The output is the embedding in all of them; some checkpoints hold it twice."""


def soft_cap(settings: Settings) -> float | None:
    return settings.number("final_logit_softcapping") if settings.get("final_logit_softcapping") else None


def sliding_window(settings: Settings) -> int | None:
    return None if settings.get("sliding_window_pattern") == 1 else settings.whole("sliding_window")


def base_frequency(settings: Settings) -> float:
    value = full_rope(settings).get("rope_theta")
    return 1_000_000.0 if value is None else value


GEMMA = Architecture(
    "gemma",
    ("GemmaForCausalLM",),
    (*ENDS, *NORMS, *ATTENTION, *FEED_FORWARD),
    (),
    {**KV_HEADS, "head_dim": 256, "rms_norm_eps": 1e-6, "max_position_embeddings": 8192},
    ignored=TIED,
    common=COMMON_KEYS,
)
GEMMA2 = Architecture(
    "gemma2",
    ("Gemma2ForCausalLM",),
    (*ENDS, *FOUR_NORMS, *ATTENTION, *FEED_FORWARD),
    (
        Hyper("attn_logit_softcapping", "f32", ("attn_logit_softcapping",)),
        Hyper("final_logit_softcapping", "f32", ("final_logit_softcapping",)),
        Hyper("attention.sliding_window", "u32", ("sliding_window",)),
    ),
    {
        **KV_HEADS,
        "head_dim": 256,
        "rms_norm_eps": 1e-6,
        "max_position_embeddings": 8192,
        "attn_logit_softcapping": 50.0,
        "final_logit_softcapping": 30.0,
        "sliding_window": 4096,
    },
    ignored=TIED,
    common=COMMON_KEYS,
)
GEMMA3 = Architecture(
    "gemma3",
    ("Gemma3ForCausalLM", "Gemma3ForConditionalGeneration"),
    (
        Rule(("model.embed_tokens",), "token_embd", vocabulary_rows),
        Rule(("model.norm",), "output_norm", plus_one),
        Rule(("lm_head",), "output"),
        *FOUR_NORMS,
        *HEAD_NORMS,
        *ATTENTION,
        *FEED_FORWARD,
    ),
    (
        Hyper("final_logit_softcapping", "f32", soft_cap),
        Hyper("attention.sliding_window", "u32", sliding_window),
        Hyper("rope.freq_base", "f32", base_frequency),
    ),
    {
        "vocab_size": 262208,
        "hidden_size": 2304,
        "intermediate_size": 9216,
        "num_hidden_layers": 26,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "head_dim": 256,
        "rms_norm_eps": 1e-6,
        "max_position_embeddings": 131072,
        "rope_theta": 1_000_000.0,
        "rope_local_base_freq": 10_000.0,
        "sliding_window": 4096,
    },
)
GEMMA_EMBEDDING = replace(GEMMA3, name="gemma-embedding", classes=("Gemma3TextModel",))
ENTRIES = (GEMMA, GEMMA2, GEMMA3, GEMMA_EMBEDDING)
