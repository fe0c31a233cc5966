"""Every kind of computer that Snug promises to read is recorded, says where its format is documented, and is believed
in the same way beside the engine's own list of devices."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from snug.core.machine import Gpu, Machine
from snug.core.machine_words import disagreement_words, figure_rows
from snug.core.two_sources import with_engine_devices
from snug.system.machine import read_machine
from tests.system.conftest import MACHINES, RecordedEnvironment, load_recording

GIB = 2**30
LEAST_RECORDINGS = 40


def cards(machine: Machine, vendor: str) -> list[Gpu]:
    return [gpu for gpu in machine.gpus if gpu.vendor == vendor and gpu.kind == "discrete" and not gpu.part_of]


def has(vendor: str, words: str, kind: str = "discrete") -> Callable[[RecordedEnvironment, Machine], bool]:
    return lambda _, machine: any(
        gpu.vendor == vendor and words in gpu.name and gpu.kind == kind for gpu in machine.gpus
    )


def holds(vendor: str) -> Callable[[RecordedEnvironment, Machine], bool]:
    return lambda _, machine: any(gpu.holders for gpu in cards(machine, vendor))


def holds_on_windows(vendor: str) -> Callable[[RecordedEnvironment, Machine], bool]:
    return lambda recorded, machine: machine.os == "windows" and holds(vendor)(recorded, machine)


def is_mac(chip: str) -> Callable[[RecordedEnvironment, Machine], bool]:
    return lambda _, machine: any(gpu.name == chip and gpu.bandwidth for gpu in machine.gpus)


KINDS: dict[str, Callable[[RecordedEnvironment, Machine], bool]] = {
    "a single NVIDIA card": lambda _, machine: len(cards(machine, "nvidia")) == 1,
    "two NVIDIA cards": lambda _, machine: len(cards(machine, "nvidia")) == 2,
    "a laptop's NVIDIA card beside the processor's graphics": lambda _, machine: (
        any("Laptop" in gpu.name for gpu in machine.gpus) and any(gpu.kind == "integrated" for gpu in machine.gpus)
    ),
    "GTX 1050 Ti": has("nvidia", "GTX 1050 Ti"),
    "H100": has("nvidia", "H100"),
    "H200": has("nvidia", "H200"),
    "partitions (MIG)": lambda _, machine: len([gpu for gpu in machine.gpus if gpu.part_of]) > 1,
    "a DGX Spark with one fast memory for all": lambda _, machine: any(
        gpu.kind == "unified" and "GB10" in gpu.name and gpu.bandwidth == 273e9 for gpu in machine.gpus
    ),
    "a Radeon card": has("amd", "Radeon RX"),
    "Strix Halo with a large GTT and a small carve-out": lambda _, machine: any(
        "8060S" in gpu.name and gpu.memory_total <= GIB and gpu.memory_shared >= 64 * GIB for gpu in machine.gpus
    ),
    "a Ryzen with graphics": has("amd", "780M", "integrated"),
    "an Arc card": has("intel", "Arc A770"),
    "an Arc card of the second generation": has("intel", "Arc B580"),
    "Intel's integrated graphics": has("intel", "", "integrated"),
    **{
        f"Apple {chip}": is_mac(f"Apple {chip}")
        for generation in ("M1", "M2", "M3", "M4", "M5")
        for chip in (generation, f"{generation} Pro", f"{generation} Max")
    },
    **{f"Apple {generation} Ultra": is_mac(f"Apple {generation} Ultra") for generation in ("M1", "M2", "M3")},
    "Windows with integrated graphics and a card": lambda _, machine: (
        machine.os == "windows" and {gpu.kind for gpu in machine.gpus} == {"integrated", "discrete"}
    ),
    "Windows' DXGI": lambda recorded, machine: "json dxgi" in recorded.sections and bool(machine.gpus),
    "Linux on Windows (WSL)": lambda recorded, _: "WSL" in recorded.sections["about"],
    "a virtual machine without graphics": lambda recorded, machine: (
        "hypervisor" in recorded.sections.get("file /proc/cpuinfo", "") and not machine.gpus
    ),
    "a container with a limit of 4 GB": lambda _, machine: machine.memory.limit == 4 * GIB,
    "a Raspberry Pi": lambda _, machine: "Raspberry Pi" in machine.cpu.name,
    "huge pages": lambda _, machine: machine.memory.huge_pages > 0,
    "a neural processor of Intel's": lambda _, machine: any("Intel" in npu.name for npu in machine.npus),
    "a neural processor of AMD's": lambda _, machine: any("AMD" in npu.name for npu in machine.npus),
    **{
        f"who holds memory on {words}": holds(vendor)
        for words, vendor in (("an NVIDIA card", "nvidia"), ("a Radeon card", "amd"), ("an Arc card", "intel"))
    },
    **{
        f"who holds memory on {words} under Windows": holds_on_windows(vendor)
        for words, vendor in (("an NVIDIA card", "nvidia"), ("a Radeon card", "amd"))
    },
    "malformed output": lambda recorded, machine: (
        "???" in recorded.sections.get("file /proc/cpuinfo", "") and not machine.memory.total
    ),
    "empty output": lambda recorded, machine: (
        recorded.sections.get("file /proc/cpuinfo") == "" and recorded.sections.get("file /proc/meminfo") == ""
    ),
}
"""Each kind with what tells it from the recording and the machine that is read from it."""


@pytest.fixture(scope="module")
def recordings() -> list[tuple[RecordedEnvironment, Machine]]:
    loaded = [load_recording(path.stem) for path in sorted(MACHINES.glob("*.txt"))]
    return [(recorded, read_machine(recorded.models_folder, environment=recorded)) for recorded in loaded]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_computer_is_recorded(
    kind: str, recordings: list[tuple[RecordedEnvironment, Machine]]
) -> None:  # fmt: skip
    assert any(KINDS[kind](recorded, machine) for recorded, machine in recordings), kind


def test_there_are_at_least_forty_recordings(recordings: list[tuple[RecordedEnvironment, Machine]]) -> None:
    assert len(recordings) >= LEAST_RECORDINGS


def test_every_recording_names_where_its_formats_are_documented(recorded: Any) -> None:
    documented = recorded.sections["documented"].split()
    assert any(word.startswith("https://") for word in documented)


def spoiled(text: str, how: str) -> str:
    """A source's answer as a fault would leave it."""
    ways = {
        "cut": text[: len(text) // 2],
        "digits": re.sub(r"\d", "9", text),
        "signs": text.replace(":", ";").replace("=", "-").replace('"', "'"),
    }
    return ways[how]


@pytest.mark.parametrize("how", ["gone", "cut", "digits", "signs"])
def test_no_source_that_is_missing_or_spoiled_stops_a_probe(recorded: Any, how: str) -> None:
    for name in recorded.sections:
        if name in ("system", "about", "documented", "expect", "nvml-error", "json engine"):
            continue
        sections = {key: text for key, text in recorded.sections.items() if key != name}
        if how != "gone" and not name.startswith(("json", "hex")):
            sections[name] = spoiled(recorded.sections[name], how)
        machine = read_machine(recorded.models_folder, environment=RecordedEnvironment(sections))
        assert not [why for why in machine.unread.values() if "own probe failed" in why], name
        assert all(0 <= gpu.memory_free <= gpu.memory_total for gpu in machine.gpus)
        assert 0 <= machine.memory.available <= machine.memory.total
        assert all(row.source for row in figure_rows(machine)), name


def test_beside_the_engines_devices_every_recorded_computer_is_believed_as_expected(recorded: Any) -> None:
    machine = read_machine(recorded.models_folder, environment=recorded)
    after = with_engine_devices(machine, recorded.engine_devices)
    assert [said.key for said in after.disagreements] == recorded.expected.get("disagreements", [])
    for gpu, figures in zip(after.gpus, recorded.expected.get("after_engine", after.gpus), strict=True):
        if isinstance(figures, dict):
            assert {key: getattr(gpu, key) for key in figures} == figures
    for said in after.disagreements:
        assert disagreement_words(said)
    assert all(row.source for row in figure_rows(after))
    for gpu in after.gpus:
        assert gpu.kind != "discrete" or gpu.memory_shared == 0
