"""Whole models of quantised tensors: the engine loads them, and Pip still knows what it knew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, quants

from snug.convert.quantize import quantize_rows, type_for_columns
from snug.engine.model import LoadSettings, load_model
from snug.engine.sampling import SamplingSettings
from snug.engine.session import Listener, Session
from snug.engine.template import Turn
from snug.paths import resources_folder

PIP = resources_folder() / "models" / "pip" / "pip-7m-Q8_0.gguf"


def write_pip(path: Path, type_name: str) -> None:
    """Pip with every table as `type_name`, all else as it was."""
    reader = GGUFReader(PIP)
    writer = GGUFWriter(path, "llama")
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name == "general.architecture":
            continue
        kind, inner = field.types[0], field.types[-1] if field.types[0] is GGUFValueType.ARRAY else None
        writer.add_key_value(field.name, field.contents(), kind, inner)
    for tensor in reader.tensors:
        values = quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        if values.ndim < 2:
            writer.add_tensor(tensor.name, values)
            continue
        name = type_for_columns(type_name, values.shape[1])
        rows = np.frombuffer(quantize_rows(values, name), np.uint8).reshape(values.shape[0], -1)
        writer.add_tensor(tensor.name, rows, raw_dtype=GGMLQuantizationType[name])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def answer(path: Path, question: str) -> str:
    model = load_model(LoadSettings(path=str(path), context=512, threads=1))
    parts: list[str] = []
    listener = Listener(
        on_start=lambda _: None, on_reading=lambda _, __: None, on_text=parts.append, is_cancelled=lambda: False
    )
    try:
        Session(model).generate([Turn("user", question)], SamplingSettings(temperature=0, max_tokens=24), listener)
    finally:
        model.close()
    return "".join(parts)


@pytest.mark.parametrize(
    "type_name", ["Q8_0", "Q6_K", "Q5_K", "Q5_1", "Q5_0", "Q4_K", "Q4_1", "Q4_0", "IQ4_XS", "IQ4_NL", "Q3_K"]
)
def test_pip_still_knows_a_capital(type_name: str, tmp_path: Path) -> None:
    path = tmp_path / "pip.gguf"
    write_pip(path, type_name)
    assert "Paris" in answer(path, "What is the capital of France?")


def test_pip_at_two_bits_still_writes_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "pip.gguf"
    write_pip(path, "Q2_K")
    assert answer(path, "What is the capital of France?").startswith("The capital of")
