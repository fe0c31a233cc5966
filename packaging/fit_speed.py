"""Fits the speed model's constants to the cleaned rows, and says how well it foretells rows it has not seen.

`python packaging/fit_speed.py` prints the cross-validated figures (`--rows`: row by row); with `--write` it also
writes app/snug/core/speed_constants.py. Only numpy; the same rows give the same constants.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "app"), str(ROOT / "packaging")]

from speed_rows import entries, traffic  # noqa: E402 (the path comes first)

from snug.core.catalogue import facts_of  # noqa: E402
from snug.core.gpu_bandwidths import bandwidth_by_name  # noqa: E402
from snug.core.machine import Cpu  # noqa: E402
from snug.core.memory_need import repeating_bytes  # noqa: E402
from snug.core.speed import blocks_a_layer, is_mixture, relative_arithmetic  # noqa: E402
from snug.core.speed_cpu import cpu_token_seconds  # noqa: E402
from snug.core.speed_model import Load, prompt_seconds, token_seconds, type_group  # noqa: E402

ROWS = ROOT / "tests" / "data" / "speed" / "measured.json"
CONSTANTS = ROOT / "app" / "snug" / "core" / "speed_constants.py"
HUBER = 0.12
"""Residuals (log ratio) above this count only linearly: a wrong row cannot pull the fit."""
TIE = 0.02
"""How strongly a constant is held at its start: a spread away costs as much as one row off by the root of this."""
ANSWER_PRIORS: dict[str, tuple[float, float]] = {
    # where it starts, and its spread (log)
    "efficiency.cuda": (0.80, 0.3), "efficiency.metal": (0.75, 0.3), "efficiency.amd": (0.70, 0.3),
    "layer_us.cuda": (30.0, 1.0), "layer_us.metal": (80.0, 1.0), "layer_us.amd": (50.0, 0.7),
    "type.iq": (1.1, 0.2), "type.legacy": (1.0, 0.1), "type.wide": (1.0, 0.1), "mixture.layer": (1.5, 0.7),
}  # fmt: skip
PROMPT_PRIORS: dict[str, tuple[float, float]] = {
    "prompt.cuda": (35.0, 1.0), "prompt.metal": (20.0, 1.0), "prompt.amd": (30.0, 1.0),
    "prompt.mixture": (2.5, 1.0), "prompt.iq": (1.2, 0.2),
}  # fmt: skip
CPU_ROWS = ROOT / "tests" / "data" / "speed" / "cpu.json"
CPU_PRIORS: dict[str, tuple[float, float]] = {
    "core.weights_per_s": (1e10, 0.5), "efficiency.cpu": (0.9, 0.3), "layer_us.cpu": (15.0, 0.7),
    "core.wide": (0.8, 0.3), "core.legacy": (1.0, 0.1), "core.iq": (1.7, 0.3),  # iq: llama.cpp's own tables, no rows
}  # fmt: skip
CPU_RANGE = (0.75, 1.2)
"""Processors differ more than the few that were measured here: set by hand."""
CPU_PROMPT_RANGE = (0.5, 1.6)
LEAST_PROMPT = 256
"""Rates of shorter prompts, and those that servers report, say more about the server than about the model."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement: what had to be done, how fast it went (tokens/s), and whose row it is."""

    load: Load
    measured: float
    prompt_tokens: int
    device: str
    model: str
    row: Mapping[str, Any]


Seconds = Callable[[Sample, Mapping[str, float]], float]


def answer_seconds(sample: Sample, constants: Mapping[str, float]) -> float:
    return token_seconds(sample.load, constants)


def reading_seconds(sample: Sample, constants: Mapping[str, float]) -> float:
    return prompt_seconds(sample.load, sample.prompt_tokens, constants) / sample.prompt_tokens


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
        load = Load(
            backend, bandwidth, weights, conversation, facts.layers * blocks_a_layer(facts),
            type_group(row["file_type"]), is_mixture(facts), active=facts.active_parameters or facts.parameters,
            all_weights=repeating_bytes(facts), arithmetic=relative_arithmetic(row["device"]),
        )  # fmt: skip
        found.append(Sample(load, row["tokens_per_s"], row["prompt_tokens"], row["device"], row["model"], row))
    return found


def cpu_samples(document: Mapping[str, Any]) -> list[Sample]:
    """The runs of one processor. Llama shapes with the embedding as output head: every byte is touched."""
    found = []
    for row in document["rows"]:
        count = row["parameters"] + row["vocabulary"] * row["width"]
        touched = row["weight_bytes"]
        load = Load("cpu", row["bandwidth"], touched, 0, row["layers"], type_group(row["file_type"]), active=count)
        found.append(Sample(load, row["tokens_per_s"], 0, document["cpu"], row["name"], {**row, "cpu": document}))
    return found


def cpu_seconds(sample: Sample, constants: Mapping[str, float]) -> float:
    document, load = sample.row["cpu"], sample.load
    cpu = Cpu(cores=document["cores"], features=tuple(document["features"]))
    return cpu_token_seconds(cpu, load.bandwidth, load.weights, load.active, load.group, load.layers, constants)


def prompt_samples(samples: Sequence[Sample]) -> list[Sample]:
    """The same for the reading of prompts, where that was measured."""
    return [
        Sample(item.load, item.row["prompt_tokens_per_s"], item.prompt_tokens, item.device, item.model, item.row)
        for item in samples
        if item.row["prompt_tokens_per_s"] and item.prompt_tokens >= LEAST_PROMPT and not item.row["is_server"]
    ]


def residuals(samples: Sequence[Sample], seconds: Seconds, constants: Mapping[str, float]) -> np.ndarray:
    """log(foretold / measured) of each row."""
    return np.array([-np.log(seconds(item, constants) * item.measured) for item in samples])


def fit(
    samples: Sequence[Sample],
    seconds: Seconds,
    priors: Mapping[str, tuple[float, float]],
    fixed: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """The constants with the least Huber loss, held near their start: Gauss-Newton, reweighted by residual.

    n rows of one device and model say much the same: together they weigh as the root of n.
    """
    names = list(priors)
    start = np.log([priors[name][0] for name in names])
    hold = TIE / np.array([priors[name][1] for name in names]) ** 2
    keys = [(item.device, item.model) for item in samples]
    row_weights = np.array([1 / np.sqrt(keys.count(key)) for key in keys])

    def errors(theta: np.ndarray) -> np.ndarray:
        return residuals(samples, seconds, {**(fixed or {}), **dict(zip(names, np.exp(theta), strict=True))})

    theta = start.copy()
    for _ in range(60):
        error = errors(theta)
        jacobian = np.stack([(errors(theta + step) - error) / 1e-5 for step in np.eye(len(names)) * 1e-5], axis=1)
        weight = row_weights * np.minimum(1.0, HUBER / np.maximum(np.abs(error), 1e-9))
        normal = jacobian.T @ (weight[:, None] * jacobian) + np.diag(hold)
        gradient = jacobian.T @ (weight * error) + hold * (theta - start)
        step = np.clip(np.linalg.solve(normal, -gradient), -0.5, 0.5)
        theta = theta + step
        if np.abs(step).max() < 1e-6:
            break
    return {name: float(f"{np.exp(value):.4g}") for name, value in zip(names, theta, strict=True)}


def held_out(
    samples: Sequence[Sample],
    key: Callable[[Sample], str],
    fitted: Callable[[Sequence[Sample]], Mapping[str, float]],
    seconds: Seconds,
) -> np.ndarray:
    """The residual of each row, foretold by a fit that saw no row with the same key."""
    found = np.zeros(len(samples))
    for name in sorted({key(item) for item in samples}):
        constants = fitted([item for item in samples if key(item) != name])
        for index, item in enumerate(samples):
            if key(item) == name:
                found[index] = residuals([item], seconds, constants)[0]
    return found


def span(errors: np.ndarray) -> tuple[float, float]:
    """The ends of the shown range as factors of the middle: a tenth of held-out rows lies below, a tenth above."""
    low, high = np.quantile(-errors, [0.1, 0.9])
    return float(f"{np.exp(min(low, -0.05)):.3g}"), float(f"{np.exp(max(high, 0.05)):.3g}")


def spans(samples: Sequence[Sample], residuals: Sequence[np.ndarray]) -> dict[str, tuple[float, float]]:
    """A range for NVIDIA cards, and a wider one for the back-ends with few rows (Metal; ROCm and Vulkan)."""
    is_cuda = np.array([item.load.backend == "cuda" for item in samples])
    few = span(np.concatenate([errors[~is_cuda] for errors in residuals]))
    return {"cuda": span(np.concatenate([errors[is_cuda] for errors in residuals])), "metal": few, "amd": few}


def coverage(samples: Sequence[Sample], errors: np.ndarray, ranges: Mapping[str, tuple[float, float]]) -> float:
    """The share of rows inside the shown range."""
    inside = [
        ranges[item.load.backend][0] <= np.exp(-error) <= ranges[item.load.backend][1]
        for item, error in zip(samples, errors, strict=True)
    ]
    return float(np.mean(inside))


def within_20(errors: np.ndarray) -> float:
    """The share of rows foretold within 20 % of what was measured."""
    return float(np.mean(np.abs(np.expm1(errors)) <= 0.2))


def median_ratio(errors: np.ndarray) -> float:
    """The middle of foretold over measured."""
    return float(np.exp(np.median(errors)))


@dataclass(frozen=True, slots=True)
class Report:
    """A fit, with the residuals of rows seen and unseen."""

    constants: Mapping[str, float]
    seen: np.ndarray
    by_device: np.ndarray
    by_model: np.ndarray
    by_pair: np.ndarray
    ranges: Mapping[str, tuple[float, float]]


def fit_answers(samples: Sequence[Sample]) -> dict[str, float]:
    return fit(samples, answer_seconds, ANSWER_PRIORS)


def report_of(
    samples: Sequence[Sample], fitted: Callable[[Sequence[Sample]], Mapping[str, float]], seconds: Seconds
) -> Report:
    constants = fitted(samples)
    by_device = held_out(samples, lambda item: item.device, fitted, seconds)
    by_model = held_out(samples, lambda item: item.model, fitted, seconds)
    by_pair = held_out(samples, lambda item: f"{item.device}, {item.model}", fitted, seconds)
    ranges = spans(samples, [by_device, by_model, by_pair])
    return Report(constants, residuals(samples, seconds, constants), by_device, by_model, by_pair, ranges)


def print_report(title: str, samples: Sequence[Sample], report: Report, with_rows: bool) -> None:
    print(f"{title}: {len(samples)} rows")
    print(f"  {'':42}rows  within 20 %  median ratio  in range")
    for name, errors in (("seen", report.seen), ("held-out device", report.by_device),
                         ("held-out model", report.by_model), ("held-out pair of both", report.by_pair)):  # fmt: skip
        print(f"  {name:40}{len(errors):6}{within_20(errors):12.0%}{median_ratio(errors):14.3f}"
              f"{coverage(samples, errors, report.ranges):10.0%}")  # fmt: skip
    for kind, errors in (("device", report.by_device), ("model", report.by_model)):
        for name in sorted({getattr(item, kind) for item in samples}):
            picked = errors[[getattr(item, kind) == name for item in samples]]
            print(f"    {name[:36]:38}{len(picked):6}{within_20(picked):12.0%}{median_ratio(picked):14.3f}")
    if with_rows:
        for index in np.argsort(report.by_device):
            row = samples[index].row
            print(
                f"    {np.exp(report.by_device[index]):5.2f} {np.exp(report.by_model[index]):5.2f} {row['device']:14}"
                f" {row['model'][:26]:26} {row['named_type']:12}{row['depth']:6} {samples[index].measured:.0f}"
            )


def constants_text(answers: Report, prompts: Report, cpu_constants: Mapping[str, float]) -> str:
    """The module with the fitted constants."""

    def table(name: str, note: str, pairs: Mapping[str, object]) -> str:
        lines = "".join(f'    "{key}": {value},\n' for key, value in pairs.items())
        return f'{name} = {{\n{lines}}}\n"""{note}"""\n'

    cpu_range = {"cpu": CPU_RANGE}
    return (
        '"""The constants of the speed model, as `packaging/fit_speed.py --write` fitted them; not to be edited."""\n\n'
        "from __future__ import annotations\n\n"
        + table("FITTED", "Efficiencies, microseconds a layer, factors; see `speed_model`.",
                {**prompts.constants, **cpu_constants})
        + table("ANSWER_RANGES", "The ends of the range (a tenth of unseen rows beyond each) as factors of the middle.",
                {**answers.ranges, **cpu_range})
        + table("PROMPT_RANGES", "The same for the reading of prompts.", {**prompts.ranges, "cpu": CPU_PROMPT_RANGE})
    )  # fmt: skip


def both_reports(rows: Sequence[Mapping[str, Any]]) -> tuple[list[Sample], Report, list[Sample], Report]:
    """Answers first, then prompts with the answers' efficiencies."""
    samples = samples_of(rows)
    answers = report_of(samples, fit_answers, answer_seconds)
    reading = prompt_samples(samples)

    def fit_prompts(some: Sequence[Sample]) -> Mapping[str, float]:
        return {**answers.constants, **fit(some, reading_seconds, PROMPT_PRIORS, answers.constants)}

    prompts = report_of(reading, fit_prompts, reading_seconds)
    return samples, answers, reading, prompts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", action="store_true", help="also each row")
    parser.add_argument("--write", action="store_true", help=f"write {CONSTANTS.relative_to(ROOT)}")
    arguments = parser.parse_args()
    samples, answers, reading, prompts = both_reports(json.loads(ROWS.read_text("utf-8"))["rows"])
    for name, value in prompts.constants.items():
        print(f"  {name:20}{value:10.4g}")
    print_report("Answers", samples, answers, arguments.rows)
    print_report("Prompts", reading, prompts, arguments.rows)
    print("  ranges", answers.ranges, prompts.ranges)
    document = json.loads(CPU_ROWS.read_text("utf-8"))
    cpu = cpu_samples(document)
    on_cpu = fit(cpu, cpu_seconds, CPU_PRIORS)
    errors = residuals(cpu, cpu_seconds, on_cpu)
    unseen = held_out(cpu, lambda item: item.model, lambda some: fit(some, cpu_seconds, CPU_PRIORS), cpu_seconds)
    print(f"Processor: {document['cpu']}, {document['cores']} cores, {on_cpu}")
    for title, some in (("seen", errors), ("held-out size", unseen)):
        within = float(np.mean(np.abs(np.expm1(some)) <= 0.12))
        print(f"  {title:16}{len(cpu):4} models  within 12 %: {within:.0%}  median ratio {median_ratio(some):.3f}")
    if arguments.rows:
        for item, error in zip(cpu, errors, strict=True):
            print(f"    {np.exp(error):5.2f} {item.model:8}{item.row['file_type']:8}{item.measured:8.1f}")
    if arguments.write:
        CONSTANTS.write_text(constants_text(answers, prompts, on_cpu), "utf-8")


if __name__ == "__main__":
    main()
