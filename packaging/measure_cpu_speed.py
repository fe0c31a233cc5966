"""Measures the engine on this processor with random-weight models: the figures behind the speed model's CPU part.

`python packaging/measure_cpu_speed.py OUT.json` writes a Llama-shaped GGUF of each size and type (random
blocks with sane scales: the speed does not depend on what the weights say), lets the engine's own child answer, and
notes the memory bandwidth measured just before. Needs about 8 GB of free disk; run it while nothing else is running.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import psutil

from snug import _native
from snug.system.machine import read_machine
from snug.worker import protocol
from snug.worker.client import WorkerClient

PIP = Path(__file__).parents[1] / "resources" / "models" / "pip" / "pip-7m-Q8_0.gguf"
HEAD = 64
PATTERN_BLOCKS = 1024
PROMPT = " ".join(["Tell me a long story about a fox and a bear who live in a wood by the sea."] * 8)
RUNS = 3


@dataclass(frozen=True, slots=True)
class Size:
    """A Llama shape; `parameters` are those of its layers."""

    name: str
    width: int
    feed_forward: int
    layers: int
    heads_kv: int

    @property
    def parameters(self) -> int:
        kv = self.heads_kv * HEAD
        return self.layers * self.width * (2 * self.width + 2 * kv + 3 * self.feed_forward)


SIZES = (
    Size("0.03B", 512, 1536, 8, 4),
    Size("0.13B", 768, 2048, 20, 4),
    Size("0.4B", 1024, 2816, 36, 8),
    Size("0.9B", 2048, 5632, 20, 8),
    Size("1.6B", 2560, 6912, 24, 8),
    Size("2.9B", 3072, 8192, 30, 8),
)
TYPES = ("Q4_0", "Q4_K_M", "Q6_K", "Q8_0", "F16")
LARGEST_BYTES = 6_500_000_000
BYTES_A_WEIGHT = {"Q4_0": 0.57, "Q4_K_M": 0.61, "Q6_K": 0.82, "Q8_0": 1.07, "F16": 2.0}
VOCABULARY = 4096
QUIET_PERCENT = 25.0
LONGEST_WAIT_S = 5


def tensor_type(file_type: str, tensor: str, layer: int, layers: int) -> gguf.GGMLQuantizationType:
    """Q4_K_M gives some tensors six bits, as llama.cpp's own mix does; the other types are plain."""
    kinds = gguf.GGMLQuantizationType
    if file_type != "Q4_K_M":
        return kinds[file_type]
    first, last = layers // 8, 7 * layers // 8
    more = layer < first or layer >= last or (layer - first) % 3 == 2
    return kinds.Q6_K if tensor in ("attn_v", "ffn_down") and more else kinds.Q4_K


def random_rows(random: np.random.Generator, rows: int, columns: int, kind: gguf.GGMLQuantizationType) -> np.ndarray:
    """Rows of random blocks of that type; their scales are small, so that activations stay finite."""
    if kind == gguf.GGMLQuantizationType.F16:
        pattern = (random.standard_normal(1 << 20, dtype=np.float32) / np.sqrt(columns)).astype(np.float16)
        return np.resize(pattern, (rows, columns))
    per_block, block_bytes = gguf.GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (PATTERN_BLOCKS + 7, block_bytes), dtype=np.uint8)
    scale = np.frombuffer(np.float16(0.001 if per_block == 32 else 0.0001).tobytes(), np.uint8)
    at = {"Q6_K": (208,), "Q4_K": (0, 2)}.get(kind.name, (0,))
    for offset in at:
        blocks[:, offset : offset + 2] = scale
    return np.resize(blocks.reshape(-1), (rows, columns // per_block * block_bytes))


def write_model(path: Path, size: Size, file_type: str) -> None:
    """The model, with Pip's vocabulary."""
    random = np.random.default_rng(3)
    writer = gguf.GGUFWriter(path, "llama", use_temp_file=False)
    writer.add_context_length(4096)
    writer.add_embedding_length(size.width)
    writer.add_feed_forward_length(size.feed_forward)
    writer.add_block_count(size.layers)
    writer.add_head_count(size.width // HEAD)
    writer.add_head_count_kv(size.heads_kv)
    writer.add_layer_norm_rms_eps(1e-5)
    tokens = _copy_vocabulary(writer)
    edge = gguf.GGMLQuantizationType.Q6_K if file_type == "Q4_K_M" else gguf.GGMLQuantizationType[file_type]
    writer.add_tensor("token_embd.weight", random_rows(random, tokens, size.width, edge), raw_dtype=edge)
    writer.add_tensor("output_norm.weight", np.ones(size.width, np.float32))
    kv = size.heads_kv * HEAD
    shapes = {
        "attn_q": (size.width, size.width), "attn_k": (kv, size.width), "attn_v": (kv, size.width),
        "attn_output": (size.width, size.width), "ffn_gate": (size.feed_forward, size.width),
        "ffn_up": (size.feed_forward, size.width), "ffn_down": (size.width, size.feed_forward),
    }  # fmt: skip
    for layer in range(size.layers):
        for norm in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{norm}.weight", np.ones(size.width, np.float32))
        for name, (rows, columns) in shapes.items():
            kind = tensor_type(file_type, name, layer, size.layers)
            data = random_rows(random, rows, columns, kind)
            writer.add_tensor(f"blk.{layer}.{name}.weight", data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _copy_vocabulary(writer: gguf.GGUFWriter) -> int:
    fields = gguf.GGUFReader(PIP).fields
    for key, field in fields.items():
        if key.startswith("tokenizer."):
            kind = field.types[0]
            writer.add_key_value(key, field.contents(), kind, field.types[-1] if len(field.types) > 1 else None)
    return len(fields["tokenizer.ggml.tokens"].contents())


def weight_bytes(path: Path) -> int:
    return sum(tensor.n_bytes for tensor in gguf.GGUFReader(path).tensors)


def wait_until_quiet() -> None:
    """Wait a while for other programs to rest; measured anyway where they do not."""
    for _ in range(LONGEST_WAIT_S):
        if psutil.cpu_percent(interval=1.0) < QUIET_PERCENT:
            return


def measure(path: Path, tokens: int) -> dict[str, float]:
    """The best of some runs: other programs only ever slow one down."""
    with WorkerClient(logs=path.parent) as child:
        child.request(protocol.LoadModel(path=str(path), context=2048), timeout=300)
        found = []
        for run in range(RUNS):
            wait_until_quiet()
            asked = protocol.Generate(
                messages=[protocol.ChatMessage(role="user", text=f"{run} {PROMPT}")],
                sampling=protocol.Sampling(temperature=0, max_tokens=tokens),
            )
            done = child.request(asked, timeout=300)
            assert isinstance(done, protocol.GenerationDone)
            found.append(done)
    return {
        "tokens_per_s": max(done.tokens_per_s for done in found),
        "prompt_tokens_per_s": max(done.prompt_tokens_per_s for done in found),
        "prompt_tokens": found[0].prompt_tokens,
        "tokens": found[0].tokens,
        "tokens_per_s_runs": [round(done.tokens_per_s, 2) for done in found],  # type: ignore[dict-item]
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sizes", nargs="*", default=[size.name for size in SIZES], help="only these sizes")
    parser.add_argument("--types", nargs="*", default=TYPES, help="only these types")
    arguments = parser.parse_args()
    machine = read_machine(str(Path.home()), measure_bandwidth=False)
    rows: list[dict[str, Any]] = []
    threads = machine.cpu.cores
    with tempfile.TemporaryDirectory() as folder:
        for size in (size for size in SIZES if size.name in arguments.sizes):
            for file_type in arguments.types:
                path = Path(folder) / "model.gguf"
                if size.parameters * BYTES_A_WEIGHT[file_type] > LARGEST_BYTES:
                    continue
                write_model(path, size, file_type)
                wait_until_quiet()
                bandwidth = _native.memory_bandwidth(threads, seconds=0.7)["read"]["high"]
                row = {
                    "name": size.name, "file_type": file_type, "parameters": size.parameters,
                    "weight_bytes": weight_bytes(path), "vocabulary": VOCABULARY, "layers": size.layers,
                    "width": size.width,
                    "heads_kv": size.heads_kv, "load": round(os.getloadavg()[0], 2),
                    "bandwidth": round(bandwidth), **measure(path, 48 if size.parameters < 5e8 else 20),
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
