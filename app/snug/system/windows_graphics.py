"""Graphics devices of Windows: their memory from DXGI, who holds it from the performance counters, their drivers from
the display adapters' registry entries."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from snug.core.machine import Gpu
from snug.core.machine_words import TAKEN_AS_ALL
from snug.system import windows_holders
from snug.system.card_holders import CardUse
from snug.system.environment import Environment, NotReadable
from snug.system.figures import LARGEST, text, whole
from snug.system.reading import Reading

REGISTRY = "Windows registry (display adapters)"
DXGI = "Windows (DXGI)"
CLASS_KEY = r"HKLM\SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"

_VENDORS = {"10de": "nvidia", "1002": "amd", "8086": "intel", "qcom": "qualcomm", "5143": "qualcomm"}
_SECTION = re.compile(r"^HKEY_LOCAL_MACHINE\\.*\\(\d{4})\s*$")
_VALUE = re.compile(r"^\s+(\S.*?)\s{2,}(REG_\w+)\s{2,}(.*?)\s*$")
_CARD_NAMES = re.compile(
    r"\bRX\b|\bRadeon (?:\(TM\) )?PRO\b|\bInstinct\b|\bArc\b.*\b[AB]\d{3}|GeForce|RTX|Quadro|Tesla", re.I
)
# Processors' graphics that carry a card's name (Core Ultra, series 3).
_IN_PROCESSOR = re.compile(r"\bArc\b.*\bB3[79]0\b", re.I)


def read(environment: Environment) -> Reading:
    """The graphics devices that Windows drives, or why there is nothing to say."""
    if environment.system != "windows":
        return Reading()
    try:
        registry = parse_registry(environment.output(("reg", "query", CLASS_KEY, "/s")))
    except NotReadable as reason:
        registry = Reading(unread={"gpus": str(reason)})
    try:
        adapters = environment.dxgi()
    except NotReadable:
        return registry
    cards = [adapter for adapter in adapters if _kind(text(adapter.get("name"))) == "discrete"]
    sizes = {text(card.get("luid")): whole(card.get("dedicated")) for card in cards}
    return parse(adapters, registry, windows_holders.read(environment, sizes))


def parse(adapters: Sequence[Any], registry: Reading, uses: Mapping[str, CardUse]) -> Reading:
    """Graphics devices from DXGI's figures, one mapping an adapter, with the drivers that the registry names and the
    use of each card by its LUID.

    Software adapters and those that only mirror a screen are left out. What a device may borrow of main memory
    stays apart from its own.
    """
    gpus: list[Gpu] = []
    sources: dict[str, str] = {}
    unread: dict[str, str] = {}
    waiting = list(registry.gpus)
    for adapter in adapters:
        gpu = _from_dxgi(adapter) if isinstance(adapter, dict) else None
        if gpu is None:
            continue
        entry = next((known for known in waiting if (known.vendor, known.name) == (gpu.vendor, gpu.name)), None)
        here = f"gpus.{len(gpus)}"
        if entry:
            waiting.remove(entry)
            sources[f"{here}.driver"] = REGISTRY
            gpu = replace(gpu, driver=entry.driver)
        sources |= dict.fromkeys((f"{here}.name", f"{here}.memory_total", f"{here}.memory_shared"), DXGI)
        sources[f"{here}.memory_free"] = f"{DXGI}: what Windows lets a new program use"
        if whole(adapter.get("budget")) == 0:
            sources[f"{here}.memory_free"] = f"{TAKEN_AS_ALL}: this Windows does not say what is in use"
        use = uses.get(text(adapter.get("luid")))
        if use and gpu.kind == "discrete":
            gpu, told = _with_use(gpu, use)
            sources |= {f"{here}.{figure}": source for figure, source in told.items()}
        gpus.append(gpu)
        if gpu.kind == "discrete":
            unread[f"{here}.bandwidth"] = "Windows does not give it"
    if not gpus:
        return registry
    return Reading(gpus=tuple(gpus), sources=sources, unread=unread)


def parse_registry(output: str) -> Reading:
    """Graphics devices from `reg query … /s`; software adapters and mirror drivers are left out."""
    gpus: list[Gpu] = []
    sources: dict[str, str] = {}
    unread: dict[str, str] = {}
    for values in _sections(output):
        gpu = _from_registry(values)
        if gpu is None:
            continue
        here = f"gpus.{len(gpus)}"
        gpus.append(gpu)
        sources |= {f"{here}.name": REGISTRY, f"{here}.driver": REGISTRY}
        if gpu.memory_total:
            sources[f"{here}.memory_total"] = REGISTRY
            sources[f"{here}.memory_free"] = f"{TAKEN_AS_ALL}: the registry does not say what is in use"
        else:
            unread[f"{here}.memory_total"] = "the registry does not give this device's memory"
        if gpu.kind == "discrete":
            unread[f"{here}.bandwidth"] = "the registry does not give it"
    return Reading(gpus=tuple(gpus), sources=sources, unread=unread)


def _from_dxgi(adapter: dict[str, Any]) -> Gpu | None:
    name, vendor = text(adapter.get("name")), text(adapter.get("vendor"))
    if not name or adapter.get("software") is True or vendor not in _VENDORS:
        return None
    total = whole(adapter.get("dedicated"))
    budget = whole(adapter.get("budget"))
    device_id = f"{vendor}:{text(adapter.get('device'))}"
    return Gpu(
        name=name,
        kind=_kind(name),
        memory_total=total,
        memory_free=min(budget, total) if budget else total,
        vendor=_VENDORS[vendor],
        memory_shared=whole(adapter.get("shared")) if _kind(name) == "integrated" else 0,
        device_id=f"{device_id}:{text(adapter.get('revision'))}" if vendor == "1002" else device_id,
    )


def _with_use(gpu: Gpu, use: CardUse) -> tuple[Gpu, dict[str, str]]:
    """The card with what its counters tell, and the source of each figure that they told.

    DXGI's budget is what this one program is granted, whatever others hold
    (https://learn.microsoft.com/windows/win32/api/dxgi1_4/ns-dxgi1_4-dxgi_query_video_memory_info): beyond what nobody
    holds, Windows would move others' or the model's memory out of the card.
    """
    told = {"holders": windows_holders.SOURCE} if use.holders else {}
    used = min(use.held, gpu.memory_total)
    if used and gpu.memory_total - used < gpu.memory_free:
        told["memory_free"] = f"{windows_holders.SOURCE}: what no program holds"
        gpu = replace(gpu, memory_free=gpu.memory_total - used)
    return replace(gpu, memory_used=used, holders=use.holders), told


def _kind(name: str) -> str:
    return "discrete" if _CARD_NAMES.search(name) and not _IN_PROCESSOR.search(name) else "integrated"


def _sections(output: str) -> list[dict[str, str]]:
    """The values of each numbered adapter, without those of keys below it."""
    sections: list[dict[str, str]] = []
    current: dict[str, str] | None = None
    for line in output.splitlines():
        if line.startswith("HKEY_"):
            current = {} if _SECTION.match(line) else None
            if current is not None:
                sections.append(current)
        elif current is not None and (match := _VALUE.match(line)):
            current[match.group(1)] = match.group(3)
    return sections


def _from_registry(values: dict[str, str]) -> Gpu | None:
    name = text(values.get("DriverDesc"))
    hardware = values.get("MatchingDeviceId", "")
    identity = re.search(r"VEN_(\w{4})", hardware, re.IGNORECASE)
    vendor = identity.group(1).lower() if identity else ""
    if not name or vendor not in _VENDORS:
        return None
    device = re.search(r"DEV_([0-9a-fA-F]{4})", hardware, re.IGNORECASE)
    total = _size(values.get("HardwareInformation.qwMemorySize", ""))
    return Gpu(
        name=name,
        kind=_kind(name),
        memory_total=total,
        memory_free=total,
        vendor=_VENDORS[vendor],
        driver=text(values.get("DriverVersion")),
        device_id=f"{vendor}:{device.group(1).lower()}" if device and vendor in ("10de", "8086") else "",
    )


def _size(value: str) -> int:
    """Bytes from a REG_QWORD as `reg` prints it: 0x300000000."""
    if not re.fullmatch(r"0x[0-9a-fA-F]{1,16}", value):
        return 0
    size = int(value, 16)
    return size if size <= LARGEST else 0
