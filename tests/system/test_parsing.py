"""The pure parsers: exact on the formats that they know, calm on everything else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snug.system import (
    amd,
    apple,
    bandwidth,
    container,
    disks,
    drm,
    memory,
    memory_holders,
    memory_modules,
    npus,
    nvidia,
    operating_system,
    other_graphics,
    process_list,
    processor,
    windows_cim,
    windows_graphics,
)
from snug.system.amd import AmdFiles
from snug.system.drm import Card
from snug.system.figures import text, whole
from snug.system.program_names import program_name
from snug.system.reading import Reading

WORDS = (
    "processor", "model name", "flags", "core id", "MemTotal", "MemAvailable", "SwapTotal", "kB", ":", "=", "\t", "\n",
    "\n\n", " - ", "cgroup2", "cgroup", "0::/", "memory", "/sys/fs/cgroup", "max", "hw.memsize: ", "Apple M1", "REG_SZ",
    "machdep.cpu.brand_string: Apple M4", "HKEY_LOCAL_MACHINE\\x\\0000", "    DriverDesc    REG_SZ    ", "0x", "1002",
    "PRETTY_NAME=", "ProductName", "99999999999999999999999", "-1", "\0", "\ud7ff", "rv64v", "'", '"', "..", "1", " ",
    "HardwareInformation.qwMemorySize    REG_QWORD    0xffffffffffffffff",
    "MatchingDeviceId    REG_SZ    PCI\\VEN_10DE",
)  # fmt: skip
garbage = st.one_of(st.text(), st.lists(st.sampled_from(WORDS), max_size=40).map("".join))
values: Any = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(garbage, garbage, garbage)
def test_no_text_makes_a_parser_raise(first: str, second: str, third: str) -> None:
    for reading in (
        processor.parse_cpuinfo(first, second),
        processor.parse_sysctl(first),
        memory.parse(first),
        apple.parse(first, 5),
        windows_graphics.parse_registry(first),
    ):
        for gpu in reading.gpus:
            assert gpu.memory_free <= gpu.memory_total < 2**61
        if reading.memory:
            assert 0 <= reading.memory.available <= reading.memory.total
    npus.parse_registry(first)
    apple.parse_profile(first)
    amd.parse_memory_clock(first)
    process_list.held_of_rollup(first)
    memory_holders.parse_zfs(first)
    program_name(first)
    operating_system.parse_model(first, second)
    for modules in (
        memory_modules.parse_udev(first),
        memory_modules.parse_cim(windows_cim.parse(f"{windows_cim.MODULES}\n{first}")[windows_cim.MODULES]),
        memory_modules.parse_table(first.encode("utf-8", "replace")),
    ):
        memory_modules.parse(modules, "x")
    processor.parse_registry(first)
    operating_system.parse_os_release(first)
    operating_system.parse_sw_vers(first)
    operating_system.parse_registry(first)
    container.parse_processors(first, second)
    container.parse_memory(1, first, second, third)
    container.parse_memory(2, first, second, third)
    drm.parse_pci_ids(first, second, third)
    drm.parse_amd_ids(first, second, third)
    for group in container.parse(first, second, "memory"):
        assert all(".." not in folder.split("/")[1:] or ".." in second for folder in group.folders)
    files = AmdFiles(first, 5, 9, 2, vram_vendor=second, metrics=first.encode("utf-8", "replace"), processor=third)
    amd.parse(files)
    other_graphics.parse(Card(first, "8086", second, third, first, second), third, 5, 9)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(values, st.fixed_dictionaries({}, optional=dict.fromkeys(
    ("name", "bus_id", "device_id", "driver", "memory_total", "memory_free", "memory_used", "memory_clock_mhz",
     "bus_width_bits", "processes", "mig"), values
))), max_size=4))  # fmt: skip
def test_no_figures_make_the_nvidia_parser_raise(devices: list[Any]) -> None:
    for gpu in nvidia.parse(devices).gpus:
        assert 0 <= gpu.memory_free <= gpu.memory_total
        assert gpu.bandwidth is None or gpu.bandwidth > 0


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(values, st.fixed_dictionaries({}, optional=dict.fromkeys(
    ("pid", "parent", "name", "held", "group", "is_own"), values
))), max_size=6))  # fmt: skip
def test_no_list_of_processes_makes_the_holders_raise(processes: list[Any]) -> None:
    sizes = [holder.size_bytes for holder in memory_holders.parse(processes)]
    assert sizes == sorted(sizes, reverse=True)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(values, st.fixed_dictionaries({}, optional=dict.fromkeys(
    ("name", "vendor", "device", "revision", "luid", "dedicated", "shared", "software", "budget"), values
))), max_size=4))  # fmt: skip
def test_no_adapters_make_the_windows_parser_raise(adapters: list[Any]) -> None:
    for gpu in windows_graphics.parse(adapters, Reading(), {}).gpus:
        assert 0 <= gpu.memory_free <= gpu.memory_total


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.binary(max_size=40))
def test_no_bytes_make_the_firmwares_table_raise(first: bytes, second: bytes) -> None:
    for table in (first, b"\x11\x22\0\0" + first + b"\0\0" + second, b"\x11\x28\0\0" + second * 3 + b"\0\0"):
        memory_modules.parse(memory_modules.parse_table(table), "x")


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(("read", "write", "threads")), st.one_of(values, st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("median", "low", "high"), values)
))))  # fmt: skip
def test_no_measurement_makes_the_bandwidth_parser_raise(measured: dict[str, Any]) -> None:
    reading = bandwidth.parse(measured)
    assert (reading.bandwidth is None) == ("memory.bandwidth" in reading.unread)


@pytest.mark.parametrize(
    ("metrics", "vendor", "name", "is_part"),
    [
        (bytes([0x78, 0, 1, 3]), "", "", False),
        (bytes([0x80, 0, 2, 2]), "", "", True),
        (bytes([0x08, 1, 3, 0]), "", "AMD Radeon RX 7900 XTX", True),
        (b"", "samsung", "", False),
        (b"", "unknown", "AMD Radeon Graphics", True),
        (b"", "", "AMD Radeon RX 6600", False),
        (b"\0\0\0\0", "", "AMD Instinct MI210", False),
    ],
)
def test_an_apu_is_told_from_a_card(metrics: bytes, vendor: str, name: str, is_part: bool) -> None:
    assert amd.is_part_of_processor(AmdFiles(name=name, vram_vendor=vendor, metrics=metrics)) is is_part


@pytest.mark.parametrize(
    ("limit", "usage", "statistics", "expected"),
    [
        ("max\n", "5", "", None),
        ("9223372036854771712\n", "5", "", None),
        ("", "", "", None),
        ("1000\n", "300\n", "inactive_file 100\n", (1000, 800)),
        ("1000\n", "5000\n", "", (1000, 0)),
        ("1000\n", "", "", (1000, 1000)),
    ],
)
def test_a_groups_limit_counts_cached_files_as_free(
    limit: str, usage: str, statistics: str, expected: tuple[int, int] | None
) -> None:
    assert container.parse_memory(2, limit, usage, statistics) == expected


def test_a_group_is_walked_up_to_its_mount() -> None:
    mounts = "1 1 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n"
    (group,) = container.parse("0::/a/b\n", mounts, "memory")
    assert group.folders == ("/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a", "/sys/fs/cgroup")


def test_a_path_outside_of_the_mounted_part_means_the_mount_itself() -> None:
    mounts = "1 1 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n"
    (group,) = container.parse("0::/../../other\n", mounts, "memory")
    assert group.folders == ("/sys/fs/cgroup",)


@pytest.mark.parametrize(
    ("clock", "width", "expected"), [(7501, 192, 360.0e9), (2619, 5120, 3352.3e9), (1215, 5120, 1555e9)]
)
def test_bandwidth_follows_from_memory_clock_and_bus_width(clock: int, width: int, expected: float) -> None:
    (gpu,) = nvidia.parse([{"name": "x", "memory_clock_mhz": clock, "bus_width_bits": width}]).gpus
    assert gpu.bandwidth == pytest.approx(expected, rel=0.001)


def test_the_nearest_folder_that_exists_is_asked_for_its_disk(recording: Any) -> None:
    environment = recording("wsl")
    assert disks.nearest_folder(environment, "/home/ann/.local/share/Snug/models") == "/home/ann"
    assert disks.nearest_folder(environment, "relative/folder") is None
    assert disks.nearest_folder(recording("windows-rtx-3060"), "D:\\Models") is None


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("12\n", 12),
        (" 7 ", 7),
        ("-1", 0),
        ("1e9", 0),
        ("\u0663", 0),
        (True, 0),
        (float("nan"), 0),
        (2**70, 0),
        (3.9, 3),
    ],
)
def test_only_plain_digits_are_a_number(value: Any, number: int) -> None:
    assert whole(value) == number


def test_a_name_is_one_printable_line() -> None:
    assert text("  GeForce\x1b[31m\n RTX\u202e ") == "GeForce[31m RTX"
    assert len(text("x" * 999)) == 200
