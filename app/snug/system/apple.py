"""Apple's chips: one memory for processor and graphics, and the share of it that graphics may use."""

from __future__ import annotations

from snug.core.machine import Gpu
from snug.system.environment import Environment, NotReadable
from snug.system.figures import text, whole
from snug.system.processor import sysctl_figures
from snug.system.reading import Reading

_MEBIBYTE = 1024 * 1024
_SMALL_MEMORY_BYTES = 36 * 1024**3


def read(environment: Environment) -> Reading:
    """The graphics of an Apple chip, or why there is nothing to say."""
    if environment.system != "darwin":
        return Reading()
    try:
        output = environment.output(("sysctl", "hw", "machdep.cpu", "iogpu"))
    except NotReadable as reason:
        return Reading(unread={"gpus": str(reason)})
    try:
        available = whole(environment.library_figures().get("available"))
    except NotReadable:
        available = 0
    return parse(output, available)


def parse(output: str, available: int) -> Reading:
    """The unified device from `sysctl hw machdep.cpu iogpu`, and the bytes of memory that are free now.

    Without a limit set by the person macOS lets graphics use about two thirds of the memory up to 36 GB and three
    quarters above; the engine's own figure replaces this one where it is known.
    """
    figures = sysctl_figures(output)
    chip = text(figures.get("machdep.cpu.brand_string"))
    memory = whole(figures.get("hw.memsize"))
    if not chip.startswith("Apple "):
        return Reading(unread={"gpus": "the graphics of a Mac with an Intel processor are not read"})
    if not memory:
        return Reading(unread={"gpus": "sysctl does not give hw.memsize"})
    chosen = whole(figures.get("iogpu.wired_limit_mb")) * _MEBIBYTE
    usual = memory * 2 // 3 if memory <= _SMALL_MEMORY_BYTES else memory * 3 // 4
    total = min(chosen or usual, memory)
    gpu = Gpu(
        name=chip,
        kind="unified",
        memory_total=total,
        memory_free=min(total, available) if available else total,
        vendor="apple",
    )
    limit = "sysctl iogpu.wired_limit_mb" if chosen else "macOS' usual share of hw.memsize"
    return Reading(
        gpus=(gpu,),
        sources={
            "gpus.0.name": "sysctl",
            "gpus.0.memory_total": limit,
            "gpus.0.memory_free": "psutil" if available else limit,
        },
    )
