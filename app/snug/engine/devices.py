"""The devices that llama.cpp itself lists: what it could run a model on, with the memory it sees there."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

from snug.core.machine import EngineDevice
from snug.engine.library import llama

MOST_DEVICES = 64

# enum ggml_backend_dev_type (ggml/include/ggml-backend.h)
_KINDS = {0: "cpu", 1: "gpu", 2: "igpu", 3: "accel"}


class _Properties(ctypes.Structure):
    """struct ggml_backend_dev_props up to the last member that is read; room for what newer versions add."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("description", ctypes.c_char_p),
        ("memory_free", ctypes.c_size_t),
        ("memory_total", ctypes.c_size_t),
        ("type", ctypes.c_int),
        ("device_id", ctypes.c_char_p),
        ("rest", ctypes.c_char * 256),
    )


def engine_devices() -> tuple[EngineDevice, ...]:
    """Every device of the engine's back-ends, in its own order. Raises OSError or AttributeError where the
    library has no such list."""
    llama()
    registry, base = libraries()
    count = min(int(registry.ggml_backend_dev_count()), MOST_DEVICES)
    return tuple(_device(base, registry.ggml_backend_dev_get(index)) for index in range(count))


def libraries() -> tuple[Any, Any]:
    """ggml's library with the list of devices, and the one with the functions on a device."""
    import llama_cpp
    from llama_cpp._ctypes_extensions import load_shared_library

    folder = Path(llama_cpp.__file__).parent / "lib"
    registry, base = load_shared_library("ggml", folder), load_shared_library("ggml-base", folder)
    registry.ggml_backend_dev_count.restype = ctypes.c_size_t
    registry.ggml_backend_dev_get.argtypes = [ctypes.c_size_t]
    registry.ggml_backend_dev_get.restype = ctypes.c_void_p
    for name, result in (("name", ctypes.c_char_p), ("description", ctypes.c_char_p), ("type", ctypes.c_int)):
        function = getattr(base, f"ggml_backend_dev_{name}")
        function.argtypes, function.restype = [ctypes.c_void_p], result
    size = ctypes.POINTER(ctypes.c_size_t)
    base.ggml_backend_dev_get_props.argtypes = [ctypes.c_void_p, ctypes.POINTER(_Properties)]
    base.ggml_backend_dev_get_props.restype = None
    base.ggml_backend_dev_memory.argtypes, base.ggml_backend_dev_memory.restype = [ctypes.c_void_p, size, size], None
    return registry, base


def _device(base: Any, device: int) -> EngineDevice:
    free, total = ctypes.c_size_t(0), ctypes.c_size_t(0)
    base.ggml_backend_dev_memory(device, ctypes.byref(free), ctypes.byref(total))
    properties = _Properties()
    base.ggml_backend_dev_get_props(device, ctypes.byref(properties))
    return EngineDevice(
        name=(base.ggml_backend_dev_name(device) or b"").decode("utf-8", "replace"),
        description=(base.ggml_backend_dev_description(device) or b"").decode("utf-8", "replace").strip(),
        kind=_KINDS.get(base.ggml_backend_dev_type(device), "accel"),
        memory_total=total.value,
        memory_free=min(free.value, total.value),
        device_id=(properties.device_id or b"").decode("ascii", "replace").lower(),
    )
