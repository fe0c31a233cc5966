"""Records what llama.cpp's own convert_hf_to_gguf.py makes of the tiny checkpoints, for tests that run without PyTorch.

Development only: `PYTHONPATH=. PYTHON_WITH_TORCH -m tests.convert.yardstick.record LLAMA_CPP_FOLDER [NAME...]`, where
the folder is llama.cpp's source as llama-cpp-python's source package carries it (0.3.36) and the Python has PyTorch,
transformers 4.57.6, sentencepiece and safetensors. The tokenizers are another matter: their keys are left out.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.convert.yardstick.models_common import MODELS as COMMON
from tests.convert.yardstick.models_encoders import MODELS as ENCODERS
from tests.convert.yardstick.models_newer import MODELS as NEWER
from tests.convert.yardstick.models_other import MODELS as OTHER
from tests.convert.yardstick.tiny_models import TinyModel, write

RECORDINGS = Path(__file__).parents[2] / "data" / "architectures"
NOT_OURS = ("tokenizer.", "general.file_type", "general.quantization_version", "general.sampling.")
CALCULATED = ("ssm_a", "rope_freqs.weight")
"""Tensors whose values come of exponentials and powers: kept as they are, to be compared to the last bits."""
OUTPUT_TYPES = {"llama": "bf16"}
"""f16 for all others."""


def record(model: TinyModel, folder: Path) -> dict[str, Any]:
    import conversion
    import gguf
    import torch

    source = folder / (model.folder or model.name)
    write(model, source, for_reference=True)
    (source / "tokenizer.json").write_text(json.dumps({"model": {"type": "WordPiece", "vocab": {}}, "added_tokens": [
        {} for _ in range(model.config.get("vocab_size", 160))]}))  # fmt: skip
    (source / "tokenizer_config.json").write_text("{}")
    base = conversion.base.ModelBase
    hparams = base.load_hparams(source, False)
    name = conversion.base.get_model_architecture(hparams, conversion.base.ModelType.TEXT)
    kind = conversion.get_model_class(name)
    kind.set_vocab = lambda _: None
    if name == "Mistral3ForConditionalGeneration" or name == "Ministral3ForCausalLM":
        kind.Ministral3Model.set_vocab = lambda _: None
    if kind.supports_mtp_export:
        kind.no_mtp = True
    out = folder / "out.gguf"
    wanted = OUTPUT_TYPES.get(model.name, "f16")
    ftype = {"f16": gguf.LlamaFileType.MOSTLY_F16, "bf16": gguf.LlamaFileType.MOSTLY_BF16}[wanted]
    with torch.inference_mode():
        kind(source, ftype, out).write()
    reader = gguf.GGUFReader(out)
    metadata = {}
    for field in reader.fields.values():
        if field.name.startswith(("GGUF.", *NOT_OURS)):
            continue
        kinds = [gguf.GGUFValueType(kind).name for kind in field.types]
        metadata[field.name] = ["[" + kinds[1] if kinds[0] == "ARRAY" else kinds[0], field.contents()]
    tensors = {
        tensor.name: [
            tensor.tensor_type.name,
            [int(size) for size in reversed(tensor.shape)],
            tensor.data.tolist()
            if tensor.name.endswith(CALCULATED)
            else hashlib.sha256(tensor.data.tobytes()).hexdigest()[:32],
        ]
        for tensor in reader.tensors
    }
    return {"output_type": wanted.upper(), "metadata": metadata, "tensors": tensors}


def main(llama_cpp: str, *names: str) -> None:
    sys.path.insert(0, llama_cpp)
    sys.path.insert(1, str(Path(llama_cpp) / "gguf-py"))
    RECORDINGS.mkdir(parents=True, exist_ok=True)
    for model in (*COMMON, *OTHER, *ENCODERS, *NEWER):
        if names and model.name not in names:
            continue
        with tempfile.TemporaryDirectory() as folder:
            found = record(model, Path(folder))
        lines = [f'"output_type": {json.dumps(found["output_type"])}']
        for part in ("metadata", "tensors"):
            entries = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in found[part].items())
            lines.append(f'"{part}": {{\n{entries}\n}}')
        (RECORDINGS / f"{model.name}.json").write_text("{" + ",\n".join(lines) + "}\n")
        print(model.name, len(found["tensors"]), "tensors")


if __name__ == "__main__":
    main(*sys.argv[1:])
