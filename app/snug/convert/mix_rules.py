"""What each tensor of a model becomes in a mix: the choice that llama-quantize makes.

The rules are those of `src/llama-quant.cpp` in the pinned llama.cpp; `tests/data/mixes` holds what its llama-quantize
chose for models of many architectures. Shapes are given rows first, columns last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from snug.convert.quantize import TYPES, type_for_columns

FLOAT_TYPES = ("F32", "F16", "BF16")
EMBEDDINGS = ("token_embd.weight", "per_layer_token_embd.weight")


@dataclass(frozen=True, slots=True)
class Mix:
    """A mix: its name, its number in `general.file_type`, and the type of the tensors that no rule singles out."""

    name: str
    file_type: int
    type_name: str


class MixTensor(Protocol):
    """What a choice looks at; `plan.OutputTensor` is one."""

    @property
    def name(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def fixed_type(self) -> str | None: ...
    @property
    def stored_type(self) -> str: ...


_VERY_SMALL = ("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M")
_LAYER = re.compile(r"blk\.(\d+)\.")

# In this order: the first piece of a name that is found decides.
_CATEGORIES = (
    ("attn_qkv.weight", "v"), ("attn_kv_b.weight", "v"), ("attn_v.weight", "v"), ("attn_k.weight", "k"),
    ("attn_q.weight", "q"), ("attn_output.weight", "attn_output"), ("ffn_up", "up"), ("ffn_gate", "gate"),
    ("ffn_down", "down"),
)  # fmt: skip

_NEVER_QUANTISED = (
    "_norm.weight", "ffn_gate_inp.weight", "ffn_gate_tid2eid.weight", "altup", "laurel", "per_layer_model_proj",
    "ssm_conv1d", "shortconv.conv.weight", "indexer.k_proj.weight", "indexer.q_proj.weight", "time_mix_first.weight",
    "time_mix_w0.weight", "time_mix_w1.weight", "time_mix_w2.weight", "time_mix_v0.weight", "time_mix_v1.weight",
    "time_mix_v2.weight", "time_mix_a0.weight", "time_mix_a1.weight", "time_mix_a2.weight", "time_mix_g1.weight",
    "time_mix_g2.weight", "time_mix_decay_w1.weight", "time_mix_decay_w2.weight", "time_mix_lerp_fused.weight",
    "attn_rel_b.weight", ".position_embd", "sam.pos_embd", "sam.neck.", "sam.net_", ".rel_pos", ".patch_embd",
    ".patch_merger", "a.rvq.codebook", "mm.a.code_embd",
)  # fmt: skip
"""Pieces of the names of tensors that are small and matter: norms, routers, convolutions, positions."""

_SEVENTY_B_LAYERS = {"llama": 80, "deci": 80, "jais2": 68, "olmo": 80, "qwen2": 80}
"""Layers by which llama.cpp knows a model of 70B, whose value matrices are small for what they do."""


def may_quantise(name: str, shape: tuple[int, ...], architecture: str = "") -> bool:
    """Whether llama-quantize makes this tensor smaller at all."""
    if _dimensions(shape) < 2 or not name.endswith("weight") or any(piece in name for piece in _NEVER_QUANTISED):
        return False
    if architecture == "glm5-next" and any(piece in name for piece in _GLM5_NEXT_KEPT):
        return False
    return name not in ("position_embd.weight", "token_types.weight")


_GLM5_NEXT_KEPT = (
    "hc_", "indexer.attn_q_b", "indexer.attn_k", "indexer.proj", "indexer_compressor_gate", "indexer_compressor_ape",
    "ssm_f_a.weight", "ssm_f_b.weight", "ssm_g_a.weight", "ssm_g_b.weight", "ssm_beta.weight", "attn_kv_a_mqa.weight",
    "attn_k_b.weight", "attn_v_b.weight",
)  # fmt: skip
_GLM5_NEXT_FINE = ("attn_q_a", "attn_q_b", "nextn.eh_proj")


@dataclass(frozen=True, slots=True)
class _Model:
    """What the rules ask of a model: heads are those of the first layer, one expert counts as none."""

    architecture: str
    layers: int
    experts: int
    queries_per_key: int
    is_70b: bool

    @classmethod
    def read(cls, metadata: Mapping[str, Any]) -> _Model:
        architecture = str(metadata.get("general.architecture", ""))

        def number(key: str, default: int) -> int:
            value = metadata.get(f"{architecture}.{key}", default)
            if isinstance(value, list | tuple):
                value = value[0] if value else default
            return int(value)

        layers, experts = number("block_count", 0), number("expert_count", 0)
        heads = number("attention.head_count", 0)
        key_heads = number("attention.head_count_kv", heads)
        own_layers = layers - number("nextn_predict_layers", 0)
        is_70b = _SEVENTY_B_LAYERS.get(architecture) == own_layers
        if architecture == "llama":
            is_70b = is_70b and heads != key_heads and experts != 8
        return cls(architecture, layers, experts if experts > 1 else 0, heads // key_heads if key_heads else 0, is_70b)


@dataclass
class _State:
    """What the rules count while they go through the tensors in order."""

    mix: str
    has_importance: bool
    model: _Model
    names: set[str]
    done: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("v", "down", "gate", "up"), 0))

    @property
    def is_tied(self) -> bool:
        return "output.weight" not in self.names

    @property
    def value_tensors(self) -> int:
        return sum(_category(name) == "v" for name in self.names)

    def layer(self, category: str, name: str) -> int:
        """The layer of a feed-forward tensor: counted, or with experts, of which there are several, from its name."""
        return _layer_of(name) if self.model.experts > 1 else self.done[category]


def choose_types(
    mix: Mix, tensors: Iterable[MixTensor], metadata: Mapping[str, Any], importance: bool
) -> dict[str, str]:
    """The type of each tensor by its name; see `mixes.tensor_types`."""
    ordered = sorted(tensors, key=lambda tensor: (_layer_of(tensor.name), tensor.name.encode()))
    state = _State(mix.name, importance, _Model.read(metadata), {tensor.name for tensor in ordered})
    return {tensor.name: _type_of(tensor, mix, state) for tensor in ordered}


def _type_of(tensor: MixTensor, mix: Mix, state: _State) -> str:
    if tensor.fixed_type is not None:
        return tensor.fixed_type
    architecture = state.model.architecture
    if not may_quantise(tensor.name, tensor.shape, architecture):
        return _unquantised(tensor, mix)
    if mix.name in FLOAT_TYPES:
        return mix.type_name
    chosen = _choose(tensor, mix.type_name, state)
    return type_for_columns(chosen, tensor.shape[-1])


def _unquantised(tensor: MixTensor, mix: Mix) -> str:
    """What a tensor that is never made smaller is written as: the type of a float mix, else as it is stored."""
    if tensor.stored_type in TYPES and tensor.stored_type not in FLOAT_TYPES:
        return tensor.stored_type
    if mix.name in FLOAT_TYPES:
        return mix.type_name
    return tensor.stored_type if tensor.stored_type in FLOAT_TYPES else "F16"


def _choose(tensor: MixTensor, default: str, state: _State) -> str:
    name, model = tensor.name, state.model
    if model.architecture == "glm5-next" and any(piece in name for piece in _GLM5_NEXT_FINE):
        return "Q8_0"
    if name == "output.weight" or (state.is_tied and name in EMBEDDINGS):
        return _output(tensor, default, state)
    category = _category(name)
    if state.mix == "MXFP4_MOE":
        is_expert = len(tensor.shape) > 2 and tensor.shape[-3] > 1
        if model.architecture == "bailingmoe3":
            is_expert = is_expert and category in ("up", "gate", "down")
        return "MXFP4" if is_expert else "Q8_0"
    if name in EMBEDDINGS:
        return _EMBEDDING_TYPES.get(state.mix, default)
    if state.mix in _VERY_SMALL:
        return _very_small(category, default, state)
    rule = _RULES.get(category)
    return default if rule is None else rule(tensor.name, default, state)


_EMBEDDING_TYPES = {
    "IQ1_S": "Q2_K", "IQ1_M": "Q2_K", "IQ2_XXS": "Q2_K", "IQ2_XS": "Q2_K", "IQ2_S": "IQ3_S", "IQ2_M": "IQ3_S",
    "IQ3_XXS": "IQ3_S",
}  # fmt: skip


def _output(tensor: MixTensor, default: str, state: _State) -> str:
    """The output head, and the embeddings where they are the head too."""
    if state.mix == "MXFP4_MOE" or state.model.architecture == "falcon":
        return "Q8_0"
    if tensor.shape[-1] % TYPES[default].block_values or default == "Q8_0":
        return "Q8_0"
    return "Q5_K" if state.mix in (*_VERY_SMALL, "IQ3_XXS") else "Q6_K"


def _very_small(category: str, default: str, state: _State) -> str:
    """The mixes below 3 bits: what reads and writes the conversation is worth more."""
    model, is_2_s = state.model, state.mix in ("IQ2_S", "IQ2_M")
    if category == "v":
        state.done["v"] += 1
        if model.queries_per_key >= 4 or model.experts >= 4:
            return "Q4_K"
        return "IQ3_S" if is_2_s else "Q2_K"
    if category == "k" and model.experts == 8:
        return "Q4_K"
    if category == "down":
        state.done["down"] += 1
        if state.done["down"] - 1 < model.layers // 8:
            return "IQ3_S" if is_2_s else "Q2_K"
    if category == "attn_output":
        if model.experts == 8:
            return "Q5_K"
        if state.mix in ("IQ1_S", "IQ1_M"):
            return "IQ2_XXS"
        return "IQ3_S" if is_2_s else default
    return default


def _value(_name: str, default: str, state: _State) -> str:
    index, mix, model = state.done["v"], state.mix, state.model
    state.done["v"] += 1
    if model.experts == 8:
        return "Q8_0"
    chosen, is_grouped = default, model.queries_per_key >= 4
    if mix == "Q2_K":
        chosen = "Q4_K" if is_grouped else "Q3_K"
    elif mix in ("Q2_K_S", "IQ3_XS", "IQ3_S"):
        chosen = "Q4_K" if is_grouped else default
    elif mix == "IQ3_XXS":
        chosen = "Q4_K" if is_grouped else "IQ3_XXS" if state.has_importance else "IQ3_S"
    elif mix == "IQ3_M":
        chosen = "Q4_K"
    elif mix == "Q3_K_M":
        chosen = "Q5_K" if index < 2 else "Q4_K"
    elif mix == "Q3_K_L":
        chosen = "Q5_K"
    elif mix in ("IQ4_NL", "IQ4_XS"):
        chosen = "Q5_K" if is_grouped else default
    elif mix in ("Q4_K_M", "Q5_K_M"):
        chosen = "Q6_K" if _deserves_more(index, state.value_tensors) else default
    elif mix == "Q4_K_S":
        chosen = "Q5_K" if index < 4 else default
    return "Q5_K" if model.is_70b and chosen in ("Q3_K", "Q4_K") else chosen


def _key(_name: str, default: str, state: _State) -> str:
    if state.model.experts == 8:
        return "Q8_0"
    return _query(_name, default, state)


def _query(_name: str, default: str, state: _State) -> str:
    return {"IQ3_XS": "IQ3_XXS", "IQ3_XXS": "IQ2_S"}.get(state.mix, default)


def _down(name: str, default: str, state: _State) -> str:
    layer, layers, mix = state.layer("down", name), state.model.layers, state.mix
    state.done["down"] += 1
    is_falcon, deserves_more = state.model.architecture == "falcon", _deserves_more(layer, layers)
    is_early = layer < layers // 8
    if mix == "Q2_K":
        return "Q3_K"
    if mix == "Q3_K_M":
        return "Q5_K" if layer < layers // 16 else "Q4_K" if deserves_more or not is_falcon else "Q3_K"
    if mix == "Q3_K_L":
        return "Q4_K" if is_falcon else "Q5_K"
    if mix == "IQ3_M":
        return "Q4_K" if is_early or (state.model.experts == 8 and deserves_more) else default
    if mix == "IQ3_XXS" and not state.has_importance:
        return "Q4_K" if is_early else "Q3_K"
    if mix == "Q4_K_M" and is_falcon:
        return "Q6_K" if layer < layers // 16 else "Q5_K" if deserves_more else "Q4_K"
    if mix in ("Q4_K_M", "Q5_K_M"):
        return "Q6_K" if deserves_more else default
    if not is_early or (mix == "Q4_K_S" and is_falcon):
        return default
    finer = _EARLY_DOWN_WITH_IMPORTANCE if state.has_importance else _EARLY_DOWN_WITHOUT
    return finer.get(mix, default)


_EARLY_DOWN_WITHOUT = {"Q2_K_S": "Q4_K", "Q4_K_S": "Q5_K", "IQ4_NL": "Q5_K", "IQ4_XS": "Q5_K"}
_EARLY_DOWN_WITH_IMPORTANCE = {"Q2_K_S": "Q4_K", "Q4_K_S": "Q5_K", "Q4_0": "Q4_1", "Q5_0": "Q5_1"}

_ATTENTION_OUTPUT = {"Q2_K": "Q3_K", "IQ3_XXS": "IQ3_S", "Q3_K_M": "Q4_K", "Q3_K_L": "Q5_K", "IQ3_M": "Q4_K"}
_EIGHT_EXPERTS_OUTPUT = ("Q2_K", "IQ3_XS", "IQ3_XXS", "Q3_K_S", "Q3_K_M", "IQ4_NL", "Q4_K_S", "Q4_K_M", "IQ3_S",
                         "IQ3_M", "IQ4_XS")  # fmt: skip


def _attention_output(_name: str, default: str, state: _State) -> str:
    if state.model.architecture == "falcon":
        return "Q4_K" if state.mix == "Q3_K_L" else default
    if state.model.experts == 8:
        return "Q5_K" if state.mix in _EIGHT_EXPERTS_OUTPUT else default
    return _ATTENTION_OUTPUT.get(state.mix, default)


def _gate_or_up(category: str) -> Callable[[str, str, _State], str]:
    def choose(name: str, default: str, state: _State) -> str:
        layer, layers = state.layer(category, name), state.model.layers
        state.done[category] += 1
        return "IQ3_XXS" if state.mix == "IQ3_XS" and layers // 8 <= layer < 7 * layers // 8 else default

    return choose


_RULES: dict[str, Callable[[str, str, _State], str]] = {
    "v": _value,
    "k": _key,
    "q": _query,
    "down": _down,
    "attn_output": _attention_output,
    "gate": _gate_or_up("gate"),
    "up": _gate_or_up("up"),
}


def _deserves_more(layer: int, layers: int) -> bool:
    """The first and last eighth of the layers, and each third one between."""
    return layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2


def _category(name: str) -> str:
    if name == "output.weight" or name in EMBEDDINGS:
        return ""
    return next((category for piece, category in _CATEGORIES if piece in name), "")


def _layer_of(name: str) -> int:
    match = _LAYER.match(name)
    return int(match[1]) if match else -1


def _dimensions(shape: tuple[int, ...]) -> int:
    """As ggml counts them: outer axes of one do not count."""
    sizes = list(shape)
    while len(sizes) > 1 and sizes[0] == 1:
        sizes.pop(0)
    return len(sizes)
