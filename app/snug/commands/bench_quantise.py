"""`snug bench quantise`: Snug's quantisation kernels against ggml's functions, in turns, on the same weights."""

from __future__ import annotations

import os
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from snug.commands.command import Context
from snug.commands.samples import checked_runs, processor_name, summary
from snug.core.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Weights = NDArray[np.float32]

TARGET_RATIOS = {"Q4_K": 6.0, "Q5_K": 6.0, "Q2_K": 6.0, "Q6_K": 4.0, "Q3_K": 4.0, "IQ4_XS": 8.0}
COLUMNS = 2048
ERROR_ROWS = 128


@dataclass(frozen=True)
class TypeResult:
    """One type, with or without importance weights: millions of weights a second, and squared errors."""

    type: str
    importance: bool
    own_rate: float
    ggml_rate: float
    ratio: dict[str, float]
    target: float | None
    error_ratio: dict[str, float]  # Snug's over ggml's, by kind of weights


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--types", default=",".join(TARGET_RATIOS), metavar="LIST", help="types, with commas between")
    parser.add_argument("--rows", type=int, default=256, metavar="N", help=f"rows of {COLUMNS} weights (256)")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="turns of each (5)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="processor threads (1)")


def run(arguments: Namespace, context: Context) -> int:
    """Quantise with both in turns, and print how fast and how exact each was."""
    from snug.convert.quantize import TYPES, simd_paths

    runs = checked_runs(arguments.runs)
    names = [name for name in arguments.types.split(",") if name]
    kernel_types = [name for name, shape in TYPES.items() if shape.by == "kernels"]
    unknown = [name for name in names if name not in kernel_types]
    if unknown or not names or not 8 <= arguments.rows <= 65536 or not 1 <= arguments.threads <= 1024:
        raise UserError(
            f"There is nothing to compare for {', '.join(unknown)}." if unknown else "The arguments are out of range.",
            f"Types: {', '.join(kernel_types)}. Rows: 8 to 65536. Threads: 1 to 1024.",
            kind="bad-argument",
            bad_input=True,
        )
    results = []
    processor = processor_name(context)
    context.say(f"{processor}, {arguments.threads} threads, path {chosen_path(simd_paths())}")
    context.say("type    importance   Snug     ggml     ratio (low to high)   target   squared error of Snug / ggml")
    for name in names:
        for is_weighted in (False, True):
            result = measure(name, is_weighted, arguments.rows, runs, arguments.threads)
            context.say(line(result))
            results.append(result)
    if context.json:
        path = chosen_path(simd_paths())
        context.print_document({"processor": processor, "path": path, "threads": arguments.threads, "results": results})
    return 0


def chosen_path(paths: tuple[str, ...]) -> str:
    """The kernel path in use: the one that SNUG_SIMD forces, or the fastest."""
    return os.environ.get("SNUG_SIMD") or paths[-1]


def kinds_of_weights(rows: int) -> dict[str, Weights]:
    """Generated weights as trained ones are spread: bell-shaped, with heavier tails, with rare large ones."""
    import numpy as np

    generator = np.random.default_rng(1)
    outliers = generator.normal(scale=0.02, size=(rows, COLUMNS))
    outliers[generator.random(outliers.shape) < 0.01] *= 15
    return {
        "gaussian": generator.normal(scale=0.02, size=(rows, COLUMNS)).astype(np.float32),
        "laplace": generator.laplace(scale=0.02, size=(rows, COLUMNS)).astype(np.float32),
        "outliers": outliers.astype(np.float32),
    }


def measure(name: str, is_weighted: bool, rows: int, runs: int, threads: int) -> TypeResult:
    """Both on the same rows in turns; the errors on fewer rows of each kind of weights."""
    import numpy as np

    from snug.convert.quantize import quantize_rows, row_bytes
    from snug.engine.ggml_quantize import dequantize_with_ggml, quantize_with_ggml

    importance = np.random.default_rng(2).gamma(0.5, size=COLUMNS).astype(np.float32) + np.float32(1e-3)
    figures = importance if is_weighted else None

    def own(weights: Weights) -> bytes:
        return quantize_rows(weights, name, figures, threads)

    def reference(weights: Weights) -> bytes:
        return quantize_with_ggml(weights, name, figures, threads, row_bytes(name, COLUMNS))

    def error(blocks: bytes, weights: Weights) -> float:
        squares = (dequantize_with_ggml(blocks, name, weights.size).reshape(weights.shape) - weights) ** 2
        return float((squares * importance if is_weighted else squares).sum(dtype=np.float64))

    weights = kinds_of_weights(rows)["gaussian"]
    own(weights[:8]), reference(weights[:8])
    own_times, their_times = [], []
    for _ in range(runs):
        their_times.append(seconds(reference, weights))
        own_times.append(seconds(own, weights))
    samples = kinds_of_weights(min(rows, ERROR_ROWS))
    return TypeResult(
        type=name,
        importance=is_weighted,
        own_rate=weights.size / min(own_times) / 1e6,
        ggml_rate=weights.size / min(their_times) / 1e6,
        ratio=summary([their / our for our, their in zip(own_times, their_times, strict=True)]),
        target=TARGET_RATIOS.get(name),
        error_ratio={
            kind: error(own(sample), sample) / error(reference(sample), sample) for kind, sample in samples.items()
        },
    )


def seconds(quantise: Callable[[Weights], bytes], weights: Weights) -> float:
    started = time.perf_counter()
    quantise(weights)
    return time.perf_counter() - started


def line(result: TypeResult) -> str:
    """One row of the table; rates in millions of weights a second."""
    ratio = result.ratio
    errors = ", ".join(f"{kind} {value:.3f}" for kind, value in result.error_ratio.items())
    target = f"{result.target:.0f}x" if result.target else "none"
    return (
        f"{result.type:7} {'yes' if result.importance else 'no':8} {result.own_rate:8.1f} {result.ggml_rate:8.1f} "
        f"{ratio['median']:7.1f}x ({ratio['low']:.1f} to {ratio['high']:.1f}) {target:>9}   {errors}"
    )
