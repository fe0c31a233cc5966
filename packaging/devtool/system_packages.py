"""What the operating system must provide, what of it is missing, and the one line that installs it."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

SYSTEMS = ("debian", "fedora", "arch", "macos", "windows")
SYSTEM_NAMES = {
    "debian": "Debian or Ubuntu",
    "fedora": "Fedora",
    "arch": "Arch Linux",
    "macos": "macOS",
    "windows": "Windows",
}


@dataclass(frozen=True)
class Need:
    """One thing that the system must provide: its name for people, how to tell, and the packages that hold it.

    `kind` is "library" (a soname), "tool" (any of the programs), "python-headers" or "venv".
    """

    name: str
    kind: str
    probes: tuple[str, ...] = ()
    packages: Mapping[str, str] | None = None
    only_for: str = ""
    linux_only: bool = False

    def package(self, system: str) -> str:
        return (self.packages or {}).get(system, "")


def _library(soname: str, debian: str, fedora: str, arch: str) -> Need:
    packages = {"debian": debian, "fedora": fedora, "arch": arch}
    return Need(soname, "library", (soname,), packages, linux_only=True)


# Read from the NEEDED entries of PySide6 6.11.3's libraries and of its xcb and offscreen platforms.
NEEDS = (
    Need(
        "a C compiler",
        "tool",
        ("cc", "gcc", "clang", "cl"),
        {"debian": "gcc", "fedora": "gcc", "arch": "gcc", "macos": "compiler", "windows": "compiler"},
    ),
    Need(
        "a C++ compiler",
        "tool",
        ("c++", "g++", "clang++", "cl"),
        {"debian": "g++", "fedora": "gcc-c++", "arch": "gcc", "macos": "compiler", "windows": "compiler"},
    ),
    Need(
        "Python's venv module",
        "venv",
        (),
        {"debian": "python{version}-venv", "fedora": "python3", "arch": "python"},
    ),
    Need(
        "Python's C headers",
        "python-headers",
        (),
        {"debian": "python{version}-dev", "fedora": "python3-devel", "arch": "python"},
    ),
    _library("libEGL.so.1", "libegl1", "libglvnd-egl", "libglvnd"),
    _library("libGL.so.1", "libgl1", "libglvnd-glx", "libglvnd"),
    _library("libX11.so.6", "libx11-6", "libX11", "libx11"),
    _library("libX11-xcb.so.1", "libx11-xcb1", "libX11-xcb", "libx11"),
    _library("libxcb.so.1", "libxcb1", "libxcb", "libxcb"),
    _library("libxcb-cursor.so.0", "libxcb-cursor0", "xcb-util-cursor", "xcb-util-cursor"),
    _library("libxcb-icccm.so.4", "libxcb-icccm4", "xcb-util-wm", "xcb-util-wm"),
    _library("libxcb-image.so.0", "libxcb-image0", "xcb-util-image", "xcb-util-image"),
    _library("libxcb-keysyms.so.1", "libxcb-keysyms1", "xcb-util-keysyms", "xcb-util-keysyms"),
    _library("libxcb-randr.so.0", "libxcb-randr0", "libxcb", "libxcb"),
    _library("libxcb-render.so.0", "libxcb-render0", "libxcb", "libxcb"),
    _library("libxcb-render-util.so.0", "libxcb-render-util0", "xcb-util-renderutil", "xcb-util-renderutil"),
    _library("libxcb-shape.so.0", "libxcb-shape0", "libxcb", "libxcb"),
    _library("libxcb-shm.so.0", "libxcb-shm0", "libxcb", "libxcb"),
    _library("libxcb-sync.so.1", "libxcb-sync1", "libxcb", "libxcb"),
    _library("libxcb-util.so.1", "libxcb-util1", "xcb-util", "xcb-util"),
    _library("libxcb-xfixes.so.0", "libxcb-xfixes0", "libxcb", "libxcb"),
    _library("libxcb-xkb.so.1", "libxcb-xkb1", "libxcb", "libxcb"),
    _library("libxkbcommon.so.0", "libxkbcommon0", "libxkbcommon", "libxkbcommon"),
    _library("libxkbcommon-x11.so.0", "libxkbcommon-x11-0", "libxkbcommon-x11", "libxkbcommon-x11"),
    _library("libdbus-1.so.3", "libdbus-1-3", "dbus-libs", "dbus"),
    _library("libfontconfig.so.1", "libfontconfig1", "fontconfig", "fontconfig"),
    _library("libfreetype.so.6", "libfreetype6", "freetype", "freetype2"),
    _library("libglib-2.0.so.0", "libglib2.0-0", "glib2", "glib2"),
    _library("libgssapi_krb5.so.2", "libgssapi-krb5-2", "krb5-libs", "krb5"),
    _library("libbrotlidec.so.1", "libbrotli1", "libbrotli", "brotli"),
    _library("libzstd.so.1", "libzstd1", "libzstd", "zstd"),
    Need(
        "Xvfb, a screen for the tests",
        "tool",
        ("Xvfb",),
        {"debian": "xvfb", "fedora": "xorg-x11-server-Xvfb", "arch": "xorg-server-xvfb"},
        only_for="test",
        linux_only=True,
    ),
    Need(
        "xdotool, hands for the tests",
        "tool",
        ("xdotool",),
        {"debian": "xdotool", "fedora": "xdotool", "arch": "xdotool"},
        only_for="test",
        linux_only=True,
    ),
)


def this_system(platform: str = sys.platform, os_release: str | None = None) -> str:
    """One of `SYSTEMS`, or "" for a Linux that is none of them."""
    if platform == "darwin":
        return "macos"
    if platform == "win32":
        return "windows"
    if os_release is None:
        try:
            os_release = Path("/etc/os-release").read_text(encoding="utf-8")
        except OSError:
            os_release = ""
    words = " ".join(re.findall(r'^ID(?:_LIKE)?="?([^"\n]*)', os_release, re.MULTILINE)).lower().split()
    families = {"debian": {"debian", "ubuntu"}, "fedora": {"fedora", "rhel", "centos"}, "arch": {"arch"}}
    return next((system for system, ids in families.items() if ids & set(words)), "")


def parse_ldconfig(text: str) -> set[str]:
    """The sonames that `ldconfig -p` lists."""
    return set(re.findall(r"^\s+(\S+) \(", text, re.MULTILINE))


def parse_ldd(text: str) -> list[str]:
    """The sonames that `ldd` could not find, each once, in its order."""
    return list(dict.fromkeys(re.findall(r"^\s*(\S+) => not found", text, re.MULTILINE)))


def needs_of_sonames(sonames: Iterable[str]) -> list[Need]:
    """The needs that hold those libraries; a library that the table does not know becomes a need without package."""
    known = {need.name: need for need in NEEDS if need.kind == "library"}
    return [known.get(soname) or Need(soname, "library", (soname,), {}, linux_only=True) for soname in sonames]


@dataclass(frozen=True)
class Probe:
    """How to look at this system; tests hand in recorded answers instead."""

    has_library: Callable[[str], bool]
    has_tool: Callable[[str], bool]
    has_headers: Callable[[], bool]
    has_venv: Callable[[], bool]


def real_probe() -> Probe:
    listed: set[str] = set()
    for program in ("/sbin/ldconfig", "/usr/sbin/ldconfig", "ldconfig"):
        if sys.platform == "linux" and shutil.which(program):
            done = subprocess.run([program, "-p"], capture_output=True, text=True, check=False)
            listed = parse_ldconfig(done.stdout)
            break
    return Probe(
        has_library=lambda soname: soname in listed or _can_load(soname),
        has_tool=lambda program: shutil.which(program) is not None,
        has_headers=lambda: Path(sysconfig.get_path("include"), "Python.h").is_file(),
        has_venv=lambda: _finds_module("ensurepip") and _finds_module("venv"),
    )


def missing(command: str, platform: str, probe: Probe) -> list[Need]:
    """What `command` ("run" or "test") needs and the system lacks, in the table's order."""
    return [
        need
        for need in NEEDS
        if (not need.linux_only or platform == "linux")
        and (not need.only_for or need.only_for == command)
        and not _is_there(need, probe)
    ]


def _is_there(need: Need, probe: Probe) -> bool:
    if need.kind == "library":
        return probe.has_library(need.probes[0])
    if need.kind == "tool":
        return any(probe.has_tool(program) for program in need.probes)
    return probe.has_venv() if need.kind == "venv" else probe.has_headers()


def _can_load(soname: str) -> bool:
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def _finds_module(name: str) -> bool:
    from importlib.util import find_spec

    return find_spec(name) is not None


def packages_for(needs: Iterable[Need], system: str, version: tuple[int, int]) -> list[str]:
    """The packages of that system that hold the needs, each once, sorted."""
    names = {need.package(system).format(version=f"{version[0]}.{version[1]}") for need in needs}
    return sorted(names - {""})


def install_commands(system: str, packages: list[str], *, as_root: bool) -> list[list[str]]:
    """The programs to start, one after the other, to install those packages without a question."""
    if not packages:
        return []
    sudo = [] if as_root else ["sudo"]
    if system == "debian":
        # `env` carries the setting through sudo, which clears the environment.
        quiet = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
        return [[*quiet, "update"], [*quiet, "install", "-y", "--no-install-recommends", *packages]]
    if system == "fedora":
        return [[*sudo, "dnf", "install", "-y", *packages]]
    if system == "arch":
        return [[*sudo, "pacman", "-S", "--needed", "--noconfirm", *packages]]
    if system == "macos":
        return [["xcode-select", "--install"]]
    tools = "--passive --wait --add Microsoft.VisualStudio.Workload.VCTools --includeRecommended"
    return [["winget", "install", "--id", "Microsoft.VisualStudio.2022.BuildTools", "--override", tools]]


def install_line(system: str, packages: list[str]) -> str:
    """The one line that a person can paste to install those packages."""
    lines = {
        "debian": "sudo apt-get update && sudo apt-get install -y " + " ".join(packages),
        "fedora": "sudo dnf install -y " + " ".join(packages),
        "arch": "sudo pacman -S --needed " + " ".join(packages),
        "macos": "xcode-select --install",
        "windows": (
            "winget install --id Microsoft.VisualStudio.2022.BuildTools --override "
            '"--passive --wait --add Microsoft.VisualStudio.Workload.VCTools --includeRecommended"'
        ),
    }
    return lines[system]


def advice(needs: list[Need], system: str, version: tuple[int, int]) -> str:
    """What is missing, in words, and the line that installs it; for an unknown Linux the lines of all families."""
    lines = ["Snug cannot be set up yet: this computer lacks " + ", ".join(need.name for need in needs) + "."]
    for family in (system,) if system else ("debian", "fedora", "arch"):
        packages = packages_for(needs, family, version)
        if packages or family in ("macos", "windows"):
            lines += [f"On {SYSTEM_NAMES[family]} this installs it:", "    " + install_line(family, packages)]
    lines.append("Or start the same command with --install-system after `run` or `test`.")
    return "\n".join(lines)


def install(needs: list[Need], system: str, version: tuple[int, int]) -> str:
    """Installs what is missing; lists it first and asks once in a terminal. "" when done, else why it was not."""
    packages = packages_for(needs, system, version)
    if not system or (not packages and system not in ("macos", "windows")):
        return advice(needs, system, version)
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    commands = install_commands(system, packages, as_root=as_root)
    print("Snug needs these system packages: " + (" ".join(packages) or "the compiler tools"), file=sys.stderr)
    for command in commands:
        print("    " + " ".join(command), file=sys.stderr)
    if sys.stdin is not None and sys.stdin.isatty() and not _agrees():
        return "Nothing was installed."
    for command in commands:
        if shutil.which(command[0]) is None:
            return f"The program {command[0]} is not there. As an administrator: {install_line(system, packages)}"
        # What installers say goes beside, because snug's own output may be a document for another program.
        if subprocess.run(command, stdout=sys.stderr.fileno(), check=False).returncode != 0:
            return "The system packages could not be installed; the lines above say why."
    return ""


def _agrees() -> bool:
    print("Install them now? [Y/n] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("", "y", "yes")
