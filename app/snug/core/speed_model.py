"""The speed model itself: seconds for a token, or for a prompt, as pure functions of fitted constants.

An answer is bound by memory: a token costs the bytes that it touches over what the memory really delivers, plus a
fixed time for each layer (kernel launches, waiting). That fixed time is why small models reach a smaller share of the
bandwidth than large ones. Reading a prompt is bound by arithmetic (the weights', and that of looking back at what was
read), plus what passes between the layers and a pass over the weights for each batch; a mixture's many small products
with few tokens each make that pass take several times as long.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

BATCH = 512
"""llama.cpp reads a prompt in batches of this many tokens; each goes once through all weights."""
_GROUPS = {
    "Q4_0": "legacy", "Q4_1": "legacy", "Q5_0": "legacy", "Q5_1": "legacy", "Q8_0": "legacy", "MXFP4": "legacy",
    "NVFP4": "legacy", "F16": "wide", "BF16": "wide", "F32": "wide",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Load:
    """What one memory and its processor must do for a token.

    `backend` is "cuda", "metal", "amd" (ROCm and Vulkan) or "cpu"; `bandwidth` in bytes/s, as the maker states it or
    as measured. `weights` and `conversation` in bytes touched; `layers` may be a share. `group` is that of
    `type_group`. For prompts: `active` parameters of the layers at work on each token (the output head works for the
    last one alone), `all_weights` the bytes that a batch touches (all experts), `width` the values that one token has
    in all layers together, `attention` the flops of a token for each token before it, `arithmetic` in flop/s.
    """

    backend: str
    bandwidth: float
    weights: float
    conversation: float
    layers: float
    group: str
    is_mixture: bool = False
    active: float = 0.0
    all_weights: float = 0.0
    width: float = 0.0
    attention: float = 0.0
    arithmetic: float = 0.0


def type_group(file_type: str) -> str:
    """ "k", "iq", "legacy" or "wide": kinds of types whose kernels use the memory about equally well."""
    name = file_type.upper()
    if name.startswith(("IQ", "TQ")):
        return "iq"
    return _GROUPS.get(name, "k")


def token_seconds(load: Load, constants: Mapping[str, float]) -> float:
    """Seconds for one token of an answer on that memory."""
    touched = load.weights * constants.get(f"type.{load.group}", 1.0) + load.conversation
    fixed = load.layers * constants[f"layer_us.{load.backend}"] * 1e-6
    if load.is_mixture:
        fixed *= constants["mixture.layer"]
    return touched / (load.bandwidth * constants[f"efficiency.{load.backend}"]) + fixed


def prompt_seconds(load: Load, tokens: float, constants: Mapping[str, float], before: float = 0.0) -> float:
    """Seconds to read a prompt of so many tokens on that device, with `before` tokens in the context already."""
    if tokens <= 0:
        return 0.0
    rate = load.arithmetic * constants[f"prompt.{load.backend}"]
    work = 2 * load.active * (constants["prompt.iq"] if load.group == "iq" else 1.0)
    looking_back = load.attention * (before + tokens / 2) * constants["prompt.attention"]
    between = load.width * constants["prompt.width_bytes"] / load.bandwidth
    batches = math.ceil(tokens / BATCH)
    one_pass = load.all_weights / (load.bandwidth * constants[f"efficiency.{load.backend}"])
    if load.is_mixture:
        one_pass *= constants[f"prompt.mixture.{load.backend}"]
    launches = batches * load.layers * constants[f"layer_us.{load.backend}"] * 1e-6
    return tokens * ((work + looking_back) / rate + between) + batches * one_pass + launches
