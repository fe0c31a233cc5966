"""Which tensors the engine wants of a model with these hyperparameters: the shapes that a generated model needs.

`python -m snug.engine.tensor_shapes HEADER.gguf SHAPES.json` writes one JSON object, name to dimensions (fastest first,
as GGUF has them), for a file that holds metadata alone. The engine aborts on some metadata and prints at will, so this
runs in a process of its own. It makes the model without a file (`llama_model_init_from_user`) and notes what it asks
to be filled; weights that the engine could do without are among them.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from pathlib import Path

from snug.engine.library import llama, log

_DIMS_OFFSET = 16
"""Where `ne` lies in `struct ggml_tensor` (ggml.h): after the type and the pointer to its buffer."""


def tensor_shapes(header: Path) -> dict[str, tuple[int, ...]]:
    """The tensors that a model with this metadata may have. Raises ValueError where the engine refuses it."""
    api = llama()
    base = _ggml_base(Path(api.__file__).parent / "lib")
    found: dict[str, tuple[int, ...]] = {}

    @api.llama_model_set_tensor_data_t  # type: ignore[untyped-decorator, unused-ignore]  # ctypes' own decorator has no types
    def note(tensor: int, _: ctypes.c_void_p) -> None:
        dims = (ctypes.c_int64 * 4).from_address(tensor + _DIMS_OFFSET)
        found[base.ggml_get_name(tensor).decode()] = tuple(dims[: base.ggml_n_dims(tensor)])

    metadata = base.gguf_init_from_file(os.fsencode(header), _Parameters(True, None))
    if not metadata:
        raise ValueError(f"{header} holds no metadata")
    parameters = api.llama_model_default_params()
    parameters.n_gpu_layers = 0
    parameters.use_extra_bufts = False
    parameters.load_mtp = True  # else draft layers are skipped, and skipping aborts where there is no file
    model = api.llama_model_init_from_user(metadata, note, None, parameters)
    if not model:
        raise ValueError(log.tail(400))
    api.llama_model_free(model)
    return found


class _Parameters(ctypes.Structure):
    """`gguf_init_params`: whether tensors stay without memory, and a context for them."""

    _fields_ = (("no_alloc", ctypes.c_bool), ("context", ctypes.c_void_p))


def _ggml_base(folder: Path) -> ctypes.CDLL:
    """The part of the engine that reads GGUF files, which the Python package does not expose."""
    library = ctypes.CDLL(str(next(iter(sorted(folder.glob("*ggml-base*"))))))
    library.gguf_init_from_file.restype = ctypes.c_void_p
    library.gguf_init_from_file.argtypes = (ctypes.c_char_p, _Parameters)
    library.ggml_get_name.restype = ctypes.c_char_p
    library.ggml_get_name.argtypes = (ctypes.c_void_p,)
    library.ggml_n_dims.argtypes = (ctypes.c_void_p,)
    return library


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(tensor_shapes(Path(sys.argv[1]))))
