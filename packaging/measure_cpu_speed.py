"""Measures the engine on this processor with random-weight models: the figures behind the speed model's CPU part.

`python packaging/measure_cpu_speed.py OUT.json` writes a Llama-shaped GGUF of each size and type, lets the engine read
and write with it, and notes the memory bandwidth measured just before. Needs about 8 GB of free disk; run it while
nothing else is running.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import psutil

from snug import _native
from snug.engine.speed_test import PROMPT_TOKENS, measure_pace
from snug.formats.gguf_facts import facts_from_header
from snug.formats.gguf_header import read_file_header
from snug.formats.speed_models import FILE_TYPES, SHAPES, VOCABULARY, file_bytes, write_speed_model
from snug.system.machine import read_machine

RUNS = 3
WRITE_S = 2.0
LARGEST_BYTES = 6_500_000_000
QUIET_PERCENT = 25.0
LONGEST_WAIT_S = 5


def weight_bytes(path: Path) -> int:
    return facts_from_header(read_file_header(path)).weight_bytes


def wait_until_quiet() -> None:
    """Wait a while for other programs to rest; measured anyway where they do not."""
    for _ in range(LONGEST_WAIT_S):
        if psutil.cpu_percent(interval=1.0) < QUIET_PERCENT:
            return


def measure(path: Path) -> dict[str, float]:
    """The best of some runs, timed as the program's own speed test does it."""
    paces = []
    for _ in range(RUNS):
        wait_until_quiet()
        paces.append(measure_pace(str(path), WRITE_S))
    return {
        "tokens_per_s": max(pace.tokens_per_s for pace in paces),
        "prompt_tokens_per_s": max(pace.prompt_tokens_per_s for pace in paces),
        "prompt_tokens": PROMPT_TOKENS,
        "tokens_per_s_runs": [round(pace.tokens_per_s, 2) for pace in paces],  # type: ignore[dict-item]
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sizes", nargs="*", default=[shape.name for shape in SHAPES], help="only these sizes")
    parser.add_argument("--types", nargs="*", default=FILE_TYPES, help="only these types")
    arguments = parser.parse_args()
    machine = read_machine(str(Path.home()), measure_bandwidth=False)
    rows: list[dict[str, Any]] = []
    threads = machine.cpu.cores
    with tempfile.TemporaryDirectory() as folder:
        for size in (shape for shape in SHAPES if shape.name in arguments.sizes):
            for file_type in arguments.types:
                path = Path(folder) / "model.gguf"
                if file_bytes(size, file_type) > LARGEST_BYTES:
                    continue
                write_speed_model(path, size, file_type)
                wait_until_quiet()
                bandwidth = _native.memory_bandwidth(threads, seconds=0.7)["read"]["high"]
                row = {
                    "name": size.name, "file_type": file_type, "parameters": size.parameters,
                    "weight_bytes": weight_bytes(path), "vocabulary": VOCABULARY, "layers": size.layers,
                    "width": size.width,
                    "heads_kv": size.heads_kv, "load": round(os.getloadavg()[0], 2),
                    "bandwidth": round(bandwidth), **measure(path),
                }  # fmt: skip
                rows.append(row)
                print(json.dumps(row), flush=True)
                path.unlink()
                document = {
                    "cpu": machine.cpu.name, "cores": threads, "features": machine.cpu.features,
                    "cache_bytes": _native.last_level_cache_bytes(), "rows": rows,
                }  # fmt: skip
                arguments.out.write_text(json.dumps(document, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
