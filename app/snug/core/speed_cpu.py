"""How fast a processor works through a model: its cores' own pace and the memory's bandwidth, whichever is slower.

Set on this project's own runs (tests/data/speed/cpu.json; `packaging/measure_cpu_speed.py`), on processors with AVX2;
other kinds of cores stand to those as published llama.cpp measurements do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from snug.core.machine import Cpu
from snug.core.speed_model import Load

BYTES_PER_THREAD = 16 * 1024 * 1024
"""The engine takes one thread for each 16 MiB of a small model, then one a core."""
CACHE_BYTES = 16 * 1024 * 1024
"""A usual last-level cache: weights that lie within come from there, not from memory."""
CACHE_GAIN = 2.0
CORE_PACE = (("amx_int8", 1.4), ("avx512_vnni", 1.4), ("avx512f", 1.2), ("avx2", 1.0), ("neon", 0.9))
"""A core's pace by what it can do, relative to one with AVX2."""
SLOW_PACE = 0.4
EXPERT_READING = 0.35
"""A mixture of experts reaches this share of the arithmetic rate of a dense model in a prompt: few tokens an expert."""
WIDE_PENALTY = {"F32": 2.0, "BF16": 1.6}
"""Types that a core must turn into another one first; set by hand."""


def cores_of(cpu: Cpu) -> float:
    """Cores that work on a model: physical ones, or a container's share of them."""
    return max(1.0, min(cpu.cores or 1, cpu.limit or cpu.cores or 1))


def pace_of(cpu: Cpu) -> float:
    """One core's pace relative to AVX2; without a feature list, that of an ordinary one."""
    if not cpu.features:
        return 1.0
    return next((figure for feature, figure in CORE_PACE if feature in cpu.features), SLOW_PACE)


def cpu_token_seconds(
    cpu: Cpu,
    bandwidth: float,
    touched: float,
    weights: float,
    group: str,
    layers: float,
    constants: Mapping[str, float],
) -> float:
    """Seconds for one token: `touched` bytes from memory, `weights` (their number) through the cores.

    Both go on at once and hinder each other where they take equally long: a root of the sum of squares.
    """
    threads = max(1.0, min(cores_of(cpu), touched // BYTES_PER_THREAD))
    pace = threads * pace_of(cpu) * constants["core.weights_per_s"] / constants.get(f"core.{group}", 1.0)
    cached = 1.0 + CACHE_GAIN / (1.0 + (touched / CACHE_BYTES) ** 3)
    memory = touched / (bandwidth * constants["efficiency.cpu"] * cached)
    return math.hypot(memory, weights / pace) + layers * constants["layer_us.cpu"] * 1e-6


def cpu_prompt_seconds(cpu: Cpu, load: Load, tokens: float, constants: Mapping[str, float]) -> float:
    """Seconds to read a prompt of so many tokens: arithmetic of the layers, of looking back, and between the layers."""
    if tokens <= 0:
        return 0.0
    threads = max(1.0, min(cores_of(cpu), load.all_weights // BYTES_PER_THREAD))
    rate = threads * pace_of(cpu) * constants["core.prompt_flops"]
    work = 2 * load.active * constants.get(f"core.prompt_{load.group}", 1.0)
    if load.is_mixture:
        work /= EXPERT_READING
    between = load.width * constants["core.prompt_width_flops"]
    return tokens * (work + load.attention * tokens / 2 + between) / rate
