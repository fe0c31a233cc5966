"""Pip as a mixture of experts: each expert of a layer is its feed-forward network with noise of its own, and a random
router chooses two of them for each token. Its inputs hang together as those of a trained model do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gguf import GGUFReader, GGUFValueType, GGUFWriter
from gguf.quants import dequantize

EXPERTS, USED = 6, 2
NOISE = 0.1


def write_mixture_of_pip(pip: Path, path: Path, seed: int = 3) -> None:
    """A GGUF with float weights at `path`, made of the one at `pip`."""
    random = np.random.default_rng(seed)
    reader = GGUFReader(pip)
    writer = GGUFWriter(path, "llama")
    for field in reader.fields.values():
        if not field.name.startswith("GGUF.") and field.name not in ("general.architecture", "general.file_type"):
            kind = field.types[0]
            writer.add_key_value(
                field.name, field.contents(), kind, field.types[-1] if kind == GGUFValueType.ARRAY else None
            )
    writer.add_expert_count(EXPERTS)
    writer.add_expert_used_count(USED)
    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        stem, _, kind = tensor.name.removesuffix(".weight").rpartition("ffn_")
        if kind not in ("gate", "up", "down"):
            writer.add_tensor(tensor.name, values if values.ndim == 1 else values.astype(np.float16))
            continue
        noise = NOISE * values.std() * random.standard_normal((EXPERTS, *values.shape), np.float32)
        writer.add_tensor(f"{stem}ffn_{kind}_exps.weight", (values + noise).astype(np.float16))
        if kind == "gate":
            router = random.standard_normal((EXPERTS, values.shape[1]), np.float32)
            writer.add_tensor(f"{stem}ffn_gate_inp.weight", router)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
