"""Granite 4: Mamba 2 layers between layers of attention, with or without experts; some sizes have attention alone."""

from __future__ import annotations

import numpy as np

from snug.convert.architectures import views
from snug.convert.architectures.architecture import Architecture, Hyper, Match, Rule, in_layers
from snug.convert.architectures.blocks import KV_HEADS
from snug.convert.architectures.granite import EXPERT_TENSORS, HYPER, SHARED_WIDTH, without_head_size
from snug.convert.architectures.llama import TENSORS, llama3_rope
from snug.convert.architectures.settings import Settings, impossible
from snug.convert.architectures.transforms import Outputs, flatten_convolution, negative_exponential

LONG_CONTEXT = 2**20
"""Stated for models whose positions are not rotated: nothing in them limits the context."""


def is_recurrent(settings: Settings) -> list[bool]:
    """Which layers are Mamba 2."""
    types = settings.items("layer_types")
    if len(types) != settings.layers:
        raise impossible("layer_types", f"{len(types)} entries for {settings.layers} layers")
    return [kind != "attention" for kind in types]


def variant(settings: Settings) -> str:
    """Models without a Mamba layer are Granites of the older kinds."""
    if any(is_recurrent(settings)):
        return "granitehybrid"
    return "granite" if settings.get("num_experts_per_tok") is None else "granitemoe"


def inner_size(settings: Settings) -> int:
    return settings.positive("mamba_expand") * settings.width


def context(settings: Settings) -> int:
    return LONG_CONTEXT if any(is_recurrent(settings)) else settings.whole("max_position_embeddings")


def kv_heads(settings: Settings) -> list[int]:
    return [0 if recurrent else settings.kv_heads for recurrent in is_recurrent(settings)]


def as_column(match: Match) -> Outputs:
    """One figure for each head, each in a row of its own."""
    (view,) = match.views
    yield match.name, views.reshaped(view, (view.shape[0], 1))


def decay(match: Match) -> Outputs:
    ((name, view),) = negative_exponential(match)
    yield name, views.reshaped(view, (view.shape[0], 1))


def norm_by_group(match: Match) -> Outputs:
    (view,) = match.views
    groups = match.settings.positive("mamba_n_groups")
    if view.shape[0] % groups:
        raise views.disagree(view, f"{view.shape} in {groups} groups")
    yield match.name, views.reshaped(view, (groups, view.shape[0] // groups))


def shared_or_only(match: Match) -> Outputs:
    """The feed-forward part that all tokens take: beside experts, or alone."""
    (view,) = match.views
    beside_experts = "_shexp" if match.settings.get("num_local_experts") else ""
    half = view.shape[0] // 2
    for number, name in enumerate(("ffn_gate", "ffn_up")):
        local = np.arange(number * half, (number + 1) * half, dtype=np.int64)
        yield f"blk.{match.layer}.{name}{beside_experts}.weight", views.picked(view, local)


def shared_output(match: Match) -> Outputs:
    (view,) = match.views
    beside_experts = "_shexp" if match.settings.get("num_local_experts") else ""
    yield f"blk.{match.layer}.ffn_down{beside_experts}.weight", view


GRANITE_HYBRID = Architecture(
    "granitehybrid",
    ("GraniteMoeHybridForCausalLM",),
    (
        *TENSORS,
        *EXPERT_TENSORS,
        *in_layers(
            {
                "shared_mlp.input_linear": ("ffn_gate_shexp", shared_or_only),
                "shared_mlp.output_linear": ("ffn_down_shexp", shared_output),
                "mamba.in_proj": "ssm_in",
                "mamba.conv1d": ("ssm_conv1d", flatten_convolution),
                "mamba.norm": ("ssm_norm", norm_by_group),
                "mamba.out_proj": "ssm_out",
                "mamba.dt_bias": "ssm_dt.bias",
            }
        ),
        Rule(("model.layers.#.mamba.A_log",), "blk.#.ssm_a", decay),
        Rule(("model.layers.#.mamba.D",), "blk.#.ssm_d", as_column),
    ),
    (
        *HYPER,
        SHARED_WIDTH,
        Hyper("ssm.conv_kernel", "u32", lambda settings: settings.positive("mamba_d_conv")),
        Hyper("ssm.state_size", "u32", lambda settings: settings.positive("mamba_d_state")),
        Hyper("ssm.group_count", "u32", lambda settings: settings.positive("mamba_n_groups")),
        Hyper("ssm.inner_size", "u32", inner_size),
        Hyper("ssm.time_step_rank", "u32", lambda settings: settings.positive("mamba_n_heads")),
        Hyper("attention.head_count_kv", "[i32", kv_heads),
        Hyper("rope.scaling.finetuned", "bool", lambda settings: not any(is_recurrent(settings))),
        Hyper("context_length", "u32", context),
    ),
    KV_HEADS,
    generated=(llama3_rope,),
    prepare=without_head_size,
    variant=variant,
)
ENTRIES = (GRANITE_HYBRID,)
