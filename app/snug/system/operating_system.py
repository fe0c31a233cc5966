"""The operating system's name and version, as its maker writes them."""

from __future__ import annotations

import re

from snug.system.environment import Environment, NotReadable
from snug.system.figures import text, whole
from snug.system.reading import Reading

_WINDOWS_KEY = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
_FIRST_BUILD_OF_WINDOWS_11 = 22000


def read(environment: Environment) -> Reading:
    """The system's name, or why it is not known."""
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
