"""How fast a model will be: bytes touched for each token over what each memory delivers, plus fixed costs.

The constants were fitted on community measurements (single graphics card or Apple, llama.cpp) and on this project's
own runs on processors: `packaging/fit_speed.py`. They give the middle; the range holds eight of ten measurements on
devices and of models that the fit had not seen.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

from snug.core.assumed_bandwidth import ABOVE, BELOW
from snug.core.devices import Place
from snug.core.fit import SpeedRange
from snug.core.machine import Cpu
from snug.core.memory_need import repeating_bytes
from snug.core.model_facts import ModelFacts
from snug.core.speed_arithmetic import relative_arithmetic
from snug.core.speed_constants import ANSWER_RANGES, FITTED, PROMPT_RANGES
from snug.core.speed_cpu import WIDE_PENALTY, cpu_prompt_seconds, cpu_token_seconds
from snug.core.speed_model import BATCH, Load, prompt_seconds, token_seconds, type_group

CONVERSATION_FILL_TOKENS = 1000
"""Speed is stated for a conversation of about two pages, or a quarter of a smaller context."""
PAGE_TOKENS = 500
LINK_BYTES_PER_S = 12e9
"""What a card gets of weights in main memory, assumed: mapped files are copied at about half of what 16 lanes of PCIe 4
carry on paper. The range counts with half and with twice as much."""
DOCUMENT_PAGES = 10
_NOT_CUDA = re.compile(r"radeon|\brx \d|\bvega|instinct|\bpro w\d|\b80[56]0s|\bfirepro|\barc\b|intel", re.IGNORECASE)


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


def active_parameters(facts: ModelFacts) -> float:
    """How many parameters work on each token, from the file's experts where no figure is stated."""
    if facts.active_parameters:
        return min(facts.active_parameters, facts.parameters)
    return facts.parameters * active_share(facts, facts.weight_bytes)


def is_mixture(facts: ModelFacts) -> bool:
    """Whether only some of the model works on each token."""
    return facts.experts > 1 or bool(facts.active_parameters and facts.active_parameters < 0.9 * facts.parameters)


def blocks_a_layer(facts: ModelFacts) -> float:
    """Layers in the usual sense for each one counted: Nemotron-H counts a mixer and its experts as two."""
    return 0.5 if facts.architecture.lower().startswith("nemotron_h") and is_mixture(facts) else 1.0


def prompt_load(facts: ModelFacts, backend: str, bandwidth: float, arithmetic: float, layers: float) -> Load:
    """What reading a prompt asks of a device: the layers' products, looking back, what passes between layers."""
    heads = 1 if facts.output_bytes == 0 else 2
    edges = heads * facts.vocabulary * facts.embedding_length
    active = active_parameters(facts)
    looked_at = zip(facts.kv_heads, facts.head_dims_k, facts.head_dims_v, strict=False)
    attention = sum(2 * facts.attention_heads * (key + (value or key)) for kv, key, value in looked_at if kv)
    return Load(
        backend, bandwidth, 0, 0, layers, type_group(facts.file_type), is_mixture(facts),
        active=max(active - edges, active / 2), all_weights=repeating_bytes(facts),
        width=float(facts.embedding_length * facts.layers), attention=float(attention), arithmetic=arithmetic,
    )  # fmt: skip


def backend_of(place: Place) -> str:
    """Which back-end of the engine works on that memory: "cuda", "metal", "amd" (ROCm and Vulkan) or "cpu"."""
    return _backend(place.kind, place.name)


def token_speed(facts: ModelFacts, works: tuple[Work, ...], cpu: Cpu) -> SpeedRange | None:
    """Tokens a second while answering; None where a memory in use has no known bandwidth."""
    seconds = slowest = fastest = 0.0
    for work in works:
        if not work.place.bandwidth:
            return None
        part = _part_seconds(facts, work, cpu)
        low, high = ANSWER_RANGES[backend_of(work.place)]
        touched = work.weights + work.conversation
        seconds += part
        slowest += part / low
        least = max(part / high, touched / work.place.bandwidth)  # nothing reads faster than the memory
        if work.place.is_assumed:
            slowest += part / low * (1 / BELOW - 1)
            least /= ABOVE
        fastest += least
    return None if seconds <= 0 else SpeedRange(1 / max(seconds, slowest), 1 / seconds, 1 / min(seconds, fastest))


def prompt_speed(
    facts: ModelFacts, works: tuple[Work, ...], cpu: Cpu, tokens: int = PAGE_TOKENS, in_main_memory: int = 0
) -> SpeedRange | None:
    """Tokens read a second of a prompt of so many. A card reads the prompt also for layers in main memory: their
    weights, `in_main_memory` bytes, are carried to it for each batch (`op_offload` in llama.cpp)."""
    seconds = reading_seconds(facts, works, cpu, tokens)
    if seconds is None:
        return None
    reader = _reader(works)
    carried = in_main_memory * math.ceil(tokens / BATCH) if reader.kind == "gpu" else 0
    link = min([LINK_BYTES_PER_S, *(work.place.bandwidth or LINK_BYTES_PER_S for work in works)])
    low, high = PROMPT_RANGES[backend_of(reader)]
    below, above = (BELOW, ABOVE) if reader.is_assumed else (1.0, 1.0)
    return SpeedRange(
        tokens / (seconds / (below * low) + carried / (link / 2)),
        tokens / (seconds + carried / link),
        tokens / (seconds / (above * high) + carried / (2 * link)),
    )


def reading_seconds(facts: ModelFacts, works: tuple[Work, ...], cpu: Cpu, tokens: int) -> float | None:
    """Seconds until a prompt of so many tokens has been read; None where a figure of the device is missing."""
    if not works or not facts.parameters:
        return None
    place = _reader(works)
    backend = backend_of(place)
    if backend == "cpu":
        load = prompt_load(facts, backend, 0.0, 0.0, facts.layers)
        return cpu_prompt_seconds(cpu, load, tokens, FITTED) * WIDE_PENALTY.get(facts.file_type.upper(), 1.0)
    if not place.bandwidth:
        return None
    arithmetic = relative_arithmetic(place.name, place.total, place.bandwidth)
    layers = sum(work.layers for work in works) * blocks_a_layer(facts)
    return prompt_seconds(prompt_load(facts, backend, place.bandwidth, arithmetic, layers), tokens, FITTED)


def measured_range(tokens_per_s: float) -> SpeedRange:
    """The range around a speed measured on this computer: other programs and longer chats still move it."""
    return SpeedRange(0.9 * tokens_per_s, tokens_per_s, 1.05 * tokens_per_s)


@lru_cache(maxsize=256)
def _backend(kind: str, name: str) -> str:
    if kind == "gpu" or (kind == "unified" and name.startswith("NVIDIA")):
        return "amd" if _NOT_CUDA.search(name) else "cuda"
    return "metal" if kind == "unified" else "cpu"


def _reader(works: tuple[Work, ...]) -> Place:
    return max((work.place for work in works), key=lambda place: place.kind != "memory")


def _part_seconds(facts: ModelFacts, work: Work, cpu: Cpu) -> float:
    """Seconds of one token that this place's part takes."""
    bandwidth = work.place.bandwidth or 1.0
    group = type_group(facts.file_type)
    layers = work.layers * blocks_a_layer(facts)
    if work.place.kind == "memory":
        count = work.weights * facts.parameters / max(1, facts.weight_bytes)
        return cpu_token_seconds(cpu, bandwidth, work.weights + work.conversation, count, group, layers, FITTED)
    load = Load(
        backend_of(work.place), bandwidth, work.weights, work.conversation, layers, group, is_mixture(facts)
    )  # fmt: skip
    return token_seconds(load, FITTED)
