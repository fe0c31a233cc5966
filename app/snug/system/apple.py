"""Apple's chips: one memory for processor and graphics, the share of it that graphics may use, and its speed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from snug.core.apple_models import SOURCE as MODELS_SOURCE
from snug.core.apple_models import apple_model
from snug.core.machine import Gpu
from snug.system.environment import Environment, NotReadable
from snug.system.figures import text, whole
from snug.system.processor import sysctl_figures
from snug.system.reading import Modules, Reading

SYSCTL = ("sysctl", "hw", "machdep.cpu", "iogpu", "hw.model")
PROFILER = ("system_profiler", "-json", "SPHardwareDataType", "SPDisplaysDataType", "SPMemoryDataType")
PROFILER_TIMEOUT_S = 4.0

_MEBIBYTE = 1024 * 1024
_SMALL_MEMORY_BYTES = 36 * 1024**3


@dataclass(frozen=True, slots=True)
class Profile:
    """What system_profiler tells: model identifier, cores of the graphics, kind of memory."""

    model: str = ""
    graphics_cores: int = 0
    memory_kind: str = ""


def read(environment: Environment) -> Reading:
    """The graphics of an Apple chip, or why there is nothing to say."""
    if environment.system != "darwin":
        return Reading()
    try:
        output = environment.output(SYSCTL)
    except NotReadable as reason:
        return Reading(unread={"gpus": str(reason)})
    try:
        profile = parse_profile(environment.output(PROFILER, PROFILER_TIMEOUT_S))
    except NotReadable:
        profile = Profile()
    try:
        available = whole(environment.library_figures().get("available"))
    except NotReadable:
        available = 0
    return parse(output, available, profile)


def parse(output: str, available: int, profile: Profile = Profile()) -> Reading:
    """The unified device from `sysctl hw machdep.cpu iogpu hw.model`, the bytes that are free now, and the profile.

    Without a limit set by the person macOS lets graphics use about two thirds of the memory up to 36 GB and three
    quarters above; the engine's own figure (Metal's recommendedMaxWorkingSetSize) replaces it where it is known.
    """
    figures = sysctl_figures(output)
    chip = text(figures.get("machdep.cpu.brand_string"))
    memory = whole(figures.get("hw.memsize"))
    model = text(figures.get("hw.model")) or profile.model
    sources = {"model": "sysctl"} if model else {}
    if not chip.startswith("Apple "):
        return Reading(
            model=model, sources=sources, unread={"gpus": "the graphics of a Mac with an Intel processor are not read"}
        )
    if not memory:
        return Reading(model=model, sources=sources, unread={"gpus": "sysctl does not give hw.memsize"})
    chosen = whole(figures.get("iogpu.wired_limit_mb")) * _MEBIBYTE
    usual = memory * 2 // 3 if memory <= _SMALL_MEMORY_BYTES else memory * 3 // 4
    total = min(chosen or usual, memory)
    row = apple_model(model, chip, profile.graphics_cores)
    gpu = Gpu(
        name=chip,
        kind="unified",
        memory_total=total,
        memory_free=min(total, available) if available else total,
        bandwidth=row.bandwidth_bytes_per_s if row else None,
        vendor="apple",
    )
    limit = "sysctl iogpu.wired_limit_mb" if chosen else "macOS' usual share of hw.memsize"
    sources |= {
        "gpus.0.name": "sysctl",
        "gpus.0.memory_total": limit,
        "gpus.0.memory_free": "psutil" if available else limit,
    }
    if row:
        sources["gpus.0.bandwidth"] = f"{model}: {MODELS_SOURCE}"
    modules = Modules(kind=profile.memory_kind, rated_bandwidth=gpu.bandwidth) if profile.memory_kind or row else None
    if modules:
        sources["memory.rated_bandwidth"] = sources.get("gpus.0.bandwidth", "system_profiler")
    return Reading(model=model, gpus=(gpu,), modules=modules, sources=sources)


def parse_profile(output: str) -> Profile:
    """The profile from `system_profiler -json`; what is missing or of another form stays empty."""
    try:
        document: Any = json.loads(output)
    except (ValueError, RecursionError):
        return Profile()
    hardware, display, memory = (_first(document, f"SP{part}DataType") for part in ("Hardware", "Displays", "Memory"))
    kind = re.sub(r"[^A-Z0-9]", "", text(memory.get("dimm_type")).upper())
    return Profile(
        model=text(hardware.get("machine_model"), 40),
        graphics_cores=whole(display.get("sppci_cores")),
        memory_kind=kind if re.fullmatch(r"(?:LP)?DDR\dX?", kind) else "",
    )


def _first(document: Any, name: str) -> dict[str, Any]:
    rows = document.get(name) if isinstance(document, dict) else None
    row = rows[0] if isinstance(rows, list) and rows else None
    return row if isinstance(row, dict) else {}
