"""`snug bench`: how Snug compares with the bare tools it is made of, measured in the same run."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Callable

from snug.commands import bench_bits, bench_chat, bench_convert, bench_fit, bench_quantise, bench_speed, bench_start
from snug.commands.command import Command, Context

BENCHES: tuple[tuple[str, str, Callable[[ArgumentParser], None], Callable[[Namespace, Context], int]], ...] = (
    ("start", "time to the first frame, and memory at rest", bench_start.add_arguments, bench_start.run),
    ("chat", "speed of writing, against the engine's own loop", bench_chat.add_arguments, bench_chat.run),
    ("fit", "memory that was said, against what the engine takes", bench_fit.add_arguments, bench_fit.run),
    ("speed", "speed that was said, against what the engine reaches", bench_speed.add_arguments, bench_speed.run),
    (
        "convert",
        "time, memory and disk of a conversion, against llama.cpp's",
        bench_convert.add_arguments,
        bench_convert.run,
    ),
    ("bits", "what each method keeps of a model in the same space", bench_bits.add_arguments, bench_bits.run),
    ("quantise", "speed and error of quantising, against ggml's", bench_quantise.add_arguments, bench_quantise.run),
)
"""Every measurement: its name, what it is, its arguments, and what runs it."""


def add_arguments(parser: ArgumentParser) -> None:
    kinds = parser.add_subparsers(title="measurements", metavar="WHAT", required=True)
    for name, words, add, run_bench in BENCHES:
        kind = kinds.add_parser(name, help=words, description=words)
        kind.add_argument("--json", action="store_true", default=SUPPRESS, help="print one JSON document")
        add(kind)
        kind.set_defaults(run_bench=run_bench)


def run(arguments: Namespace, context: Context) -> int:
    """Run the chosen measurement."""
    chosen: Callable[[Namespace, Context], int] = arguments.run_bench
    return chosen(arguments, context)


COMMANDS = (Command("bench", "compare Snug with the bare tools that it is made of", add_arguments, run),)
