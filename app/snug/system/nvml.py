"""Asks NVIDIA's management library about its devices, in figures as the library gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from snug.system.environment import NotReadable
from snug.system.process_list import is_snugs

MOST_DEVICES = 32


def ask_nvml() -> list[dict[str, Any]]:
    """One mapping a device: name, bus_id, device_id, driver, memory_total, memory_free, memory_used (bytes),
    memory_clock_mhz, bus_width_bits, processes (pid, used, name, is_own) and, where the device is cut into
    partitions, those as `mig`: name, memory_total, memory_free, memory_used, processes.

    A figure that a device does not give is left out. Raises NotReadable where there is no NVIDIA driver. The meaning
    of each figure: https://docs.nvidia.com/deploy/nvml-api/group__nvmlDeviceQueries.html
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
    pci = _asked(pynvml.nvmlDeviceGetPciInfo, handle)
    figures = {
        **_memory_of(pynvml, handle),
        "bus_id": getattr(pci, "busId", None),
        # The device in the high half, the vendor in the low one.
        "device_id": getattr(pci, "pciDeviceId", None),
        "driver": driver,
        "memory_clock_mhz": _asked(pynvml.nvmlDeviceGetMaxClockInfo, handle, pynvml.NVML_CLOCK_MEM),
        "bus_width_bits": _asked(pynvml.nvmlDeviceGetMemoryBusWidth, handle),
    }
    mode = _asked(pynvml.nvmlDeviceGetMigMode, handle)
    if mode and mode[0] == pynvml.NVML_DEVICE_MIG_ENABLE:
        figures["mig"] = _partitions(pynvml, handle)
    return {key: _plain(value) for key, value in figures.items() if value is not None}


def _partitions(pynvml: Any, handle: Any) -> list[dict[str, Any]]:
    """The partitions of a device in MIG mode; an empty list where nobody has made any yet."""
    most = min(_asked(pynvml.nvmlDeviceGetMaxMigDeviceCount, handle) or 0, MOST_DEVICES)
    parts = (_asked(pynvml.nvmlDeviceGetMigDeviceHandleByIndex, handle, number) for number in range(most))
    figures = (_memory_of(pynvml, part) for part in parts if part is not None)
    return [{key: _plain(value) for key, value in part.items() if value is not None} for part in figures]


def _memory_of(pynvml: Any, handle: Any) -> dict[str, Any]:
    memory = _asked(pynvml.nvmlDeviceGetMemoryInfo, handle)
    return {
        "name": _asked(pynvml.nvmlDeviceGetName, handle),
        "memory_total": getattr(memory, "total", None),
        "memory_free": getattr(memory, "free", None),
        "memory_used": getattr(memory, "used", None),
        "processes": _processes(pynvml, handle),
    }


def _processes(pynvml: Any, handle: Any) -> list[dict[str, Any]]:
    """Who holds the device's memory. Windows' driver model does not tell this library how much: those are left out
    (Windows itself tells, see `windows_holders`)."""
    held: dict[int, int] = {}
    for question in (pynvml.nvmlDeviceGetComputeRunningProcesses, pynvml.nvmlDeviceGetGraphicsRunningProcesses):
        for process in _asked(question, handle) or ():
            # A process that computes and draws stands in both lists with the same figure.
            held[process.pid] = max(held.get(process.pid, 0), process.usedGpuMemory or 0)
    return [
        {
            "pid": pid,
            "used": used,
            "name": _plain(_asked(pynvml.nvmlSystemGetProcessName, pid) or ""),
            "is_own": is_snugs(pid),
        }
        for pid, used in held.items()
        if used
    ]


def _asked(question: Callable[..., Any], *arguments: Any) -> Any:
    """The library's answer, or None where this device or driver does not know the question."""
    import pynvml

    try:
        return question(*arguments)
    except (pynvml.NVMLError, UnicodeDecodeError):
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
