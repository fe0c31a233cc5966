"""AMD graphics on Linux: the amdgpu driver's word on its memory, and whether it is a card or part of the processor."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from snug.core.gpu_bandwidths import device_by_pci_id
from snug.core.machine import Gpu
from snug.system import drm, drm_clients
from snug.system.environment import Environment, NotReadable
from snug.system.figures import text
from snug.system.reading import Reading

SOURCE = "amdgpu driver (sysfs)"
VENDOR = "1002"

_CARD_NAMES = re.compile(r"\b(RX|PRO|Instinct|MI\d+|FirePro|R9|R7 [23]\d\d|Vega (?:56|64)|VII)\b", re.IGNORECASE)
_IN_PROCESSOR_NAME = re.compile(r"\b(?:w/|with)\s+(.*Radeon.*?Graphics|.*Radeon\s+\w+)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AmdFiles:
    """What a card's files say. Bytes; `metrics` are the first bytes of gpu_metrics, `processor` the CPU's name."""

    name: str = ""
    vram_total: int = 0
    vram_used: int = 0
    gtt_total: int = 0
    gtt_used: int = 0
    memory_clock_mhz: int = 0
    driver_version: str = ""
    device_id: str = ""
    vram_vendor: str = ""
    metrics: bytes = b""
    processor: str = ""
    pci_id: str = ""


def read(environment: Environment) -> Reading:
    """The AMD devices of this computer, or why there is nothing to say."""
    if environment.system != "linux":
        return Reading()
    try:
        cards = [card for card in drm.cards(environment) if card.vendor == VENDOR]
    except NotReadable:
        return Reading()
    gpus: list[Gpu] = []
    sources: dict[str, str] = {}
    unread: dict[str, str] = {}
    uses = drm_clients.read(environment) if cards else {}
    for card in cards:
        here = f"gpus.{len(gpus)}"
        gpu = parse(_files(environment, card))
        if gpu.kind == "discrete" and gpu.pci_id in uses:
            gpu = replace(gpu, holders=uses[gpu.pci_id].holders)
        gpus.append(gpu)
        sources |= {f"{here}.name": SOURCE, f"{here}.driver": SOURCE}
        if gpu.memory_total:
            sources |= {f"{here}.memory_total": SOURCE, f"{here}.memory_free": SOURCE}
        else:
            unread[f"{here}.memory_total"] = f"the driver ({card.driver or 'none'}) does not give this device's memory"
        if gpu.memory_shared:
            sources[f"{here}.memory_shared"] = SOURCE
        if gpu.kind == "discrete":
            unread[f"{here}.bandwidth"] = "the amdgpu driver does not give the width of the memory bus"
    return Reading(gpus=tuple(gpus), sources=sources, unread=unread)


def parse(files: AmdFiles) -> Gpu:
    """The device that these files describe; what it may borrow of main memory (GTT) stays apart from its own."""
    integrated = is_part_of_processor(files)
    name = files.name
    in_processor = _IN_PROCESSOR_NAME.search(files.processor)
    if integrated and in_processor:
        name = f"AMD {text(in_processor.group(1)).removesuffix('Graphics').strip()}"
    known = device_by_pci_id(files.device_id)
    if not name and known:
        name = f"AMD {'' if known.name.startswith('instinct') else 'Radeon '}{known.name.upper()}"
    return Gpu(
        name=name or ("AMD Radeon Graphics" if integrated else "AMD graphics card"),
        kind="integrated" if integrated else "discrete",
        memory_total=files.vram_total,
        memory_free=max(0, files.vram_total - files.vram_used),
        vendor="amd",
        driver=f"amdgpu {files.driver_version}".strip(),
        memory_shared=files.gtt_total if integrated else 0,
        pci_id=files.pci_id,
        device_id=files.device_id,
        memory_used=min(files.vram_used, files.vram_total),
        memory_shared_used=min(files.gtt_used, files.gtt_total) if integrated else 0,
        memory_clock_mhz=files.memory_clock_mhz,
    )


def parse_memory_clock(levels: str) -> int:
    """The highest memory clock in MHz out of pp_dpm_mclk, whose lines read "3: 1249Mhz *"; 0 where there is none.

    Format: https://docs.kernel.org/gpu/amdgpu/thermal.html#pp-dpm
    """
    clocks = re.findall(r"^\s*\d+:\s*(\d{1,5})\s*MHz", levels, re.MULTILINE | re.IGNORECASE | re.ASCII)
    return max((int(clock) for clock in clocks), default=0)


def is_part_of_processor(files: AmdFiles) -> bool:
    """Whether the device has no memory chips of its own.

    The driver's metrics tell: their format is 1.x for cards and 2.x or 3.x for processors with graphics (Linux
    drivers/gpu/drm/amd/include/kgd_pp_interface.h). Without them the maker of the memory chips, then the name.
    """
    if len(files.metrics) >= 4 and files.metrics[2] in (1, 2, 3):
        return files.metrics[2] != 1
    if files.vram_vendor and files.vram_vendor.lower() != "unknown":
        return False
    if files.name:
        return not _CARD_NAMES.search(files.name)
    return files.gtt_total > files.vram_total


def _files(environment: Environment, card: drm.Card) -> AmdFiles:
    here = card.folder
    try:
        metrics = environment.data(f"{here}/gpu_metrics")[:4]
    except NotReadable:
        metrics = b""
    try:
        levels = environment.text(f"{here}/pp_dpm_mclk")
    except NotReadable:
        levels = ""
    try:
        name = drm.parse_amd_ids(environment.text(drm.AMD_ID_FILE), card.device, card.revision)
    except NotReadable:
        name = ""
    return AmdFiles(
        name=name or drm.words(environment, f"{here}/product_name") or _listed_name(environment, card),
        vram_total=drm.number(environment, f"{here}/mem_info_vram_total"),
        vram_used=drm.number(environment, f"{here}/mem_info_vram_used"),
        gtt_total=drm.number(environment, f"{here}/mem_info_gtt_total"),
        gtt_used=drm.number(environment, f"{here}/mem_info_gtt_used"),
        memory_clock_mhz=parse_memory_clock(levels),
        driver_version=drm.words(environment, "/sys/module/amdgpu/version"),
        device_id=":".join((card.vendor, card.device, card.revision)),
        vram_vendor=drm.words(environment, f"{here}/mem_info_vram_vendor"),
        metrics=metrics,
        processor=_processor_name(environment),
        pci_id=card.pci_id,
    )


def _listed_name(environment: Environment, card: drm.Card) -> str:
    listed = drm.pci_name(environment, card.vendor, card.device)
    return f"AMD {listed}" if listed else ""


def _processor_name(environment: Environment) -> str:
    try:
        match = re.search(r"^model name\s*:\s*(.+)$", environment.text("/proc/cpuinfo"), re.MULTILINE)
    except NotReadable:
        return ""
    return text(match.group(1)) if match else ""
