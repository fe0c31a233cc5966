"""Asks NVIDIA's management library about its devices, in figures as the library gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from snug.system.environment import NotReadable

MOST_DEVICES = 32


def ask_nvml() -> list[dict[str, Any]]:
    """One mapping a device: name, bus_id, driver, memory_total, memory_free, memory_clock_mhz, bus_width_bits.

    A figure that a device does not give is left out. Raises NotReadable where there is no NVIDIA driver.
    """
    try:
        import pynvml
    except ImportError as error:
        raise NotReadable("the Python library for NVIDIA (nvidia-ml-py) is not installed") from error
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise NotReadable(_words(error)) from error
    try:
        driver = _asked(pynvml.nvmlSystemGetDriverVersion)
        count = min(int(pynvml.nvmlDeviceGetCount()), MOST_DEVICES)
        return [_device(pynvml, index, driver) for index in range(count)]
    except pynvml.NVMLError as error:
        raise NotReadable(_words(error)) from error
    finally:
        _asked(pynvml.nvmlShutdown)


def _device(pynvml: Any, index: int, driver: Any) -> dict[str, Any]:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory = _asked(pynvml.nvmlDeviceGetMemoryInfo, handle)
    pci = _asked(pynvml.nvmlDeviceGetPciInfo, handle)
    figures = {
        "name": _asked(pynvml.nvmlDeviceGetName, handle),
        "bus_id": getattr(pci, "busId", None),
        "driver": driver,
        "memory_total": getattr(memory, "total", None),
        "memory_free": getattr(memory, "free", None),
        "memory_clock_mhz": _asked(pynvml.nvmlDeviceGetMaxClockInfo, handle, pynvml.NVML_CLOCK_MEM),
        "bus_width_bits": _asked(pynvml.nvmlDeviceGetMemoryBusWidth, handle),
    }
    return {key: _plain(value) for key, value in figures.items() if value is not None}


def _asked(question: Callable[..., Any], *arguments: Any) -> Any:
    """The library's answer, or None where this device or driver does not know the question."""
    import pynvml

    try:
        return question(*arguments)
    except pynvml.NVMLError:
        return None


def _plain(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _words(error: Exception) -> str:
    reasons = {
        "LibraryNotFound": "there is no NVIDIA driver on this computer",
        "DriverNotLoaded": "the NVIDIA driver is installed but not running",
        "NoPermission": "this account may not ask the NVIDIA driver",
        "LibRmVersionMismatch": "the NVIDIA driver was updated and this computer not restarted since",
    }
    name = type(error).__name__.removeprefix("NVMLError_")
    return reasons.get(name, f"the NVIDIA driver does not answer ({error})")
