"""Processors for neural networks: present, and not used, since llama.cpp has no back-end for them."""

from __future__ import annotations

import re

from snug.core.machine import Npu
from snug.system import drm
from snug.system.environment import Environment, NotReadable
from snug.system.figures import text
from snug.system.reading import Reading

ACCELERATORS = "/sys/class/accel"
PCI_DEVICES = "/sys/bus/pci/devices"
WINDOWS_KEY = r"HKLM\SYSTEM\CurrentControlSet\Control\Class\{f01a9d53-3ff6-48d2-9f97-c8a7004be10c}"
MOST_DEVICES = 512

# PCI numbers as the drivers list them: Linux drivers/accel/ivpu/ivpu_drv.h and drivers/accel/amdxdna/aie2_pci.c.
_NAMES = {
    "8086:7d1d": "Intel AI Boost (Meteor Lake)", "8086:ad1d": "Intel AI Boost (Arrow Lake)",
    "8086:643e": "Intel AI Boost (Lunar Lake)", "8086:b03e": "Intel AI Boost (Panther Lake)",
    "8086:fd3e": "Intel AI Boost (Wildcat Lake)", "8086:d71d": "Intel AI Boost (Nova Lake)",
    "1022:1502": "AMD XDNA (Phoenix)", "1022:17f0": "AMD XDNA 2",
}  # fmt: skip
_DRIVERS = {
    "intel_vpu": "Intel AI Boost", "amdxdna": "AMD XDNA", "rocket": "Rockchip NPU", "RKNPU": "Rockchip NPU",
    "ethosu": "Arm Ethos-U", "qaic": "Qualcomm Cloud AI", "habanalabs": "Intel Gaudi",
}  # fmt: skip
# Processing accelerators and signal processors (PCI Code and ID Assignment); both makers use either.
_PCI_CLASSES = ("0x1200", "0x1180")
_SECTION = re.compile(r"^HKEY_LOCAL_MACHINE\\.*\\\d{4}\s*$")


def read(environment: Environment) -> Reading:
    """The computer's processors for neural networks; an empty reading where none is known."""
    try:
        if environment.system == "darwin":
            return _reading((Npu("Apple Neural Engine"),) if environment.architecture == "arm64" else (), "macOS")
        if environment.system == "windows":
            found = parse_registry(environment.output(("reg", "query", WINDOWS_KEY, "/s")))
            return _reading(found, "Windows registry (neural processors)")
        return _reading(_on_linux(environment), "Linux (sysfs)")
    except NotReadable:
        return Reading()


def parse(vendor: str, device: str, driver: str) -> Npu | None:
    """The device with those PCI numbers ("8086", "7d1d") and kernel driver; None where it is something else."""
    name = _NAMES.get(f"{vendor}:{device}") or _DRIVERS.get(driver)
    return Npu(name, driver) if name else None


def parse_registry(output: str) -> tuple[Npu, ...]:
    """The devices of Windows' class ComputeAccelerator, from `reg query … /s`."""
    found: list[Npu] = []
    name = version = ""
    in_device = False
    for line in [*output.splitlines(), "HKEY_"]:
        if line.startswith("HKEY_"):
            if name and Npu(name, version) not in found:
                found.append(Npu(name, version))
            name = version = ""
            in_device = _SECTION.match(line) is not None
        elif match := re.match(r"^\s+(DriverDesc|DriverVersion)\s+REG_SZ\s+(.+?)\s*$", line):
            if in_device and match.group(1) == "DriverDesc":
                name = text(match.group(2))
            elif in_device:
                version = text(match.group(2))
    return tuple(found)


def _on_linux(environment: Environment) -> tuple[Npu, ...]:
    """Those that a driver of the class accel runs, then those on the PCI bus that no driver runs."""
    found = {}
    for name in _names(environment, ACCELERATORS):
        folder = f"{ACCELERATORS}/{name}/device"
        try:
            pairs = dict(
                line.split("=", 1) for line in environment.text(f"{folder}/uevent").splitlines() if "=" in line
            )
        except NotReadable:
            pairs = {}
        npu = parse(*_numbers(environment, folder), text(pairs.get("DRIVER", "")))
        if npu:
            found[text(pairs.get("PCI_SLOT_NAME", "")) or name] = npu
    for address in _names(environment, PCI_DEVICES):
        folder = f"{PCI_DEVICES}/{address}"
        if address not in found and drm.words(environment, f"{folder}/class").startswith(_PCI_CLASSES):
            npu = parse(*_numbers(environment, folder), "")
            if npu:
                found[address] = npu
    return tuple(found.values())


def _names(environment: Environment, folder: str) -> list[str]:
    try:
        return environment.names(folder)[:MOST_DEVICES]
    except NotReadable:
        return []


def _numbers(environment: Environment, folder: str) -> tuple[str, str]:
    vendor, device = (drm.words(environment, f"{folder}/{name}") for name in ("vendor", "device"))
    return vendor.removeprefix("0x").lower(), device.removeprefix("0x").lower()


def _reading(npus: tuple[Npu, ...], source: str) -> Reading:
    return Reading(npus=npus, sources={f"npus.{index}": source for index in range(len(npus))})
