"""Records what llama.cpp's own convert_lora_to_gguf.py makes of the tiny adapters.

Development only: `PYTHONPATH=. PYTHON_WITH_TORCH -m tests.convert.yardstick.record_adapters LLAMA_CPP_FOLDER`; see
`record.py` for what the Python needs.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.convert.yardstick.adapters import ADAPTERS, write_adapter
from tests.convert.yardstick.record import RECORDINGS
from tests.convert.yardstick.tiny_models import write


def main(llama_cpp: str) -> None:
    sys.path.insert(1, str(Path(llama_cpp) / "gguf-py"))
    import gguf

    found = {}
    for adapter in ADAPTERS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write(adapter.model, folder / "base", for_reference=True)
            write_adapter(adapter, folder / "adapter")
            out = folder / "out.gguf"
            tool = Path(llama_cpp) / "convert_lora_to_gguf.py"
            options = ["--base", folder / "base", "--outfile", out, "--outtype", "f32", folder / "adapter"]
            subprocess.run([sys.executable, tool, *options], check=True, capture_output=True)
            reader = gguf.GGUFReader(out)
            found[adapter.base] = {
                tensor.name: [
                    [int(size) for size in reversed(tensor.shape)],
                    hashlib.sha256(tensor.data.tobytes()).hexdigest()[:32],
                ]
                for tensor in reader.tensors
            }
    (RECORDINGS.parent / "adapters.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
