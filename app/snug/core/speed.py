"""How fast a model will be: bytes touched for each token over what each memory delivers, plus fixed costs.

Constants were set on community measurements (single graphics card or Apple, llama.cpp) and on this project's own
runs on processors; they give the middle, the range says how far measurements lay from it.
"""

from __future__ import annotations

from dataclasses import dataclass

from snug.core.devices import Place
from snug.core.fit import SpeedRange
from snug.core.machine import Cpu
from snug.core.model_facts import ModelFacts
from snug.core.quantisation import file_type_named


@dataclass(frozen=True, slots=True)
class Backend:
    """How well a kind of memory is used.

    `efficiency` of the bandwidth; `layer_s` fixed seconds a layer and token; `flops_per_byte` arithmetic in the
    prompt for each byte/s of bandwidth; `low` and `high` are the range's ends as factors of the middle.
    """

    efficiency: float
    layer_s: float
    flops_per_byte: float
    low: float
    high: float


BACKENDS = {
    "gpu": Backend(0.86, 50e-6, 72.0, 0.72, 1.3),
    "unified": Backend(0.72, 100e-6, 22.0, 0.7, 1.3),
    "memory": Backend(0.80, 15e-6, 0.0, 0.7, 1.25),
}
EXPERT_ROUTING = 1.5
"""A mixture of experts costs this much more of the fixed time a layer (routing, many small products)."""
EXPERT_PREFILL = 0.35
"""A mixture of experts reaches this share of the arithmetic rate of a dense model in the prompt."""
CONVERSATION_FILL_TOKENS = 1000
"""Speed is stated for a conversation of about two pages, or a quarter of a smaller context."""
CORE_BYTES_PER_S = (("amx_int8", 14e9), ("avx512_vnni", 14e9), ("avx512f", 12e9), ("avx2", 10e9), ("neon", 9e9))
"""Weights one core can work through a second, whatever the memory delivers."""
CORE_FLOPS = (("avx512_vnni", 90e9), ("avx512f", 70e9), ("avx2", 45e9), ("neon", 35e9))
"""Arithmetic a second of one core in the prompt."""
SLOW_CORE_BYTES_PER_S = 4e9
SLOW_CORE_FLOPS = 8e9
WIDE_TYPE_PENALTY = {"F32": 2.0, "F16": 1.0, "BF16": 1.6}


@dataclass(frozen=True, slots=True)
class Work:
    """What one memory must deliver for each token: bytes of weights and of conversation, and its share of layers."""

    place: Place
    weights: int
    conversation: int
    layers: float


def active_share(facts: ModelFacts, repeating: int) -> float:
    """The share of the layers' weights that each token touches: 1 for a dense model."""
    if repeating <= 0:
        return 1.0
    if facts.experts > 0 and facts.expert_bytes > 0:
        used = min(1.0, max(1, facts.experts_used) / facts.experts)
        return max(0.0, min(1.0, 1.0 - facts.expert_bytes / repeating * (1.0 - used)))
    if facts.active_parameters and facts.parameters:
        return min(1.0, facts.active_parameters / facts.parameters)
    return 1.0


def is_mixture(facts: ModelFacts) -> bool:
    """Whether only some of the model works on each token."""
    return facts.experts > 1 or bool(facts.active_parameters and facts.active_parameters < 0.9 * facts.parameters)


def token_speed(facts: ModelFacts, works: tuple[Work, ...], cpu: Cpu) -> SpeedRange | None:
    """Tokens a second while answering; None where a memory in use has no known bandwidth."""
    seconds = 0.0
    low = high = 0.0
    for work in works:
        if not work.place.bandwidth:
            return None
        backend = BACKENDS[work.place.kind]
        rate = work.place.bandwidth * backend.efficiency
        if work.place.kind == "memory":
            rate = min(rate, _cores(cpu) * _figure(cpu, CORE_BYTES_PER_S, SLOW_CORE_BYTES_PER_S))
        fixed = backend.layer_s * work.layers * (EXPERT_ROUTING if is_mixture(facts) else 1.0)
        touched = work.weights + work.conversation
        part = touched / max(rate, 1.0) + fixed
        seconds += part
        low += part / backend.low
        high += max(part / backend.high, touched / work.place.bandwidth)  # nothing reads faster than the memory
    return None if seconds <= 0 else SpeedRange(1 / low, 1 / seconds, 1 / high)


def prompt_speed(facts: ModelFacts, works: tuple[Work, ...], cpu: Cpu) -> SpeedRange | None:
    """Tokens of a prompt read a second; a card reads the prompt also for layers that stay in main memory."""
    if not works or not facts.parameters:
        return None
    place = max((work.place for work in works), key=lambda place: place.kind != "memory")
    active = min(facts.active_parameters or facts.parameters, facts.parameters)
    if place.kind == "memory":
        flops = _cores(cpu) * _figure(cpu, CORE_FLOPS, SLOW_CORE_FLOPS)
    elif place.bandwidth:
        flops = place.bandwidth * BACKENDS[place.kind].flops_per_byte
    else:
        return None
    kind = file_type_named(facts.file_type)
    flops /= WIDE_TYPE_PENALTY.get(kind.name if kind else "", 1.0)
    if is_mixture(facts):
        flops *= EXPERT_PREFILL
    mid = flops / (2 * max(1, active))
    return SpeedRange(0.5 * mid, mid, 1.6 * mid)


def measured_range(tokens_per_s: float) -> SpeedRange:
    """The range around a speed measured on this computer: other programs and longer chats still move it."""
    return SpeedRange(0.9 * tokens_per_s, tokens_per_s, 1.05 * tokens_per_s)


def _cores(cpu: Cpu) -> float:
    return max(1.0, min(cpu.cores or 1, cpu.limit or cpu.cores or 1))


def _figure(cpu: Cpu, table: tuple[tuple[str, float], ...], otherwise: float) -> float:
    """The first figure whose feature the processor has; without a feature list, that of an ordinary one."""
    if not cpu.features:
        return dict(table)["avx2"]
    return next((figure for feature, figure in table if feature in cpu.features), otherwise)
