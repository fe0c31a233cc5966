"""How the layers of known model families share out attention, for estimates where no file is at hand.

A GGUF header states all of this exactly; this table serves only rows of figures that leave it out. The figures
follow the families' published `config.json` files.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Shape:
    """One family's layer pattern.

    `full_every` n: every n-th layer attends to the whole context, 1 means all. The other layers attend to a
    sliding `window` of tokens or, where `recurrent`, keep a state of fixed size (`state_bytes` a layer) instead.
    `attention_layers` of `of_layers` overrides `full_every` where the pattern is irregular. `full_head_dim` and
    `full_kv_divisor` describe layers with whole attention where they differ. `latent` is the length of the
    compressed KV entry (MLA). `shared` maps a layer count to the number of last layers without own KV cache.
    `native_bits` a weight hold, whatever the file's type, where the makers publish the model quantised.
    `projector_parameters` see pictures: counted among the parameters, yet kept in a file of their own.
    `lookup_per_layer` values of each token and layer stand in a table, in models below `small_below`.
    `usual_vocabulary` is that of most of its models.
    """

    full_every: int = 1
    recurrent: bool = False
    window: int = 0
    small_window: int = 0
    small_below: int = 0
    attention_layers: int = 0
    of_layers: int = 1
    state_bytes: int = 0
    full_head_dim: int = 0
    full_kv_divisor: int = 1
    latent: int = 0
    shared: tuple[tuple[int, int], ...] = ()
    native_bits: float = 0.0
    projector_parameters: int = 0
    lookup_per_layer: int = 0
    usual_vocabulary: int = 128_256


_WHOLE = Shape()
_DELTA_NET = Shape(full_every=4, recurrent=True, state_bytes=2_200_000)
_GEMMA3 = Shape(full_every=6, window=1024, small_window=512, small_below=2_000_000_000,
                usual_vocabulary=262_144)  # fmt: skip
_GEMMA4 = Shape(full_every=6, window=1024, small_window=512, small_below=9_000_000_000, full_head_dim=512,
                full_kv_divisor=4, shared=((35, 20), (42, 18)), lookup_per_layer=256)  # fmt: skip
_LFM2 = Shape(recurrent=True, attention_layers=6, of_layers=16, state_bytes=20_000)

ARCHITECTURES: dict[str, Shape] = {
    "llama": _WHOLE,
    "mistral": _WHOLE,
    "mistral3": _WHOLE,
    "qwen2": _WHOLE,
    "qwen3": _WHOLE,
    "qwen3_vl": Shape(projector_parameters=407_000_000),
    "qwen3_5": _DELTA_NET,
    "qwen3_5_moe": _DELTA_NET,
    "qwen3_next": _DELTA_NET,
    "gemma2": Shape(full_every=2, window=4096, usual_vocabulary=256_000),
    "gemma3": replace(_GEMMA3, projector_parameters=417_000_000),
    "gemma3_text": _GEMMA3,
    "gemma4": _GEMMA4,
    "gemma4_unified": _GEMMA4,
    "smollm3": _WHOLE,
    "granite": _WHOLE,
    "phi3": _WHOLE,
    "lfm2": _LFM2,
    "lfm2_vl": replace(_LFM2, projector_parameters=426_000_000),
    "lfm2_moe": replace(_LFM2, of_layers=24),
    "gpt_oss": Shape(full_every=2, window=128, native_bits=4.35),
    "olmo3": Shape(full_every=4, window=4096),
    "glm4_moe_lite": Shape(latent=576),
    "nemotron_h": Shape(recurrent=True, attention_layers=6, of_layers=52, state_bytes=1_000_000),
}


def shape_of(architecture: str) -> Shape:
    """The family's pattern; a family that is not in the table counts as attending everywhere (the safe side)."""
    return ARCHITECTURES.get(architecture.lower().replace("-", "_"), _WHOLE)


def attention_layers(shape: Shape, layers: int) -> tuple[bool, ...]:
    """For each layer whether it attends to the whole context."""
    if shape.attention_layers:
        wanted = max(1, round(layers * shape.attention_layers / shape.of_layers))
        return tuple((index + 1) * wanted // layers > index * wanted // layers for index in range(layers))
    return tuple((index + 1) % shape.full_every == 0 for index in range(layers))


def usual_width(parameters: int, layers: int, vocabulary: int) -> int:
    """The width of a decoder with so many weights, where nobody states it: each layer of width h has about 12 h², the
    input embedding and the output head h for each word. A multiple of 256, as most are: K-types want that."""
    square, line = 12 * max(1, layers), 2 * vocabulary
    width = (math.sqrt(line**2 + 4 * square * parameters) - line) / (2 * square)
    return max(256, 256 * round(width / 256))
