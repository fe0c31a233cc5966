"""Files made from Pip: other types, a split set, a projector; what a real repository would hold, but small."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import gguf
import numpy as np

PIP = Path(__file__).parents[2] / "resources" / "models" / "pip" / "pip-7m-Q8_0.gguf"

QUANTISED = {
    "F16": gguf.GGMLQuantizationType.F16,
    "Q8_0": gguf.GGMLQuantizationType.Q8_0,
    "Q4_0": gguf.GGMLQuantizationType.Q4_0,
    "Q5_0": gguf.GGMLQuantizationType.Q5_0,
}
LABELS = {"F16": 1, "Q4_0": 2, "Q8_0": 7, "Q5_0": 8, "Q2_K": 10, "Q3_K_M": 12, "Q4_K_M": 15, "Q5_K_M": 17, "Q6_K": 18}
BITS_OF = {"Q2_K": "Q4_0", "Q3_K_M": "Q4_0", "Q4_K_M": "Q4_0", "Q5_K_M": "Q5_0", "Q6_K": "Q8_0"}
"""gguf-py writes no K-types: these labels hold the nearest type that it writes."""


@cache
def pip_bytes() -> bytes:
    """Pip as it ships: Q8_0."""
    return PIP.read_bytes()


@cache
def pip_as(label: str, name: str = "") -> bytes:
    """Pip with its matrices in another type; `label` is what the file says it is, `name` what it is called."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        _write(gguf.GGUFWriter(path, "llama"), label, name)
        return path.read_bytes()


@cache
def pip_split(label: str, parts: int = 3) -> tuple[bytes, ...]:
    """Pip as a split set of about `parts` files, as llama.cpp splits models."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        tensors = len(gguf.GGUFReader(PIP).tensors)
        _write(gguf.GGUFWriter(path, "llama", split_max_tensors=-(-tensors // parts)), label, "")
        return tuple(part.read_bytes() for part in sorted(Path(folder).glob("model-*-of-*.gguf")))


@cache
def projector() -> bytes:
    """A file that says it is a projector for pictures; it sees nothing."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mmproj.gguf"
        writer = gguf.GGUFWriter(path, "clip")
        writer.add_type("mmproj")
        writer.add_file_type(LABELS["F16"])
        writer.add_bool("clip.has_vision_encoder", True)
        writer.add_tensor("mm.0.weight", np.zeros((256, 64), dtype=np.float16))
        _finish(writer)
        return path.read_bytes()


def _write(writer: gguf.GGUFWriter, label: str, name: str) -> None:
    reader = gguf.GGUFReader(PIP)
    for key, field in reader.fields.items():
        if key.startswith("GGUF.") or key in ("general.architecture", "general.file_type"):
            continue
        value: Any = name if key == "general.name" and name else field.contents()
        kind = field.types[0]
        inner = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(key, value, kind, inner)
    writer.add_file_type(LABELS[label])
    target = QUANTISED[BITS_OF.get(label, label)]
    for tensor in reader.tensors:
        if tensor.tensor_type == gguf.GGMLQuantizationType.F32:
            writer.add_tensor(tensor.name, np.array(tensor.data))
            continue
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        if target == gguf.GGMLQuantizationType.F16:
            writer.add_tensor(tensor.name, values.astype(np.float16))
        else:
            writer.add_tensor(tensor.name, gguf.quants.quantize(values, target), raw_dtype=target)
    _finish(writer)


def _finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
