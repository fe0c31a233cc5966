"""What the engine would allocate for a model, without its weights: exact before the file is here.

llama.cpp builds the model and the context with `no_alloc`: it plans every buffer and logs its size, but takes no
memory for weights, conversation or scratch. Without `load_mode` 0 (no memory map) that aborts the process, so this
belongs in a child. The file may be sparse (`sparse_file`): a header, extended to the full size, is enough; of a model
in several parts, the header of each.
The same code measures a real load where `dry` is False: the yardstick of `snug bench fit`.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from snug.core.errors import UserError
from snug.engine.allocated import device_bytes
from snug.engine.library import llama, log
from snug.engine.model import LoadSettings, check_settings, context_parameters, explain_load_failure

_MIB = 1024 * 1024
_NO_MEMORY_MAP = 0
_PLANNED_LINE = re.compile(r"^llama_(?:kv_cache|memory)\S*: size\s*=\s*([0-9.]+) MiB", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Allocation:
    """Bytes that one context takes, and of a real load the model's; a dry run knows no weights (the header does)."""

    conversation: int
    compute: int
    weights: int = 0


class OpenModel:
    """A model opened once, to be asked for many contexts. Raises UserError where the engine refuses the file.

    `parts` are the further files of a split model where their names do not say that they belong together.
    """

    def __init__(self, path: Path, *, dry: bool, parts: Sequence[Path] = ()) -> None:
        api = llama()
        self._path = path
        self._dry = dry
        self._no_devices = ctypes.c_void_p(None)
        log.clear()
        parameters = api.llama_model_default_params()
        parameters.n_gpu_layers = 0
        parameters.use_extra_bufts = False
        parameters.devices = ctypes.addressof(self._no_devices)  # else a card takes large products over, with buffers
        if dry:
            parameters.no_alloc = True
            parameters.load_mode = _NO_MEMORY_MAP
        self._model: Any = _load(api, [path, *parts], parameters)
        if not self._model:
            raise explain_load_failure(log.text(), str(path))
        self._weights = sum(device.weights for device in device_bytes(log.text()))

    def allocation(self, context: int, kv_type: str = "f16", batch: int = 512) -> Allocation:
        """What a context of so many tokens takes. Raises UserError where the engine refuses these settings."""
        settings = LoadSettings(str(self._path), context, kv_type, batch=batch)
        check_settings(settings)
        api = llama()
        log.clear()
        native = api.llama_init_from_model(self._model, context_parameters(settings, context))
        if not native:
            raise UserError(
                f"The engine cannot hold a conversation of {context:,} tokens of type {kv_type} with this model.",
                "Choose a smaller context or the type f16.",
                kind="refused-settings",
                details=log.tail(),
            )
        api.llama_free(native)
        devices = device_bytes(log.text())
        planned = round(sum(float(size) for size in _PLANNED_LINE.findall(log.text())) * _MIB)
        return Allocation(
            conversation=planned if self._dry else sum(device.conversation for device in devices),
            compute=sum(device.compute for device in devices),
            weights=self._weights,
        )

    def __enter__(self) -> OpenModel:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, t: TracebackType | None) -> None:
        llama().llama_model_free(self._model)


def _load(api: Any, paths: Sequence[Path], parameters: Any) -> Any:
    if len(paths) == 1:
        return api.llama_model_load_from_file(os.fsencode(paths[0]), parameters)
    names = (ctypes.c_char_p * len(paths))(*map(os.fsencode, paths))
    return api.llama_model_load_from_splits(names, len(paths), parameters)
