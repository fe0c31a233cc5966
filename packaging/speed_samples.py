"""The measurements as the speed model sees them: what had to be done for a token, and how fast it went.

The cleaned community rows (`speed_rows.py`) and the runs of one processor (`measure_cpu_speed.py`).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "app"), str(ROOT / "packaging")]

from speed_rows import entries, traffic  # noqa: E402 (the path comes first)

from snug.core.catalogue import facts_of  # noqa: E402
from snug.core.gpu_bandwidths import bandwidth_by_name  # noqa: E402
from snug.core.machine import Cpu  # noqa: E402
from snug.core.speed import blocks_a_layer, is_mixture, prompt_load  # noqa: E402
from snug.core.speed_arithmetic import relative_arithmetic  # noqa: E402
from snug.core.speed_cpu import cpu_prompt_seconds, cpu_token_seconds  # noqa: E402
from snug.core.speed_model import Load, prompt_seconds, token_seconds, type_group  # noqa: E402

LEAST_PROMPT = 256
"""Rates of shorter prompts, and those that servers report, say more about the server than about the model."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement: what had to be done, how fast it went (tokens/s), and whose row it is."""

    load: Load
    prompt: Load
    measured: float
    prompt_tokens: int
    device: str
    model: str
    row: Mapping[str, Any]


def answer_seconds(sample: Sample, constants: Mapping[str, float]) -> float:
    return token_seconds(sample.load, constants)


def reading_seconds(sample: Sample, constants: Mapping[str, float]) -> float:
    before = sample.row["prompt_before"]
    return prompt_seconds(sample.prompt, sample.prompt_tokens, constants, before) / sample.prompt_tokens


def samples_of(rows: Sequence[Mapping[str, Any]]) -> list[Sample]:
    """What the speed model gets to see of each row."""
    shapes = entries()
    found = []
    for row in rows:
        facts = facts_of(shapes[row["model"]], row["file_type"])
        weights, conversation = traffic(facts, row["depth"], row["kv_type"])
        backend = "amd" if row["backend"] in ("rocm", "vulkan") else row["backend"]
        bandwidth = bandwidth_by_name(row["device"], row["memory_bytes"])
        assert bandwidth is not None
        layers = facts.layers * blocks_a_layer(facts)
        load = Load(backend, bandwidth, weights, conversation, layers, type_group(row["file_type"]), is_mixture(facts))
        arithmetic = relative_arithmetic(row["device"], row["memory_bytes"], bandwidth)
        prompt = prompt_load(facts, backend, bandwidth, arithmetic, layers)
        found.append(Sample(load, prompt, row["tokens_per_s"], row["prompt_tokens"], row["device"], row["model"], row))
    return found


def cpu_samples(document: Mapping[str, Any]) -> list[Sample]:
    """The runs of one processor, with the best bandwidth measured on it, as the program uses it.

    Llama shapes with the embedding as output head: every byte is touched.
    """
    found = []
    best = max(row["bandwidth"] for row in document["rows"])
    for row in document["rows"]:
        count = row["parameters"] + row["vocabulary"] * row["width"]
        group = type_group(row["file_type"])
        load = Load("cpu", best, row["weight_bytes"], 0, row["layers"], group, active=count)
        width = row["layers"] * row["width"]
        prompt = Load("cpu", best, 0, 0, row["layers"], group, active=row["parameters"], width=width,
                      all_weights=row["weight_bytes"], attention=4 * width)  # fmt: skip
        device, whole = document["cpu"], {**row, "cpu": document}
        found.append(Sample(load, prompt, row["tokens_per_s"], row["prompt_tokens"], device, row["name"], whole))
    return found


def cpu_of(sample: Sample) -> Cpu:
    document = sample.row["cpu"]
    return Cpu(cores=document["cores"], features=tuple(document["features"]))


def cpu_seconds(sample: Sample, constants: Mapping[str, float]) -> float:
    load = sample.load
    return cpu_token_seconds(
        cpu_of(sample), load.bandwidth, load.weights, load.active, load.group, load.layers, constants
    )


def cpu_reading_seconds(sample: Sample, constants: Mapping[str, float]) -> float:
    tokens = sample.prompt_tokens
    return cpu_prompt_seconds(cpu_of(sample), sample.prompt, tokens, constants) / tokens


def prompt_samples(samples: Sequence[Sample]) -> list[Sample]:
    """The same for the reading of prompts, where that was measured."""
    return [
        replace(item, measured=item.row["prompt_tokens_per_s"])
        for item in samples
        if item.row["prompt_tokens_per_s"] and item.prompt_tokens >= LEAST_PROMPT and not item.row["is_server"]
    ]


def pair_of(sample: Sample) -> str:
    return f"{sample.device}, {sample.model}"
