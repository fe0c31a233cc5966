"""Records what llama.cpp's own tools say of Pip, for the tests: `python tests/measure/make_figures.py BIN`.

BIN is the folder of llama-perplexity and llama-imatrix of the pinned version. The candidate is Pip's Q8_0 with all
matrices as ggml's own Q3_K.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from snug.convert.conversion import Settings, convert
from snug.convert.gguf_source import GgufSource
from snug.convert.plan import OutputTensor
from snug.convert.quantize import row_bytes
from snug.engine.ggml_quantize import quantize_with_ggml
from snug.formats.checkpoints.number_types import Floats

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data" / "measure"
PIP = ROOT / "resources" / "models" / "pip" / "pip-7m-Q8_0.gguf"
FIGURES = {
    "perplexity": r"Mean PPL\(Q\)\s*:\s*([\d.]+)",
    "reference_perplexity": r"Mean PPL\(base\)\s*:\s*([\d.]+)",
    "kl_mean": r"Mean\s+KLD:\s*([\d.]+)",
    "kl_median": r"Median\s+KLD:\s*([\d.]+)",
    "kl_p99": r"99\.0%\s+KLD:\s*([\d.]+)",
    "same_top": r"Same top p:\s*([\d.]+)",
}


def make_candidate(path: Path) -> None:
    """Pip with its matrices as Q3_K, by ggml's own function."""

    def quantise(tensor: OutputTensor, rows: Floats, type_name: str, first: int) -> bytes:
        if type_name == "F32":
            return rows.tobytes()
        return quantize_with_ggml(rows, type_name, None, 1, row_bytes(type_name, rows.shape[1]))

    with GgufSource(PIP) as source:
        types = {tensor.name: "Q3_K" if len(tensor.shape) == 2 else "F32" for tensor in source.tensors}
        settings = Settings(types=types, quantiser=quantise, quantiser_key="ggml")
        convert(source, path, settings, on_progress=lambda report: None, is_cancelled=lambda: False)


def main() -> None:
    tools = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        candidate, base = Path(folder) / "candidate.gguf", Path(folder) / "base.kld"
        make_candidate(candidate)
        text = ["-f", str(DATA / "heldout.txt"), "-c", "512", "-t", "1"]
        run = [str(tools / "llama-perplexity"), *text, "--kl-divergence-base", str(base)]
        subprocess.run([*run, "-m", str(PIP)], check=True, capture_output=True)
        told = subprocess.run([*run, "-m", str(candidate), "--kl-divergence"], check=True, capture_output=True)
        words = (told.stdout + told.stderr).decode()
        found = {name: float(re.findall(pattern, words)[0]) for name, pattern in FIGURES.items()}
        (DATA / "figures.json").write_text(json.dumps(found, indent=1) + "\n")
        imatrix = [str(tools / "llama-imatrix"), *text, "-m", str(PIP), "-o", str(DATA / "pip-imatrix.gguf")]
        subprocess.run(imatrix, check=True, capture_output=True)


if __name__ == "__main__":
    main()
