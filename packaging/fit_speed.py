"""Fits the speed model's constants to the cleaned rows, and says how well it foretells rows it has not seen.

`python packaging/fit_speed.py` prints the figures cross-validated by device, by model, by pair and by random halves
(`--rows`: row by row); with `--write` it also writes app/snug/core/speed_constants.py. Only numpy; the same rows give
the same constants.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "app"), str(ROOT / "packaging")]

from speed_samples import (  # noqa: E402 (the path comes first)
    Sample,
    answer_seconds,
    cpu_reading_seconds,
    cpu_samples,
    cpu_seconds,
    pair_of,
    prompt_samples,
    reading_seconds,
    samples_of,
)  # fmt: skip

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
    "prompt.cuda": (2.2, 0.5), "prompt.metal": (0.7, 0.3), "prompt.amd": (0.8, 0.3),
    "prompt.mixture.cuda": (4.0, 0.7), "prompt.mixture.metal": (1.5, 0.5), "prompt.mixture.amd": (4.0, 0.7),
    "prompt.iq": (1.1, 0.2), "prompt.width_bytes": (100.0, 0.7),
    "prompt.attention": (1.5, 0.5),
}  # fmt: skip
CPU_ROWS = ROOT / "tests" / "data" / "speed" / "cpu.json"
CPU_PRIORS: dict[str, tuple[float, float]] = {
    "core.weights_per_s": (1e10, 0.5), "efficiency.cpu": (0.9, 0.3), "layer_us.cpu": (100.0, 0.7),
    "core.wide": (0.8, 0.3), "core.legacy": (1.0, 0.1), "core.iq": (1.7, 0.3),  # iq: llama.cpp's own tables, no rows
}  # fmt: skip
CPU_PROMPT_PRIORS: dict[str, tuple[float, float]] = {
    "core.prompt_flops": (80e9, 0.5), "core.prompt_width_flops": (300.0, 1.0), "core.prompt_legacy": (1.4, 0.3),
    "core.prompt_wide": (1.0, 0.3), "core.prompt_iq": (1.5, 0.3),
}  # fmt: skip
OUTSIDE = 0.07
"""The share of rows beyond each end of the range. A tenth is what is promised; the fit has seen a little of the other
rows' devices and models, so that a tenth of its own held-out rows would leave more of wholly new ones outside."""
HALVES = 40
SMALLEST_HELD = 0.1e9
"""Processors are held to their mark from this size on; smaller models lie in the cache in part."""
CPU_RANGE = (0.75, 1.2)
"""Processors differ more than the few that were measured here: set by hand."""
CPU_PROMPT_RANGE = (0.5, 1.6)

Seconds = Callable[[Sample, Mapping[str, float]], float]
Fitted = Callable[[Sequence[Sample]], Mapping[str, float]]


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
    fitted: Fitted,
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
    """The ends of the shown range as factors of the middle, so that `OUTSIDE` of held-out rows lie beyond each."""
    low, high = np.quantile(-errors, [OUTSIDE, 1 - OUTSIDE])
    return float(f"{np.exp(min(low, -0.05)):.3g}"), float(f"{np.exp(max(high, 0.05)):.3g}")


def spans(samples: Sequence[Sample], residuals: Sequence[np.ndarray]) -> dict[str, tuple[float, float]]:
    """A range for NVIDIA cards, and a wider one for the back-ends with few rows (Metal; ROCm and Vulkan)."""
    is_cuda = np.array([item.load.backend == "cuda" for item in samples])
    others = ~is_cuda if np.any(~is_cuda) else is_cuda
    few = span(np.concatenate([errors[others] for errors in residuals]))
    return {"cuda": span(np.concatenate([errors[is_cuda] for errors in residuals])), "metal": few, "amd": few}


def coverage(samples: Sequence[Sample], errors: np.ndarray, ranges: Mapping[str, tuple[float, float]]) -> float:
    """The share of rows inside the shown range."""
    inside = [
        ranges[item.load.backend][0] <= np.exp(-error) <= ranges[item.load.backend][1]
        for item, error in zip(samples, errors, strict=True)
    ]
    return float(np.mean(inside))


def within_20(errors: np.ndarray) -> float:
    return within(errors, 0.2)


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


def report_of(samples: Sequence[Sample], fitted: Fitted, seconds: Seconds) -> Report:
    constants = fitted(samples)
    by_device = held_out(samples, lambda item: item.device, fitted, seconds)
    by_model = held_out(samples, lambda item: item.model, fitted, seconds)
    by_pair = held_out(samples, pair_of, fitted, seconds)
    ranges = spans(samples, [by_device, by_model, by_pair])
    return Report(constants, residuals(samples, seconds, constants), by_device, by_model, by_pair, ranges)


def halves_of(
    samples: Sequence[Sample], fitted: Fitted, seconds: Seconds, draws: int
) -> Iterator[tuple[float, float, float]]:
    """Half of the pairs of device and model foretold from the other half, again and again: within 20 %, median ratio,
    and the share inside a range that comes from the seen half alone."""
    pairs = sorted({(item.device, item.model) for item in samples})
    random = np.random.default_rng(7)
    for _ in range(draws):
        chosen = {pairs[index] for index in random.permutation(len(pairs))[: len(pairs) // 2]}
        known = [item for item in samples if (item.device, item.model) in chosen]
        unseen = [item for item in samples if (item.device, item.model) not in chosen]
        errors = residuals(unseen, seconds, fitted(known))
        ranges = spans(known, [held_out(known, pair_of, fitted, seconds)])
        yield within_20(errors), median_ratio(errors), coverage(unseen, errors, ranges)


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


def print_halves(samples: Sequence[Sample], fitted: Fitted, seconds: Seconds) -> None:
    figures = np.transpose(list(halves_of(samples, fitted, seconds, HALVES)))
    print(f"  half of the pairs of device and model foretold from the other, {HALVES} draws:")
    for name, column in zip(("within 20 %", "median ratio", "in range"), figures, strict=True):
        low, mid, high = np.quantile(column, [0.1, 0.5, 0.9])
        print(f"    {name:15}{mid:6.2f}   ({low:.2f} to {high:.2f} in eight draws of ten)")


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

    prompts = report_of(reading, partial(fit_prompts, answers.constants), reading_seconds)
    return samples, answers, reading, prompts


def fit_prompts(answers: Mapping[str, float], samples: Sequence[Sample]) -> Mapping[str, float]:
    return {**answers, **fit(samples, reading_seconds, PROMPT_PRIORS, answers)}


@dataclass(frozen=True, slots=True)
class CpuReport:
    """The processor's fit: residuals of answers and of prompts, seen and with each size held out."""

    samples: Sequence[Sample]
    constants: Mapping[str, float]
    answers: np.ndarray
    answers_by_size: np.ndarray
    prompts: np.ndarray
    prompts_by_size: np.ndarray

    @property
    def is_held(self) -> np.ndarray:
        """Which rows are held to the mark."""
        return np.array([item.row["parameters"] >= SMALLEST_HELD for item in self.samples])


def cpu_report(document: Mapping[str, Any]) -> CpuReport:
    samples = cpu_samples(document)
    reading = [replace(item, measured=item.row["prompt_tokens_per_s"]) for item in samples]
    constants: dict[str, float] = {}
    found = []
    for some, seconds, priors in (
        (samples, cpu_seconds, CPU_PRIORS),
        (reading, cpu_reading_seconds, CPU_PROMPT_PRIORS),
    ):
        fitted = partial(fit, seconds=seconds, priors=priors)
        own = fitted(some)
        constants |= own
        found += [residuals(some, seconds, own), held_out(some, lambda item: item.model, fitted, seconds)]
    return CpuReport(samples, constants, *found)


def within(errors: np.ndarray, share: float) -> float:
    """The share of rows foretold within that share of what was measured."""
    return float(np.mean(np.abs(np.expm1(errors)) <= share))


def print_cpu(document: Mapping[str, Any], report: CpuReport, with_rows: bool) -> None:
    held = report.is_held
    print(
        f"Processor: {document['cpu']}, {document['cores']} cores; {len(held)} models, {int(held.sum())} from 0.1B on"
    )
    print(f"  {'':34}within 12 %  within 20 %  median ratio")
    for name, errors in (
        ("answers, seen", report.answers), ("answers, held-out size", report.answers_by_size),
        ("prompts, seen", report.prompts), ("prompts, held-out size", report.prompts_by_size),
    ):  # fmt: skip
        some = errors[held]
        print(f"  {name:34}{within(some, 0.12):11.0%}{within(some, 0.2):13.0%}{median_ratio(some):14.3f}")
    if with_rows:
        for item, answer, prompt in zip(report.samples, report.answers, report.prompts, strict=True):
            name, ratios = f"{item.model:8}{item.row['file_type']:8}", (np.exp(answer), np.exp(prompt))
            print(f"    {ratios[0]:5.2f} {ratios[1]:5.2f} {name}{item.measured:8.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", action="store_true", help="also each row")
    parser.add_argument("--write", action="store_true", help=f"write {CONSTANTS.relative_to(ROOT)}")
    arguments = parser.parse_args()
    samples, answers, reading, prompts = both_reports(json.loads(ROWS.read_text("utf-8"))["rows"])
    for name, value in prompts.constants.items():
        print(f"  {name:22}{value:10.4g}")
    print_report("Answers", samples, answers, arguments.rows)
    print_halves(samples, fit_answers, answer_seconds)
    print_report("Prompts", reading, prompts, arguments.rows)
    print_halves(reading, partial(fit_prompts, answers.constants), reading_seconds)
    print("  ranges", answers.ranges, prompts.ranges)
    document = json.loads(CPU_ROWS.read_text("utf-8"))
    on_cpu = cpu_report(document)
    print_cpu(document, on_cpu, arguments.rows)
    if arguments.write:
        CONSTANTS.write_text(constants_text(answers, prompts, on_cpu.constants), "utf-8")


if __name__ == "__main__":
    main()
