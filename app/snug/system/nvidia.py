"""NVIDIA graphics devices, as the driver's management library describes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from snug.core.gpu_bandwidths import device_by_pci_id, known_device
from snug.core.machine import Gpu, Holder
from snug.system.card_holders import largest, program_of
from snug.system.environment import Environment, NotReadable
from snug.system.figures import real, text, whole
from snug.system.reading import Reading

SOURCE = "NVIDIA driver (NVML)"
SHARING_NAMES = ("GB10", "Thor", "Orin", "Xavier", "Tegra")
VENDOR = 0x10DE


def read(environment: Environment) -> Reading:
    """The NVIDIA devices of this computer, or why there is nothing to say."""
    try:
        return parse(environment.nvidia())
    except NotReadable as reason:
        return Reading(unread={"gpus.nvidia": str(reason)})


def parse(devices: Sequence[Any]) -> Reading:
    """Graphics devices from the library's figures, one mapping a device (see `nvml.ask_nvml`).

    A device in MIG mode is listed as its partitions, each a device of its own, and never beside them.
    """
    gpus: list[Gpu] = []
    sources: dict[str, str] = {}
    unread: dict[str, str] = {}
    for device in devices:
        if not isinstance(device, dict):
            continue
        if "mig" in device and not _partitions(device):
            unread["gpus.nvidia"] = f"{_name(device)} is in MIG mode and nobody has made a partition on it yet"
            continue
        for gpu in _partitions(device) or [_gpu(device)]:
            here = f"gpus.{len(gpus)}"
            gpus.append(gpu)
            sources.update({f"{here}.name": SOURCE, f"{here}.driver": SOURCE})
            if gpu.memory_total:
                sources.update({f"{here}.memory_total": SOURCE, f"{here}.memory_free": SOURCE})
            elif gpu.kind == "discrete":
                unread[f"{here}.memory_total"] = "the NVIDIA driver does not give this device's memory"
            if gpu.bandwidth:
                whose = " of the whole card, by this partition's share of its memory" if gpu.part_of else ""
                sources[f"{here}.bandwidth"] = f"{SOURCE}: memory clock and bus width{whose}"
            else:
                unread[f"{here}.bandwidth"] = "the NVIDIA driver does not give this device's memory clock and bus width"
    return Reading(gpus=tuple(gpus), sources=sources, unread=unread)


def _gpu(device: dict[str, Any]) -> Gpu:
    name = _name(device)
    total = whole(device.get("memory_total"))
    clock, width = real(device.get("memory_clock_mhz")), real(device.get("bus_width_bits"))
    return Gpu(
        name=name,
        kind=_kind(name, device_id(device.get("device_id"))),
        memory_total=total,
        memory_free=min(whole(device.get("memory_free")), total),
        # Two transfers a clock: NVML reports the clock of the double data rate for GDDR and HBM alike.
        bandwidth=clock * 1e6 * 2 * width / 8 or None,
        vendor="nvidia",
        driver=text(device.get("driver")),
        pci_id=pci_id(text(device.get("bus_id"))),
        device_id=device_id(device.get("device_id")),
        memory_used=min(whole(device.get("memory_used")), total),
        memory_clock_mhz=whole(clock),
        bus_width_bits=whole(width),
        holders=holders(device.get("processes")),
    )


def _kind(name: str, product: str) -> str:
    """Whether it has memory of its own, or shares main memory: "unified" where that memory's bandwidth is known."""
    if not any(word in name for word in SHARING_NAMES):
        return "discrete"
    return "unified" if device_by_pci_id(product) or known_device(name) else "integrated"


def _partitions(device: dict[str, Any]) -> list[Gpu]:
    """The partitions of a device in MIG mode, with the memory and the bandwidth that each has for itself."""
    parts = device.get("mig")
    card = _gpu(device)
    found = []
    for part in parts if isinstance(parts, list) else ():
        if not isinstance(part, dict):
            continue
        total = whole(part.get("memory_total"))
        share = min(1.0, total / card.memory_total) if card.memory_total else 0.0
        found.append(
            replace(
                card,
                name=_name(part) if text(part.get("name")) else f"{card.name} MIG",
                memory_total=total,
                memory_free=min(whole(part.get("memory_free")), total),
                memory_used=min(whole(part.get("memory_used")), total),
                bandwidth=(card.bandwidth or 0.0) * share or None,
                part_of=card.name,
                holders=holders(part.get("processes")),
            )
        )
    return found


def holders(processes: Any) -> tuple[Holder, ...]:
    """The programs that hold a device's memory, the largest first, out of NVML's list of processes."""
    listed = processes if isinstance(processes, list) else ()
    return largest((program_of(process), whole(process.get("used"))) for process in listed if isinstance(process, dict))


def _name(device: dict[str, Any]) -> str:
    name = text(device.get("name")) or "NVIDIA graphics"
    return name if name.upper().startswith("NVIDIA") else f"NVIDIA {name}"


def pci_id(bus_id: str) -> str:
    """A bus address as Linux writes it: NVML's "00000000:01:00.0" is "0000:01:00.0"."""
    parts = bus_id.lower().split(":")
    return f"{parts[0][-4:].rjust(4, '0')}:{parts[1]}:{parts[2]}" if len(parts) == 3 else ""


def device_id(number: Any) -> str:
    """Which product it is: NVML's 0x250410DE is "10de:2504"; "" for anything that is no device of NVIDIA's."""
    known = whole(number)
    return f"{VENDOR:04x}:{known >> 16:04x}" if known & 0xFFFF == VENDOR and known >> 32 == 0 else ""
