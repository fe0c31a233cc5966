"""A person who knows better is believed, and what was read stays known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snug.core.corrections import (
    FOLLOWS,
    OF_THE_LIMIT,
    checked_correction,
    correctable,
    with_corrections,
)
from snug.core.errors import UserError
from snug.core.machine import Cpu, Disk, Gpu, Machine, Memory
from snug.core.machine_words import CORRECTED, figure_rows, machine_line, memory_line, used_line

MACHINE = Machine(
    cpu=Cpu("x", 8, 16),
    memory=Memory(32_000_000_000, 20_000_000_000, 50e9),
    gpus=(Gpu("Card", "discrete", 12_000_000_000, 11_000_000_000), Gpu("Shared", "integrated")),
    sources={"memory.total": "/proc/meminfo"},
    unread={"gpus.0.bandwidth": "the driver does not say"},
)


def test_a_corrected_figure_replaces_the_one_that_was_read_and_says_both():
    better = with_corrections(MACHINE, {"memory.bandwidth": 80e9, "gpus.0.bandwidth": 360e9, "cpu.cores": 6})
    assert (better.memory.bandwidth, better.gpus[0].bandwidth, better.cpu.cores) == (80e9, 360e9, 6)
    assert better.sources["memory.bandwidth"] == f"{CORRECTED}; Snug read 50 GB a second"
    assert better.sources["gpus.0.bandwidth"] == f"{CORRECTED}; Snug could not read it"
    assert "gpus.0.bandwidth" not in better.unread
    assert better.memory.total == MACHINE.memory.total


@pytest.mark.parametrize(("total", "free"), [(64, 52), (16, 4), (8, 0)])
def test_with_another_total_programs_hold_as_much_as_before(total: int, free: int):
    better = with_corrections(MACHINE, {"memory.total": total * 1e9})
    assert (better.memory.total, better.memory.available) == (total * 10**9, free * 10**9)
    assert used_line(with_corrections(MACHINE, {"memory.total": 64e9})) == used_line(MACHINE)


def test_with_another_total_of_a_card_as_much_of_it_is_in_use():
    for total, free in ((24, 23), (8, 7), (0.5, 0)):
        better = with_corrections(MACHINE, {"gpus.0.memory_total": total * 1e9})
        assert better.gpus[0].memory_free == free * 10**9


def test_what_the_person_says_is_free_counts_beside_a_corrected_total():
    for order in (("memory.available", "memory.total"), ("memory.total", "memory.available")):
        figures = {"memory.available": 30e9, "memory.total": 64e9}
        better = with_corrections(MACHINE, {key: figures[key] for key in order})
        assert better.memory.available == 30_000_000_000
        assert better.sources["memory.available"] == f"{CORRECTED}; Snug read 20 GB"


def test_the_machine_card_marks_every_corrected_figure():
    cores = with_corrections(MACHINE, {"cpu.cores": 6, "memory.bandwidth": 80e9, "gpus.0.memory_total": 24 * 2**30})
    assert machine_line(cores) == (
        f"x, 6 cores, {CORRECTED} · Card, 24 GB of its own, {CORRECTED} · Shared, shares the memory · "
        f"reads 80 GB a second, {CORRECTED}"
    )
    assert CORRECTED not in memory_line(cores)
    for key in ("memory.total", "memory.available", "gpus.0.memory_free"):
        assert memory_line(with_corrections(MACHINE, {key: 10e9})).count(CORRECTED) == 1
    assert CORRECTED not in machine_line(MACHINE) + memory_line(MACHINE)


def test_what_is_free_of_a_corrected_total_says_where_it_comes_from():
    better = with_corrections(MACHINE, {"memory.total": 64e9, "gpus.0.memory_total": 24e9})
    assert better.sources["memory.available"] == better.sources["gpus.0.memory_free"] == FOLLOWS


@pytest.mark.parametrize("cores", [2.7, 1.000001])
def test_a_part_of_a_core_is_refused(cores: float):
    with pytest.raises(UserError, match="part of a core"):
        checked_correction(MACHINE, "cpu.cores", cores)
    assert checked_correction(MACHINE, "cpu.cores", 3.0) == 3


def test_a_containers_share_of_the_processor_can_be_corrected_where_there_is_one():
    contained = Machine(cpu=Cpu("x", 8, 16, limit=2.0), memory=MACHINE.memory)
    better = with_corrections(contained, {"cpu.limit": checked_correction(contained, "cpu.limit", 3.5)})
    assert (better.cpu.limit, better.sources["cpu.limit"]) == (3.5, f"{CORRECTED}; Snug read 2")
    assert "cpu.limit" not in correctable(MACHINE)


def test_a_card_whose_memory_nobody_could_read_gets_all_of_the_persons_figure():
    machine = Machine(memory=MACHINE.memory, gpus=(Gpu("Card", "discrete"),))
    better = with_corrections(machine, {"gpus.0.memory_total": 8e9})
    assert (better.gpus[0].memory_total, better.gpus[0].memory_free) == (8_000_000_000, 8_000_000_000)


def test_a_corrected_total_is_shown_as_the_person_wrote_it():
    better = with_corrections(MACHINE, {"memory.total": checked_correction(MACHINE, "memory.total", 64)})
    assert next(row.value for row in figure_rows(better) if row.key == "memory.total") == "64 GB (64.0 GiB)"
    assert better.sources["memory.total"] == f"{CORRECTED}; Snug read 30 GB"


def test_what_is_free_on_a_card_can_be_corrected_up_to_its_total():
    better = with_corrections(MACHINE, {"gpus.0.memory_free": 2e9})
    assert better.gpus[0].memory_free == 2_000_000_000
    assert with_corrections(MACHINE, {"gpus.0.memory_free": 99e9}).gpus[0].memory_free == 12_000_000_000


def test_a_macs_share_for_graphics_and_its_bandwidth_can_be_corrected():
    machine = Machine(memory=Memory(32_000_000_000, 20_000_000_000), gpus=(Gpu("Apple M4", "unified", 21_000_000_000),))
    better = with_corrections(machine, {"gpus.0.memory_total": 28e9, "gpus.0.bandwidth": 130e9})
    assert (better.gpus[0].memory_total, better.gpus[0].bandwidth) == (28_000_000_000, 130e9)


FULL = Machine(
    cpu=Cpu("x", 8, 16, limit=2.0),
    memory=Memory(
        8_000_000_000, 6_000_000_000, 40e9, limit=8_000_000_000, swap_total=2_000_000_000, huge_pages=10**9,
        kind="DDR5", speed_mts=5600, channels=2, rated_bandwidth=90e9,
    ),
    gpus=(
        Gpu("Radeon 780M", "integrated", 4_000_000_000, 3_000_000_000, memory_shared=12_000_000_000, bandwidth=90e9),
        Gpu("Card", "discrete", 12_000_000_000, 11_000_000_000, 360e9, memory_clock_mhz=7500, driver="1"),
    ),
    disks=(Disk("/models", 50_000_000_000, 250_000_000_000),),
)  # fmt: skip


def test_every_figure_on_the_card_can_be_corrected_is_marked_and_can_be_taken_back():
    shown = [row.key for row in figure_rows(FULL) if any(letter.isdigit() for letter in row.value)]
    assert set(shown) - {"gpus.0.name", "gpus.1.driver"} == set(correctable(FULL))
    for key, figure in correctable(FULL).items():
        amount = 2.5 if figure.unit else 3
        better = with_corrections(FULL, {key: checked_correction(FULL, key, amount)})
        row = next(row for row in figure_rows(better) if row.key == key)
        assert row.source.startswith(f"{CORRECTED}; Snug read "), key
        assert row.value != next(row.value for row in figure_rows(FULL) if row.key == key), key
        assert with_corrections(FULL, {}) == FULL


def test_the_disk_for_models_counts_as_the_person_says():
    better = with_corrections(FULL, {"disks./models": checked_correction(FULL, "disks./models", 20)})
    assert better.disks[0].free == 20_000_000_000
    assert with_corrections(FULL, {"disks./models": 9e12}).disks[0].free == FULL.disks[0].total


def test_what_is_said_to_be_free_stands_beside_a_corrected_limit():
    for order in (("memory.available", "memory.limit"), ("memory.limit", "memory.available")):
        figures = {"memory.available": 7e9, "memory.limit": 2**34}
        better = with_corrections(FULL, {key: figures[key] for key in order})
        assert (better.memory.total, better.memory.available) == (2**34, 7_000_000_000)


def test_a_limit_below_the_total_lowers_it_and_says_so():
    roomy = Machine(memory=Memory(8 * 2**30, 6 * 2**30, limit=16 * 2**30))
    better = with_corrections(roomy, {"memory.limit": 4.0 * 2**30})
    assert (better.memory.total, better.memory.available) == (4 * 2**30, 2 * 2**30)
    assert better.sources["memory.total"] == OF_THE_LIMIT
    assert with_corrections(roomy, {"memory.limit": 12.0 * 2**30}).memory.total == 8 * 2**30


def test_a_figure_of_the_disk_is_of_one_folder():
    moved = replace(FULL, disks=(Disk("/elsewhere", 1, 2),))
    assert with_corrections(moved, {"disks./models": 9e12}) == moved


def test_another_limit_of_a_container_is_its_total_too():
    better = with_corrections(FULL, {"memory.limit": checked_correction(FULL, "memory.limit", 4)})
    assert (better.memory.limit, better.memory.total, better.memory.available) == (2**32, 2**32, 2**32 - 2_000_000_000)


@pytest.mark.parametrize("amount", [0, -1, 1e9, float("nan"), float("inf"), "16", True, None])
def test_nonsense_is_refused_in_words(amount):
    with pytest.raises(UserError) as error:
        checked_correction(MACHINE, "memory.total", amount)
    assert error.value.bad_input


def test_a_total_is_asked_as_memory_is_sold_and_what_is_free_as_files_are_counted():
    assert checked_correction(MACHINE, "memory.total", 16) == 16 * 2**30
    assert checked_correction(MACHINE, "gpus.0.memory_total", 12) == 12 * 2**30
    assert checked_correction(MACHINE, "memory.available", 16) == 16e9
    assert checked_correction(MACHINE, "memory.bandwidth", 50) == 50e9
    assert checked_correction(MACHINE, "cpu.cores", 4) == 4


@given(st.dictionaries(st.sampled_from([*correctable(MACHINE), "gpus.9.bandwidth", "x"]),
                       st.one_of(st.floats(), st.integers(), st.text(), st.none())))  # fmt: skip
def test_whatever_was_kept_the_machine_stays_a_possible_one(kept):
    machine = with_corrections(MACHINE, kept)
    assert machine.memory.total > 0
    assert 0 <= machine.memory.available <= machine.memory.total
    assert 0 <= machine.gpus[0].memory_free <= machine.gpus[0].memory_total
