"""NVIDIA graphics devices, as the driver's management library describes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from snug.core.machine import Gpu
from snug.system.environment import Environment, NotReadable
from snug.system.figures import real, text, whole
from snug.system.reading import Reading

SOURCE = "NVIDIA driver (NVML)"
SHARING_NAMES = ("GB10", "Thor", "Orin", "Xavier", "Tegra")


def read(environment: Environment) -> Reading:
    """The NVIDIA devices of this computer, or why there is nothing to say."""
    try:
        return parse(environment.nvidia())
    except NotReadable as reason:
        return Reading(unread={"gpus.nvidia": str(reason)})


def parse(devices: Sequence[Any]) -> Reading:
    """Graphics devices from the library's figures, one mapping a device (see `nvml.ask_nvml`)."""
    gpus: list[Gpu] = []
    sources: dict[str, str] = {}
    unread: dict[str, str] = {}
    for device in devices:
        if not isinstance(device, dict):
            continue
        here = f"gpus.{len(gpus)}"
        gpu = _gpu(device)
        gpus.append(gpu)
        sources.update({f"{here}.name": SOURCE, f"{here}.driver": SOURCE})
        if gpu.memory_total:
            sources.update({f"{here}.memory_total": SOURCE, f"{here}.memory_free": SOURCE})
        else:
            unread[f"{here}.memory_total"] = "the NVIDIA driver does not give this device's memory"
        if gpu.bandwidth:
            sources[f"{here}.bandwidth"] = f"{SOURCE}: memory clock and bus width"
        else:
            unread[f"{here}.bandwidth"] = "the NVIDIA driver does not give this device's memory clock and bus width"
    return Reading(gpus=tuple(gpus), sources=sources, unread=unread)


def _gpu(device: dict[str, Any]) -> Gpu:
    name = text(device.get("name")) or "NVIDIA graphics"
    total = whole(device.get("memory_total"))
    clock, width = real(device.get("memory_clock_mhz")), real(device.get("bus_width_bits"))
    return Gpu(
        name=name if name.upper().startswith("NVIDIA") else f"NVIDIA {name}",
        kind="integrated" if any(word in name for word in SHARING_NAMES) else "discrete",
        memory_total=total,
        memory_free=min(whole(device.get("memory_free")), total),
        # Two transfers a clock: NVML reports the clock of the double data rate for GDDR and HBM alike.
        bandwidth=clock * 1e6 * 2 * width / 8 or None,
        vendor="nvidia",
        driver=text(device.get("driver")),
        pci_id=pci_id(text(device.get("bus_id"))),
    )


def pci_id(bus_id: str) -> str:
    """A bus address as Linux writes it: NVML's "00000000:01:00.0" is "0000:01:00.0"."""
    parts = bus_id.lower().split(":")
    return f"{parts[0][-4:].rjust(4, '0')}:{parts[1]}:{parts[2]}" if len(parts) == 3 else ""
