"""Records which type llama-quantize gives each tensor of many generated models: `tests/data/mixes/recorded.json.gz`.

    python packaging/record_mixes.py FOLDER/bin/llama-quantize

FOLDER is where llama.cpp's own tools of the pinned version were built. Only its `--dry-run` is asked, so nothing is
quantised: small models of every generated architecture, and the headers of large shapes. A development tool: Snug and
its tests only read the recording.
"""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from snug.commands.bench_fit import tensor_shapes
from snug.convert.mixes import MIXES
from snug.formats.big_models import BIG_MODELS
from snug.formats.gguf_header import read_file_header
from snug.formats.random_gguf import write_model, write_sparse_model
from snug.formats.random_models import RANDOM_MODELS

OUT = Path(__file__).resolve().parents[1] / "tests" / "data" / "mixes" / "recorded.json.gz"
LINE = re.compile(r"^\[ *\d+/ *\d+\] (\S+) +- .*type = +(\S+), size = .*MiB(?: -> .*MiB \((\S+)\))?$", re.MULTILINE)
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
ASKED_FOR = ("head_count", "expert_count", "block_count", "general.architecture", "nextn_predict_layers")


def main() -> None:
    quantize = sys.argv[1]
    legend: dict[str, str] = {}
    models = []
    with tempfile.TemporaryDirectory(prefix="snug-mixes-") as name:
        folder = Path(name)
        imatrix = write_imatrix(folder / "imatrix.gguf")
        path = folder / "model.gguf"
        for model in RANDOM_MODELS:
            write_model(path, model, tensor_shapes(model, folder))
            models.append(record(quantize, model.name, path, imatrix, legend))
        for big in BIG_MODELS:
            write_sparse_model(path, big.model, big.shapes(tensor_shapes(big.sampled(), folder)))
            models.append(record(quantize, big.model.name, path, imatrix, legend))
    OUT.parent.mkdir(parents=True, exist_ok=True)
    document = {"types": {letter: kind for kind, letter in legend.items()}, "models": models}
    OUT.write_bytes(gzip.compress(json.dumps(document).encode(), mtime=0))


def write_imatrix(path: Path) -> Path:
    """An importance matrix with one entry: that there is one changes the choice, not what is in it."""
    writer = gguf.GGUFWriter(path, "none")
    writer.add_string("general.type", "imatrix")
    writer.add_array("imatrix.datasets", ["none"])
    writer.add_uint32("imatrix.chunk_count", 1)
    writer.add_uint32("imatrix.chunk_size", 512)
    writer.add_tensor("blk.0.ffn_down.weight.in_sum2", np.ones((1, 256), np.float32))
    writer.add_tensor("blk.0.ffn_down.weight.counts", np.ones((1, 1), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def record(quantize: str, name: str, path: Path, imatrix: Path, legend: dict[str, str]) -> dict[str, Any]:
    header = read_file_header(path)
    metadata = {key: value for key, value in header.values.items() if key.endswith(ASKED_FOR) or "head_count" in key}
    names = [tensor.name for tensor in header.tensors]
    print(name, len(names), flush=True)
    recorded: dict[str, Any] = {
        "name": name,
        "metadata": metadata,
        "tensors": [[tensor.name, list(reversed(tensor.dims)), tensor.kind.name] for tensor in header.tensors],
        "plain": {},
        "importance": {},
    }
    for mix in MIXES:
        for kind, extra in (("plain", []), ("importance", ["--imatrix", str(imatrix)])):
            types = ask(quantize, path, mix, extra)
            letters = "".join(legend.setdefault(types[each], LETTERS[len(legend)]) for each in names)
            if kind == "plain" or letters != recorded["plain"][mix]:
                recorded[kind][mix] = letters
    return recorded


def ask(quantize: str, path: Path, mix: str, extra: list[str]) -> dict[str, str]:
    command = [quantize, "--dry-run", *extra, str(path), mix]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    found = {match[1]: (match[3] or match[2]).upper() for match in LINE.finditer(answer.stdout + answer.stderr)}
    if not found:
        raise SystemExit(f"{' '.join(command)} said nothing of tensors: {answer.stderr[-500:]}")
    return found


if __name__ == "__main__":
    main()
