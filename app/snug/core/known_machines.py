"""Computers and graphics cards that Snug knows, for "what if I had…", and a computer from figures by hand.

Every figure that the maker does not state is an assumption, and the machine's `sources` say so.
"""

from __future__ import annotations

import difflib
import json
import operator
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snug.core.errors import UserError
from snug.core.gpu_bandwidths import known_device
from snug.core.machine import Cpu, Gpu, Machine, Memory

GIB = 2**30
SUSTAINED_SHARE = 0.8
"""Programs get about four fifths of what memory modules deliver on paper (STREAM results of desktop processors)."""
DESKTOP = Memory(32 * GIB, 28 * GIB, SUSTAINED_SHARE * 51.2e9)
"""What stands around a graphics card whose computer nobody described: 32 GB of DDR4-3200, two channels."""
DESKTOP_CPU = Cpu(cores=8, threads=16, features=("avx2",))
KINDS = ("mac", "small", "laptop", "desktop", "server", "card")
_DISPLAY_BYTES = GIB // 2
_SYSTEM_LEAST, _SYSTEM_MOST = 3 * GIB // 2, 4 * GIB
_FILE_LIMIT_BYTES = 1024 * 1024
_TOKEN = re.compile(r"[a-z]+|\d+(?:\.\d+)?")
_NOT_TELLING = frozenset(("gb", "gib", "with", "the", "a", "memory", "vram", "ram", "nvidia", "amd", "intel", "apple",
                          "geforce", "radeon", "gpu", "graphics", "card", "each", "x", "and"))  # fmt: skip
_OTHER_PRODUCT = frozenset(("ti", "super", "xt", "xtx", "laptop", "mobile", "ultra", "ada"))
"""Words that make another product of a name: who leaves them out does not mean it."""


@dataclass(frozen=True, slots=True)
class KnownMachine:
    """One computer, or a desktop around one graphics card. `kind` is one of `KINDS`; `source` names the maker's page.

    `also` is what else people call it; `in_calculator` marks the few that the memory calculator compares with.
    """

    name: str
    kind: str
    machine: Machine
    source: str
    in_calculator: bool = False
    also: str = ""


def load_known_machines(path: Path) -> tuple[KnownMachine, ...]:
    """The machines of a data file. Raises UserError where the file is missing or a row is wrong."""
    try:
        if path.stat().st_size > _FILE_LIMIT_BYTES:
            raise ValueError("the file is too large")
        document = json.loads(path.read_text("utf-8"))
        return tuple(known_machine_from_row(row) for row in document["machines"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        title = "Snug's list of computers cannot be read."
        raise UserError(title, "Install Snug again.", kind="bad-machines", details=f"{path}: {error}") from error


def known_machine_from_row(row: Mapping[str, Any]) -> KnownMachine:
    """The machine of one row; `gpu_bandwidths` knows the graphics device's bandwidth. Raises ValueError, KeyError."""
    name, kind = str(row["name"]), str(row["kind"])
    if kind not in KINDS:
        raise ValueError(f"{name}: unknown kind {kind!r}")
    gpu_kind = "unified" if kind == "mac" else str(row.get("gpu_kind", "discrete"))
    gpu_bytes = round(float(row.get("gpu_gb", 0)) * GIB)
    device = known_device(str(row["gpu"]), gpu_bytes or round(float(row["memory_gb"]) * GIB)) if "gpu" in row else None
    source = str(row.get("source", "")) or (device.source if device else "")
    if not source:
        raise ValueError(f"{name}: nobody states its bandwidth")
    memory, notes = _memory(row, device.bandwidth_bytes_per_s if device and gpu_kind == "unified" else None)
    gpus: tuple[Gpu, ...] = ()
    if "gpu" in row:
        discrete = gpu_kind == "discrete"
        gpu = Gpu(
            name=str(row["gpu"]),
            kind=gpu_kind,
            memory_total=gpu_bytes,
            memory_free=max(0, gpu_bytes - _DISPLAY_BYTES),
            bandwidth=device.bandwidth_bytes_per_s if device and gpu_kind != "integrated" else None,
        )
        gpus = (gpu,) * (int(row.get("gpu_count", 1)) if discrete else 1)
    cpu = DESKTOP_CPU
    if kind != "card":
        cores = int(row["cores"])
        cpu = Cpu(cores=cores, threads=cores, features=tuple(row["features"]))
    machine = Machine(os="darwin" if kind == "mac" else "linux", cpu=cpu, memory=memory, gpus=gpus, sources=notes)
    return KnownMachine(name, kind, machine, source, bool(row.get("in_calculator", False)), str(row.get("also", "")))


def computer_words(known: KnownMachine) -> str:
    """Which computer is meant, and what was assumed: "a desktop with Radeon RX 580, 8 GB, assumed 32 GB of memory"."""
    memory = f"{round(known.machine.memory.total / GIB)} GB of memory"
    if known.kind == "card":
        return f"a desktop with {known.name}, assumed {memory}"
    has_card = any(gpu.kind == "discrete" for gpu in known.machine.gpus)
    return f"{known.name} of graphics memory and {memory}" if has_card else known.name


def free_of(total: int) -> int:
    """What a system and a browser leave free of so much memory, assumed: they take a fifth, 1.5 to 4 GB."""
    return max(0, total - min(_SYSTEM_MOST, max(_SYSTEM_LEAST, total // 5)))


def find_machine(known: Sequence[KnownMachine], text: str) -> KnownMachine:
    """The machine that a person means by `text`. Raises UserError (bad_input) with the nearest names."""
    if not text.strip():
        raise _unclear("No computer was named", [])
    exact = [item for item in known if item.name.casefold() == text.strip().casefold()]
    if exact:
        return exact[0]
    scored = sorted(((_likeness(item, text), item) for item in known), key=lambda pair: -pair[0])
    good = [pair for pair in scored if pair[0] >= 1.0]
    if good and (len(good) == 1 or good[0][0] - good[1][0] > 1e-9):
        return good[0][1]
    if good:
        best = [item.name for score, item in good if good[0][0] - score <= 1e-9]
        raise _unclear(f"{text[:60]!r} fits more than one computer", best)
    raise _unclear(f"Snug knows no computer or graphics card called {text[:60]!r}", suggestions(known, text))


def suggestions(known: Sequence[KnownMachine], text: str, limit: int = 5) -> list[str]:
    """The names nearest to `text`, best first; those that share nothing with it are left out."""
    scored = sorted(((_likeness(item, text), item.name) for item in known), key=lambda pair: -pair[0])
    return [name for score, name in scored[:limit] if score > 0.5]


def machine_by_hand(
    ram: int, vram: int = 0, bandwidth: float | None = None, *, ram_bandwidth: float | None = None, cards: int = 1
) -> Machine:
    """A computer from figures: bytes, and bytes a second. With `vram`, `bandwidth` is the graphics card's.

    Raises UserError (bad_input) for figures that no computer has.
    """
    for figure, what in ((ram, "memory"), (cards, "number of cards"), (bandwidth, "bandwidth")):
        if figure is not None and not figure > 0:
            raise _no_computer(f"its {what} must be above zero")
    if vram < 0 or (ram_bandwidth is not None and not ram_bandwidth > 0):
        raise _no_computer("no figure may be negative")
    if max(ram, vram) > 2**50 or cards > 64 or max(bandwidth or 0, ram_bandwidth or 0) > 1e15:
        raise _no_computer("it is larger than any computer")
    notes = {"memory.total": "given by hand", "memory.available": "assumed: what a system and a browser leave"}
    main = (ram_bandwidth or (None if vram else bandwidth)) or None
    if main is None:
        main = DESKTOP.bandwidth
        notes["memory.bandwidth"] = "assumed: two channels of DDR4-3200"
    gpus: tuple[Gpu, ...] = ()
    if vram:
        gpu = Gpu("graphics card", "discrete", vram, max(0, vram - min(_DISPLAY_BYTES, vram // 8)), bandwidth)
        gpus = (gpu,) * cards
    return Machine(cpu=DESKTOP_CPU, memory=Memory(ram, free_of(ram), main), gpus=gpus, sources=notes)


def _memory(row: Mapping[str, Any], unified_bandwidth: float | None) -> tuple[Memory, dict[str, str]]:
    if row["kind"] == "card":
        note = "assumed: a desktop with 32 GB of DDR4-3200"
        return DESKTOP, {"memory.total": note, "memory.available": note, "memory.bandwidth": note}
    total = round(float(row["memory_gb"]) * GIB)
    notes = {"memory.available": "assumed: what a system and a browser leave"}
    stated = 1e9 * float(row["bandwidth_gb_s"]) if "bandwidth_gb_s" in row else unified_bandwidth
    if stated is None:
        raise ValueError(f"{row['name']}: no bandwidth")
    notes["memory.bandwidth"] = "four fifths of what the maker states"
    return Memory(total, free_of(total), SUSTAINED_SHARE * stated), notes


def _likeness(item: KnownMachine, text: str) -> float:
    """1 or more where every telling word of `text` is in the name, the more the less else is there; else the share."""
    words = [word for word in _TOKEN.findall(text.casefold()) if word not in _NOT_TELLING]
    there = [word for word in _TOKEN.findall(item.name.casefold()) if word not in _NOT_TELLING]
    aliases = _TOKEN.findall(item.also.casefold())
    if not words:
        return 0.0
    shares = [max((_word_likeness(word, other) for other in (*there, *aliases)), default=0.0) for word in words]
    weights = [3 if len(word) >= 3 and word.isdigit() else 1 for word in words]  # the number is what names a product
    share: float = sum(map(operator.mul, shares, weights)) / sum(weights)
    if min(shares) < 1.0:
        return 0.95 * share
    if any(word in _OTHER_PRODUCT and word not in words for word in there):
        return 0.95
    size = _TOKEN.findall(item.name.rpartition(",")[2])
    beside = [word for word in there if word not in words and word not in size]
    return 1.0 + 1.0 / (1 + len(beside))


def _word_likeness(word: str, other: str) -> float:
    if word == other:
        return 1.0
    if word[0].isdigit() != other[0].isdigit():
        return 0.0
    return 0.8 * difflib.SequenceMatcher(None, word, other).ratio()


def _unclear(title: str, names: Sequence[str]) -> UserError:
    advice = f"Did you mean {'; '.join(names[:6])}?" if names else "`snug recommend --machines` lists those it knows."
    return UserError(f"{title}.", advice, kind="unknown-machine", bad_input=True)


def _no_computer(why: str) -> UserError:
    return UserError(f"There is no such computer: {why}.", "Correct that figure.", kind="bad-machine", bad_input=True)
