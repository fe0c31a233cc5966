"""Graphics devices of Windows, from the display adapters' entries in the registry."""

from __future__ import annotations

import re

from snug.core.machine import Gpu
from snug.system.environment import Environment, NotReadable
from snug.system.figures import LARGEST, text
from snug.system.reading import Reading

SOURCE = "Windows registry (display adapters)"
CLASS_KEY = r"HKLM\SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"

_VENDORS = {"10de": "nvidia", "1002": "amd", "8086": "intel", "qcom": "qualcomm"}
_SECTION = re.compile(r"^HKEY_LOCAL_MACHINE\\.*\\(\d{4})\s*$")
_VALUE = re.compile(r"^\s+(\S.*?)\s{2,}(REG_\w+)\s{2,}(.*?)\s*$")
_CARD_NAMES = re.compile(
    r"\bRX\b|\bRadeon (?:\(TM\) )?PRO\b|\bInstinct\b|\bArc\b.*\b[AB]\d{3}|GeForce|RTX|Quadro|Tesla", re.I
)


def read(environment: Environment) -> Reading:
    """The graphics devices that Windows drives, or why there is nothing to say."""
    if environment.system != "windows":
        return Reading()
    try:
        return parse(environment.output(("reg", "query", CLASS_KEY, "/s")))
    except NotReadable as reason:
        return Reading(unread={"gpus": str(reason)})


def parse(output: str) -> Reading:
    """Graphics devices from `reg query … /s`; software adapters and mirror drivers are left out."""
    gpus: list[Gpu] = []
    sources: dict[str, str] = {}
    unread: dict[str, str] = {}
    for values in _sections(output):
        gpu = _gpu(values)
        if gpu is None:
            continue
        here = f"gpus.{len(gpus)}"
        gpus.append(gpu)
        sources |= {f"{here}.name": SOURCE, f"{here}.driver": SOURCE}
        if gpu.memory_total:
            sources[f"{here}.memory_total"] = SOURCE
            sources[f"{here}.memory_free"] = "taken as all of it: the registry does not say what is in use"
        else:
            unread[f"{here}.memory_total"] = "the registry does not give this device's memory"
        unread[f"{here}.bandwidth"] = "the registry does not give it"
    return Reading(gpus=tuple(gpus), sources=sources, unread=unread)


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


def _gpu(values: dict[str, str]) -> Gpu | None:
    name = text(values.get("DriverDesc"))
    identity = re.search(r"VEN_(\w{4})", values.get("MatchingDeviceId", ""), re.IGNORECASE)
    vendor = _VENDORS.get(identity.group(1).lower(), "") if identity else ""
    if not name or not vendor:
        return None
    total = _size(values.get("HardwareInformation.qwMemorySize", ""))
    return Gpu(
        name=name,
        kind="discrete" if _CARD_NAMES.search(name) else "integrated",
        memory_total=total,
        memory_free=total,
        vendor=vendor,
        driver=text(values.get("DriverVersion")),
    )


def _size(value: str) -> int:
    """Bytes from a REG_QWORD as `reg` prints it: 0x300000000."""
    if not re.fullmatch(r"0x[0-9a-fA-F]{1,16}", value):
        return 0
    size = int(value, 16)
    return size if size <= LARGEST else 0
