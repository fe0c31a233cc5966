"""Repeated measurements: their middle and their ends, and the processor they were taken on."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from snug.commands.command import Context
from snug.commands.machine import read_here
from snug.core.errors import UserError


def summary(values: Sequence[float]) -> dict[str, float]:
    """The median, the lowest and the highest of some measurements."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def ratio_of_pairs(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    """Ours over theirs, taken pair by pair: both of a pair met the same neighbours on a busy computer."""
    return summary([our / their for our, their in zip(ours, theirs, strict=True)])


def checked_runs(runs: int) -> int:
    """Raises UserError (bad_input) for a number of runs that cannot be meant."""
    if not 1 <= runs <= 100:
        raise UserError("--runs must be between 1 and 100.", "Try 5.", kind="bad-argument", bad_input=True)
    return runs


def processor_name(context: Context) -> str:
    """The processor's name, to stand beside every figure."""
    return read_here(context, measure_bandwidth=False).cpu.name or "unknown processor"
