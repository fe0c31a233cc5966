"""The hyper-parameters that all architectures have in common, and rope scaling.

The keys and what stands in them follow llama.cpp's converter (conversion/base.py) and the GGUF specification.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from snug.convert.architectures.architecture import Architecture, Hyper
from snug.convert.architectures.settings import Settings, as_number, as_whole, impossible
from snug.convert.plan import Meta
from snug.core.errors import UserError
from snug.formats.checkpoints.errors import not_supported

ROTARY_BASES = ("global_rope_theta", "rope_global_theta", "rope_theta_global", "rope_theta", "rotary_emb_base")
LOCAL_BASES = ("local_rope_theta", "rope_local_theta", "rope_theta_local", "swa_rope_theta", "rope_local_base_freq")
GATING = {"softmax": 1, "sigmoid": 2, "sqrtsoftplus": 4}
"""llama.cpp's numbers for how a router weighs its experts."""


BASIC = ("block_count", "context_length", "embedding_length", "feed_forward_length", "attention.head_count",
         "attention.head_count_kv")  # fmt: skip
"""What every architecture writes."""


def gating(settings: Settings) -> int | None:
    keys = ("score_function", "scoring_func", "score_func", "moe_router_activation", "moe_router_activation_func",
            "expert_selection_fn")  # fmt: skip
    name = settings.get(*keys)
    if name is None:
        return None
    if not isinstance(name, str) or name not in GATING:
        raise not_supported(
            f"This model weighs its experts in an unknown way ({str(name)[:40]})", "Choose another model."
        )
    return GATING[name]


COMMON: tuple[Hyper, ...] = (
    Hyper("block_count", "u32", lambda settings: settings.layers),
    Hyper("context_length", "u32", ("max_position_embeddings", "n_ctx", "n_positions", "max_length",
                                    "max_sequence_length", "model_max_length")),
    Hyper("embedding_length", "u32", ("hidden_size", "n_embd", "dim")),
    Hyper("feed_forward_length", "u32", ("prefix_dense_intermediate_size", "dense_intermediate_size",
                                         "intermediate_size", "n_inner", "hidden_dim")),
    Hyper("attention.head_count", "u32", ("num_attention_heads", "n_head", "n_heads")),
    Hyper("attention.head_count_kv", "u32", ("num_key_value_heads", "n_kv_heads")),
    Hyper("attention.causal", "bool", lambda settings: False if settings.get("is_causal") is False else None),
    Hyper("attention.layer_norm_rms_epsilon", "f32", ("rms_norm_eps", "norm_eps")),
    Hyper("attention.layer_norm_epsilon", "f32", ("layer_norm_eps", "layer_norm_epsilon", "norm_epsilon")),
    Hyper("attention.key_length", "u32", ("head_dim",)),
    Hyper("attention.value_length", "u32", ("head_dim",)),
    Hyper("expert_count", "u32", ("num_local_experts", "num_experts", "n_routed_experts")),
    Hyper("expert_used_count", "u32", ("num_experts_per_tok", "num_experts_per_token", "top_k_experts")),
    Hyper("expert_group_count", "u32", ("n_group",)),
    Hyper("expert_group_used_count", "u32", ("topk_group",)),
    Hyper("expert_gating_func", "u32", gating),
)  # fmt: skip


def rope_settings(settings: Settings) -> Mapping[str, Any]:
    """`rope_parameters` (or the older `rope_scaling`) with what stands beside it in older configs."""
    table = settings.table("rope_parameters") or settings.table("rope_scaling")
    rope = dict(table)
    if "full_attention" in rope or "sliding_attention" in rope:
        return rope
    local = settings.get(*LOCAL_BASES)
    if local is not None:
        rope["sliding_attention"] = {"rope_theta": local}
    for key, value in (
        ("rope_theta", settings.get(*ROTARY_BASES)),
        ("rope_type", rope.get("type")),
        ("partial_rotary_factor", settings.get("partial_rotary_factor", "rope_pct", "rope_percent")),
        ("original_max_position_embeddings", settings.get("original_max_position_embeddings")),
    ):
        if key not in rope and value is not None:
            rope[key] = value
    return rope


def full_rope(settings: Settings) -> Mapping[str, Any]:
    """The rope settings of layers that attend to everything."""
    rope = rope_settings(settings)
    full = rope.get("full_attention", rope)
    if not isinstance(full, dict):
        raise impossible("rope_parameters", full)
    return full


def rope_hyper(settings: Settings) -> list[Hyper]:
    """How positions are rotated and, for long contexts, scaled."""
    rope, full = rope_settings(settings), full_rope(settings)
    kind = full.get("rope_type")
    found = []

    def add(key: str, value_kind: str, value: Any) -> None:
        if value is not None:
            found.append(Hyper(f"rope.{key}", value_kind, lambda _: value))

    factor = full.get("factor")
    if kind in ("linear", "yarn") and factor is not None:
        add("scaling.type", "str", kind)
        add("scaling.factor", "f32", factor)
    if kind == "yarn" and factor is not None:
        if full.get("original_max_position_embeddings") is None:
            raise impossible("rope_scaling", dict(full))
        add("scaling.original_context_length", "u32", full["original_max_position_embeddings"])
        add("scaling.yarn_ext_factor", "f32", full.get("extrapolation_factor"))
        add("scaling.yarn_attn_factor", "f32", full.get("attention_factor", full.get("attn_factor")))
        add("scaling.yarn_beta_fast", "f32", full.get("beta_fast"))
        add("scaling.yarn_beta_slow", "f32", full.get("beta_slow"))
    elif kind in ("su", "longrope"):
        add("scaling.type", "str", "longrope")
    sections = rope.get("mrope_section")
    if sections is not None:
        if not isinstance(sections, list) or len(sections) > 16:
            raise impossible("mrope_section", sections)
        add("dimension_sections", "[i32", [*sections, 0, 0, 0, 0][:4])
    add("freq_base", "f32", _turning(full.get("rope_theta")))
    sliding = rope.get("sliding_attention")
    if isinstance(sliding, dict):
        add("freq_base_swa", "f32", _turning(sliding.get("rope_theta")))
    return found


def _turning(theta: Any) -> Any:
    """The base of the rotations. Raises UserError where powers of it are no numbers: every answer would be none."""
    if isinstance(theta, int | float) and not theta > 0:
        raise impossible("rope_theta", theta)
    return theta


def metadata(architecture: Architecture, settings: Settings) -> tuple[Meta, ...]:
    """All hyper-parameters; where a key is declared twice the later one counts. Raises UserError for bad values."""
    found: dict[str, Meta] = {}
    for hyper in (*_common(architecture, settings), *architecture.hyper):
        if callable(hyper.of):
            value, source = hyper.of(settings), hyper.key
        else:
            value, source = settings.get(*hyper.of), hyper.of[0]
        if value is None:
            continue
        key = hyper.key if hyper.key.startswith("general.") else f"{architecture.name}.{hyper.key}"
        found[key] = checked_meta(key, hyper.kind, value, source)
    return tuple(found.values())


def _common(architecture: Architecture, settings: Settings) -> list[Hyper]:
    if architecture.common is None:
        return [*COMMON, *rope_hyper(settings)]
    return [hyper for hyper in COMMON if hyper.key in architecture.common]


def checked_meta(key: str, kind: str, value: Any, source: str) -> Meta:
    """The entry with a value of its kind. Raises UserError where the config's value is of another."""
    if kind in ("u32", "i32") and isinstance(value, list):  # one figure for each layer
        kind = "[i32"
    if kind == "f32" and isinstance(value, list):
        kind = "[f32"
    if kind == "bool" and isinstance(value, list):
        kind = "[bool"
    if kind.startswith("["):
        if not isinstance(value, list | tuple):
            raise impossible(source, value)
        return Meta(key, kind, [_checked(kind[1:], item, source) for item in value])
    return Meta(key, kind, _checked(kind, value, source))


def _checked(kind: str, value: Any, source: str) -> object:
    if kind in ("u32", "u64", "u16"):
        return as_whole(value, source)
    if kind == "i32":
        if isinstance(value, bool) or not isinstance(value, int) or not -(2**31) <= value < 2**31:
            raise impossible(source, value)
        return value
    if kind == "f32":
        return as_number(value, source)
    if not isinstance(value, bool if kind == "bool" else str):
        raise impossible(source, value)
    return value


def unsupported_rope(settings: Settings) -> UserError | None:
    """The error for rope scaling that llama.cpp cannot do, None where it can."""
    kind = full_rope(settings).get("rope_type")
    if kind in (None, "default", "linear", "yarn", "su", "longrope", "llama3", "dynamic", "mrope", "proportional"):
        return None
    return not_supported(
        f"This model scales its positions in an unknown way ({str(kind)[:40]})", "Choose another model."
    )
