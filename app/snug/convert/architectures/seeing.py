"""The text part of models that see: Qwen 2.5 VL and Qwen 3 VL."""

from __future__ import annotations

from dataclasses import replace

from snug.convert.architectures import views
from snug.convert.architectures.architecture import Hyper, Match, Rule
from snug.convert.architectures.qwen import QWEN2, QWEN3, QWEN3_MOE
from snug.convert.architectures.settings import Settings, impossible
from snug.convert.architectures.transforms import Outputs, halves


def picture_layers(settings: Settings) -> int:
    """So many layers take pictures in again; a text alone passes them by."""
    indexes = settings.table("vision_config").get("deepstack_visual_indexes", [])
    if not isinstance(indexes, list):
        raise impossible("deepstack_visual_indexes", indexes)
    return len(indexes)


def transposed_halves(match: Match) -> Outputs:
    (view,) = match.views
    return halves("ffn_gate_exps", "ffn_up_exps")(replace(match, views=[views.transposed(view)]))


def transposed(match: Match) -> Outputs:
    (view,) = match.views
    yield match.name, views.transposed(view)


STACKED = ("model.layers.#.mlp.experts.gate_up_proj", "model.layers.#.mlp.experts.down_proj")
DEEPSTACK = Hyper("n_deepstack_layers", "u32", picture_layers)
QWEN2_VL = replace(
    QWEN2, name="qwen2vl", classes=("Qwen2VLForConditionalGeneration", "Qwen2_5_VLForConditionalGeneration")
)
QWEN3_VL = replace(QWEN3, name="qwen3vl", classes=("Qwen3VLForConditionalGeneration",), hyper=(DEEPSTACK,))
QWEN3_VL_MOE = replace(
    QWEN3_MOE,
    name="qwen3vlmoe",
    classes=("Qwen3VLMoeForConditionalGeneration",),
    tensors=(
        *(rule for rule in QWEN3_MOE.tensors if rule.patterns[0] not in STACKED),
        Rule(STACKED[:1], "blk.#.ffn_gate_exps", transposed_halves),
        Rule(STACKED[1:], "blk.#.ffn_down_exps.weight", transposed),
    ),
    hyper=(*QWEN3_MOE.hyper, DEEPSTACK),
)
ENTRIES = (QWEN2_VL, QWEN3_VL, QWEN3_VL_MOE)
