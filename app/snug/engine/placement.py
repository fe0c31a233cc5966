"""How llama.cpp is told where a model's layers go: devices, layers on each, and experts that stay in main memory."""

from __future__ import annotations

import ctypes
from typing import Any

from snug.core.errors import UserError
from snug.core.fit import Offload
from snug.engine.devices import libraries

_LAYER_BY_LAYER = 1
"""`llama_split_mode`: whole layers on each card (llama.h)."""


class Override(ctypes.Structure):
    """`llama_model_tensor_buft_override` (llama.h), which the Python package leaves out."""

    _fields_ = (("pattern", ctypes.c_char_p), ("buffer_type", ctypes.c_void_p))


class Placement:
    """A layout written into the engine's model parameters. Keep it until the model is loaded: it owns the memory that
    the parameters point to. Raises UserError where a named device is not there."""

    def __init__(self, api: Any, offload: Offload) -> None:
        self._api = api
        self._offload = offload
        self._devices = self._device_list()
        self._split = self._shares()
        self._overrides = self._expert_overrides()

    def apply(self, parameters: Any) -> None:
        """Write it into `llama_model_params`."""
        offload = self._offload
        parameters.n_gpu_layers = offload.gpu_layers + offload.draft_layers if offload.gpu_layers else 0
        parameters.split_mode = _LAYER_BY_LAYER
        if self._devices is not None:
            parameters.devices = ctypes.addressof(self._devices)
        if self._split is not None:
            parameters.tensor_split = ctypes.cast(self._split, ctypes.POINTER(ctypes.c_float))
        if self._overrides is not None:
            parameters.tensor_buft_overrides = ctypes.addressof(self._overrides)

    def _device_list(self) -> Any:
        """The cards to be used, ended by a null; an empty list where none is; None leaves all to the engine."""
        if not self._offload.gpu_layers:
            return (ctypes.c_void_p * 1)()
        if not self._offload.devices or not all(self._offload.devices):
            return None
        registry, _ = libraries()
        registry.ggml_backend_dev_by_name.argtypes = [ctypes.c_char_p]
        registry.ggml_backend_dev_by_name.restype = ctypes.c_void_p
        found = [registry.ggml_backend_dev_by_name(name.encode()) for name in self._offload.devices]
        for name, device in zip(self._offload.devices, found, strict=True):
            if not device:
                raise UserError(
                    f"The engine does not find the graphics device {name} any more.",
                    "Read this computer again on Home, then try once more.",
                    kind="gpu-gone",
                )
        return (ctypes.c_void_p * (len(found) + 1))(*found, None)

    def _shares(self) -> Any:
        """How much of the offloaded layers each card takes; layers that only draft come last."""
        split = list(self._offload.split)
        if len(split) < 2:
            return None
        split[-1] += self._offload.draft_layers
        room = max(len(split), int(self._api.llama_max_devices()))
        return (ctypes.c_float * room)(*split)

    def _expert_overrides(self) -> Any:
        """One pattern for each layer whose experts stay in main memory, ended by an empty one."""
        count = min(self._offload.cpu_experts, int(self._api.llama_max_tensor_buft_overrides()) - 1)
        if count <= 0:
            return None
        _, base = libraries()
        base.ggml_backend_cpu_buffer_type.restype = ctypes.c_void_p
        main_memory = base.ggml_backend_cpu_buffer_type()
        named = [Override(expert_pattern(layer), main_memory) for layer in range(count)]
        return (Override * (count + 1))(*named, Override())


def expert_pattern(layer: int) -> bytes:
    """A regular expression for the stacked matrices of all experts of that layer."""
    return rf"^blk\.{layer}\.ffn_[a-z_]+_(ch)?exps\.".encode()
