"""The operating system's name and version, as its maker writes them."""

from __future__ import annotations

import re
from dataclasses import replace

from snug.system import drm
from snug.system.environment import Environment, NotReadable
from snug.system.figures import text, whole
from snug.system.reading import Reading

_WINDOWS_KEY = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
_FIRST_BUILD_OF_WINDOWS_11 = 22000


_NO_MODEL = re.compile(
    r"to be filled|default string|system product name|not applicable|not specified|^none$|^0*$", re.I
)


def read(environment: Environment) -> Reading:
    """The system's name, or why it is not known; on Linux the computer's own name as well."""
    reading = _system(environment)
    if environment.system != "linux":
        return reading
    model = parse_model(
        *(drm.words(environment, f"/sys/class/dmi/id/{name}") for name in ("sys_vendor", "product_name"))
    )
    sources = {**reading.sources, "model": "the firmware (DMI)"} if model else reading.sources
    return replace(reading, model=model, sources=sources)


def parse_model(maker: str, product: str) -> str:
    """The computer's own name out of the firmware's; "" where its maker left a placeholder."""
    if not product or _NO_MODEL.search(product):
        return ""
    return product if not maker or _NO_MODEL.search(maker) or product.startswith(maker) else text(f"{maker} {product}")


def _system(environment: Environment) -> Reading:
    try:
        if environment.system == "darwin":
            return _reading(parse_sw_vers(environment.output(("sw_vers",))), "sw_vers")
        if environment.system == "windows":
            return _reading(parse_registry(environment.output(("reg", "query", _WINDOWS_KEY))), "Windows registry")
        return _reading(parse_os_release(environment.text("/etc/os-release")), "/etc/os-release")
    except NotReadable as reason:
        return Reading(unread={"os": str(reason)})


def parse_os_release(release: str) -> str:
    """The name from Linux' /etc/os-release: PRETTY_NAME, else NAME."""
    pairs = dict(line.split("=", 1) for line in release.splitlines() if "=" in line)
    return text((pairs.get("PRETTY_NAME") or pairs.get("NAME") or "").strip("\"'"))


def parse_sw_vers(output: str) -> str:
    """The name from a Mac's `sw_vers`."""
    pairs = dict(re.findall(r"^(\w+):\s+(.+)$", output, re.MULTILINE))
    return text(f"{pairs.get('ProductName', '')} {pairs.get('ProductVersion', '')}")


def parse_registry(output: str) -> str:
    """The name from `reg query`; the registry still says "Windows 10" on Windows 11, the build number tells."""
    pairs = dict(re.findall(r"^\s+(\w+)\s+REG_\w+\s+(.+?)\s*$", output, re.MULTILINE))
    name = text(pairs.get("ProductName", ""))
    if whole(pairs.get("CurrentBuild", pairs.get("CurrentBuildNumber", ""))) >= _FIRST_BUILD_OF_WINDOWS_11:
        name = name.replace("Windows 10", "Windows 11")
    return text(f"{name} {pairs.get('DisplayVersion', '')}") if name else ""


def _reading(name: str, source: str) -> Reading:
    if not name:
        return Reading(unread={"os": f"{source} does not say"})
    return Reading(os_name=name, sources={"os": source})
