"""The machine card's words."""

from __future__ import annotations

import pytest

from snug.core.devices import places_of
from snug.core.machine import Cpu, Disk, EngineDevice, Gpu, Holder, Machine, Memory
from snug.core.machine_words import figure_rows, machine_line, memory_line, name_words, used_line

GIB = 2**30
KEPT = "1.1 GB stay with the system"
LAPTOP = Machine(
    os="linux",
    os_name="Fedora Linux 41",
    cpu=Cpu("AMD Ryzen 7 7840U w/ Radeon 780M Graphics", 8, 16, ("avx2", "avx512_vnni")),
    memory=Memory(33_300_000_000, 22_000_000_000, 78e9, swap_total=8_000_000_000),
    gpus=(Gpu("Radeon 780M", "integrated", memory_shared=16_000_000_000),),
    disks=(Disk("/home/ann/models", 412_000_000_000, 1_000_000_000_000),),
    engine_devices=(EngineDevice("CPU", "AMD Ryzen 7 7840U", "cpu", 33_300_000_000, 21_000_000_000),),
    sources={"memory.bandwidth": "measured here with 8 threads", "memory.total": "/proc/meminfo"},
    unread={"gpus.nvidia": "there is no NVIDIA driver on this computer"},
)


def test_the_card_says_the_computer_in_one_line() -> None:
    assert (
        machine_line(LAPTOP)
        == "AMD Ryzen 7 7840U, 8 cores · Radeon 780M, shares the memory · reads 78 GB a second, measured"
    )
    assert memory_line(LAPTOP) == "21 GB of 32 GB free for a model"


def test_a_bandwidth_that_was_not_measured_is_not_called_measured() -> None:
    machine = Machine(memory=Memory(8, 8, 50e9), sources={"memory.bandwidth": "the machine file"})
    assert machine_line(machine) == "reads 50 GB a second"


def test_an_unread_computer_says_so() -> None:
    assert machine_line(Machine()) == "This computer could not be read"
    assert "could not be read" in memory_line(Machine())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Intel(R) Core(TM) i7-1185G7 @ 3.00GHz", "Intel Core i7-1185G7"),
        ("11th Gen Intel(R) Core(TM) i5-1135G7 @ 2.40GHz", "Intel Core i5-1135G7"),
        ("Intel(R) Xeon(R) CPU E5-2686 v4 @ 2.30GHz", "Intel Xeon E5-2686 v4"),
        ("AMD Ryzen 9 5900X 12-Core Processor", "AMD Ryzen 9 5900X"),
        ("AMD Ryzen Threadripper 3990X 64-Core Processor", "AMD Ryzen Threadripper 3990X"),
        ("AMD Ryzen 5 5600G with Radeon Graphics         ", "AMD Ryzen 5 5600G"),
        ("AMD RYZEN AI MAX+ 395 w/ Radeon 8060S", "AMD RYZEN AI MAX+ 395"),
        ("NVIDIA GeForce RTX 4070 Laptop GPU", "NVIDIA GeForce RTX 4070 Laptop GPU"),
        ("Apple M3 Max", "Apple M3 Max"),
        ("CPU", "CPU"),
        ("", ""),
    ],
)
def test_names_lose_their_noise(name: str, words: str) -> None:
    assert name_words(name) == words


def test_the_figures_come_with_their_sources_and_the_reasons_for_gaps() -> None:
    rows = {row.key: row for row in figure_rows(LAPTOP)}
    assert rows["memory.total"].value == "32 GB (31.0 GiB)"
    assert rows["memory.total"].source == "/proc/meminfo"
    assert rows["memory.swap_total"].label == "Swap (not counted)"
    assert rows["cpu.features"].value == "AVX2, AVX512-VNNI"
    assert rows["gpus.0.memory_shared"].label == "May borrow (not added)"
    assert rows["disks./home/ann/models"].value == "412 GB free of 1.0 TB (/home/ann/models)"
    assert rows["engine_devices.0"].value == "CPU: AMD Ryzen 7 7840U, 21 GB of 32 GB free"
    assert (rows["gpus.nvidia"].value, rows["gpus.nvidia"].is_known) == ("none found", False)


def test_huge_pages_are_in_use_by_nobody_and_not_free() -> None:
    machine = Machine(memory=Memory(100_000_000_000, 20_000_000_000, huge_pages=70_000_000_000))
    assert used_line(machine) == f"10 GB in use by other programs, {KEPT}"
    rows = {row.key: row.value for row in figure_rows(machine)}
    assert rows["memory.huge_pages"] == "70 GB, not free for a model"


def test_what_snugs_own_model_holds_is_free_for_the_next_one_and_no_other_programs() -> None:
    memory = Memory(32 * GIB, 32 * GIB - 12_000_000_000)
    cards = (Gpu("Shared", "integrated"), Gpu("Card", "discrete", 12 * GIB, 1_000_000_000))
    machine = Machine(memory=memory, gpus=cards, gives_back={"memory": 5_000_000_000, "gpus.1": 9_000_000_000})
    assert used_line(machine) == f"7.0 GB in use by other programs, {KEPT}"
    assert memory_line(machine) == "26 GB of 32 GB free for a model, and 9.4 GB of 12 GB on the Card"


def test_snug_is_neither_named_nor_counted_among_the_other_programs() -> None:
    holders = (Holder("Snug", 5_000_000_000), Holder("Firefox", 2_140_000_000))
    machine = Machine(memory=Memory(32_000_000_000, 20_000_000_000), memory_holders=holders)
    assert used_line(machine) == f"7.0 GB in use by other programs (Firefox: 2.1 GB), {KEPT}"


def test_who_holds_memory_of_a_card_is_named_beside_who_holds_the_rest() -> None:
    holders = (Holder("Snug", 4_000_000_000), Holder("Blender", 1_100_000_000), Holder("Firefox", 390_000_000))
    card = Gpu("AMD Radeon RX 7900 XTX", "discrete", 24 * GIB, 18 * GIB, holders=holders)
    machine = Machine(memory=Memory(32 * GIB, 32 * GIB - 3_000_000_000), gpus=(card,))
    assert used_line(machine) == (
        "3.0 GB in use by other programs, on the AMD Radeon RX 7900 XTX (Blender: 1.1 GB, Firefox: 390 MB), " + KEPT
    )


def test_every_missing_figure_is_a_row_that_says_why() -> None:
    rows = figure_rows(Machine(unread={"memory.bandwidth": "it was not asked for", "strange": "a reason"}))
    missing = {row.key: row.source for row in rows if not row.is_known}
    assert missing["memory.bandwidth"] == "it was not asked for"
    assert missing["strange"] == "a reason"
    assert missing["cpu.name"]


def test_what_graphics_cannot_use_of_a_macs_memory_is_said() -> None:
    mac = Machine(memory=Memory(64 * GIB, 60 * GIB), gpus=(Gpu("Apple M4 Pro", "unified", 48 * GIB),))
    words = used_line(mac)
    assert words == "4.3 GB in use by other programs, 2.1 GB stay with the system, graphics cannot use 11 GB"
    assert abs(4.3 + 2.1 + 11 + places_of(mac).main.free / 1e9 - 64 * GIB / 1e9) < 0.5
