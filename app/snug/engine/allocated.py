"""What a load really took: the engine's own buffers on each device, and the process around them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

HOST = "CPU"
"""The name under which everything in main memory is summed up."""

_MIB = 1024 * 1024
_LINE = re.compile(r"^\S+:\s+(\S+)\s+(model|KV|RS|compute) buffer size\s*=\s*([0-9.]+) MiB", re.MULTILINE)
_REPACKED = ("CPU_REPACK", "AMX", "CPU_KLEIDIAI", "CPU_HBM")
_FIELDS = {"model": "weights", "KV": "conversation", "RS": "conversation", "compute": "compute"}


@dataclass(frozen=True, slots=True)
class DeviceBytes:
    """Bytes on one device, by its engine name; `repacked` weights stand in the processor's own order.

    `other` is the process itself in main memory, what the driver took on a card; 0 where it cannot be told.
    """

    name: str
    weights: int = 0
    repacked: int = 0
    conversation: int = 0
    compute: int = 0
    other: int = 0


@dataclass(frozen=True, slots=True)
class ProcessMemory:
    """Bytes of this process: all that is resident, and of that what no file stands behind (None: not told here)."""

    resident: int = 0
    anonymous: int | None = None


def device_of(buffer: str) -> str:
    """The device that a buffer's name belongs to: "CUDA0" for "CUDA0", "CPU" for "CPU_Mapped" and "CUDA_Host"."""
    if buffer.startswith(HOST) or buffer.endswith("_Host") or buffer in (*_REPACKED, "BLAS"):
        return HOST
    return re.sub(r"_(Mapped|Private|Shared|Split)$", "", buffer)


def device_bytes(said: str) -> tuple[DeviceBytes, ...]:
    """The buffers in a load's log by device, main memory first."""
    sums: dict[str, dict[str, int]] = {HOST: {}}
    for buffer, kind, mebibytes in _LINE.findall(said):
        field = "repacked" if kind == "model" and buffer in _REPACKED else _FIELDS[kind]
        device = sums.setdefault(device_of(buffer), {})
        device[field] = device.get(field, 0) + int(float(mebibytes) * _MIB)
    return tuple(DeviceBytes(name, **found) for name, found in sums.items())


def private_weights(said: str) -> int:
    """Bytes of weights in main memory that were copied there, rather than mapped from the file."""
    return sum(
        int(float(size) * _MIB)
        for buffer, kind, size in _LINE.findall(said)
        if kind == "model" and device_of(buffer) == HOST and not buffer.endswith("_Mapped")
    )


def process_memory() -> ProcessMemory:
    """What this process holds now. Without /proc only the whole is known."""
    try:
        return parse_status(Path("/proc/self/status").read_text("ascii", "replace"))
    except OSError:
        import psutil

        return ProcessMemory(int(psutil.Process().memory_info().rss))


def parse_status(text: str) -> ProcessMemory:
    """The figures in /proc/PID/status (proc_pid_status(5)), which are in KiB."""
    found = {name: int(value) * 1024 for name, value in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE)}
    anonymous = found["RssAnon"] + found.get("RssShmem", 0) if "RssAnon" in found else None
    return ProcessMemory(found.get("VmRSS", 0), anonymous)


def overhead(before: ProcessMemory, after: ProcessMemory, copied_weights: int) -> int:
    """What the process takes beside the engine's buffers: itself before the load, and what the vocabulary added.

    0 where the system does not tell mapped weights from the process's own memory.
    """
    if before.anonymous is None or after.anonymous is None:
        return 0
    return before.resident + max(0, after.anonymous - before.anonymous - copied_weights)


def with_other(devices: Iterable[DeviceBytes], process: int, drivers: dict[str, int]) -> tuple[DeviceBytes, ...]:
    """The devices with what the process, and on cards the drivers, took beside the buffers."""
    return tuple(
        DeviceBytes(each.name, each.weights, each.repacked, each.conversation, each.compute,
                    process if each.name == HOST else drivers.get(each.name, 0))
        for each in devices
    )  # fmt: skip
