"""Records what llama.cpp's own convert_hf_to_gguf.py makes of the sample tokenizers, for tests without PyTorch.

Development only: `PYTHON_WITH_TORCH tests/convert/tokenizers/record.py LLAMA_CPP_FOLDER SAMPLES [NAME...]`, where the
folder is llama.cpp's source as llama-cpp-python's source package carries it (0.3.36) and the Python has PyTorch,
transformers 4.57.6, sentencepiece and protobuf.

The reference refuses a pre-tokenizer whose hash it does not know, as it is of every newly trained one: there it is told
"snug-unknown", which the comparison leaves out.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

UNKNOWN = "snug-unknown"
ENDING = ".expected.json"


def record(source: Path) -> dict[str, Any]:
    import conversion
    import gguf
    import torch

    base = conversion.base
    hparams = base.ModelBase.load_hparams(source, False)
    # what the shapes are is no concern of a tokenizer, but the classes ask for some of them
    defaults = {
        "num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2,
        "intermediate_size": 128, "max_position_embeddings": 512, "head_dim": 16, "rms_norm_eps": 1e-5,
        "layer_norm_eps": 1e-5, "norm_eps": 1e-5,
    }  # fmt: skip
    text = hparams.get("text_config")
    kind = conversion.get_model_class(base.get_model_architecture(hparams, base.ModelType.TEXT))
    hparams = defaults | {key: value for key, value in hparams.items() if value is not None}
    if isinstance(text, dict):
        hparams["text_config"] = text

    class Vocabulary(kind):  # type: ignore[misc, valid-type]
        model_arch = kind.model_arch

        def set_gguf_parameters(self) -> None:
            pass

        def get_vocab_base_pre(self, tokenizer: Any) -> str:
            try:
                return str(super().get_vocab_base_pre(tokenizer))
            except NotImplementedError:
                return UNKNOWN

    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        out = Path(folder) / "vocabulary.gguf"
        model = Vocabulary(source, gguf.LlamaFileType.ALL_F32, out, hparams=hparams)
        model.write_vocab()
        reader = gguf.GGUFReader(out)
        found = {}
        for field in reader.fields.values():
            if not field.name.startswith(("tokenizer.", "general.sampling.")):
                continue
            kinds = [gguf.GGUFValueType(number).name for number in field.types]
            found[field.name] = ["[" + kinds[1] if kinds[0] == "ARRAY" else kinds[0], field.contents()]
    return found


def main(llama_cpp: str, samples: str, *names: str) -> None:
    sys.path.insert(0, llama_cpp)
    sys.path.insert(1, str(Path(llama_cpp) / "gguf-py"))
    for source in sorted(path for path in Path(samples).iterdir() if path.is_dir()):
        if names and source.name not in names:
            continue
        try:
            found = record(source)
        except Exception as error:  # noqa: BLE001 - the reference's own failure is a finding too
            print(source.name, "FAILED", type(error).__name__, error)
            continue
        lines = ",\n".join(
            f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False, separators=(',', ':'))}"
            for key, value in sorted(found.items())
        )
        source.with_name(source.name + ENDING).write_text("{" + lines + "}\n", encoding="utf-8")
        print(source.name, len(found), "entries", found.get("tokenizer.ggml.pre"))


if __name__ == "__main__":
    main(*sys.argv[1:])
