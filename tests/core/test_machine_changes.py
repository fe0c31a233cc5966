"""What is new about this computer is said in plain words; what is only free or in use is not news."""

from __future__ import annotations

from dataclasses import replace

from snug.core.machine import Cpu, EngineDevice, Gpu, Holder, Machine, Memory
from snug.core.machine_changes import machine_changes

GIB = 2**30
CARD = Gpu(
    "NVIDIA GeForce RTX 3060", "discrete", 12 * GIB, 11 * GIB, vendor="nvidia", driver="550.54.14",
    pci_id="0000:01:00.0",
)  # fmt: skip
BEFORE = Machine(cpu=Cpu("AMD Ryzen 7 7700", 8, 16), memory=Memory(16 * GIB, 9 * GIB, 50e9), gpus=(CARD,))


def changed(**fields: object) -> tuple[str, ...]:
    return machine_changes(BEFORE, replace(BEFORE, **fields))  # type: ignore[arg-type]


def test_the_same_computer_has_no_news() -> None:
    assert changed() == ()


def test_what_is_free_in_use_or_measured_is_no_news() -> None:
    busy = replace(
        BEFORE,
        memory=replace(BEFORE.memory, available=GIB, bandwidth=40e9),
        gpus=(replace(CARD, memory_free=GIB, memory_used=11 * GIB, holders=(Holder("Steam", GIB),)),),
        memory_holders=(Holder("Firefox", GIB),),
        engine_devices=(EngineDevice("CPU", "x", "cpu", 1, 1),),
    )
    assert machine_changes(BEFORE, busy) == ()


def test_a_few_megabytes_that_a_new_kernel_keeps_are_no_news() -> None:
    assert changed(memory=Memory(16 * GIB - 150 * 2**20, GIB)) == ()


def test_more_and_less_memory_is_news() -> None:
    assert changed(memory=Memory(32 * GIB, 20 * GIB)) == ("More memory: 32 GB (it was 16 GB).",)
    assert changed(memory=Memory(8 * GIB, 4 * GIB)) == ("Less memory: 8 GB (it was 16 GB).",)


def test_a_containers_new_limit_is_named_as_that() -> None:
    assert changed(memory=Memory(4 * GIB, GIB, limit=4 * GIB)) == (
        "This container may use 4 GB of memory (the limit was none).",
    )


def test_a_new_driver_is_named_with_the_old_one() -> None:
    assert changed(gpus=(replace(CARD, driver="560.35.03"),)) == (
        "New driver for the NVIDIA GeForce RTX 3060: 560.35.03 (it was 550.54.14).",
    )


def test_two_cards_with_one_driver_give_one_sentence() -> None:
    two = (CARD, replace(CARD, pci_id="0000:02:00.0"))
    newer = tuple(replace(card, driver="560.35.03") for card in two)
    assert len(machine_changes(replace(BEFORE, gpus=two), replace(BEFORE, gpus=newer))) == 1


def test_a_card_that_is_gone_says_why_where_it_is_known() -> None:
    assert changed(gpus=()) == ("NVIDIA GeForce RTX 3060 is gone.",)
    why = {"gpus.nvidia": "the NVIDIA driver was updated and this computer not restarted since"}
    assert changed(gpus=(), unread=why) == (
        "NVIDIA GeForce RTX 3060 is gone: the NVIDIA driver was updated and this computer not restarted since.",
    )


def test_a_card_whose_driver_waits_for_a_restart_does_not_answer() -> None:
    why = "the NVIDIA driver was updated and this computer not restarted since"
    silent = replace(CARD, memory_total=0, memory_free=0, driver="nvidia")
    said = changed(gpus=(silent,), unread={"gpus.0.memory_total": why})
    assert said[0] == f"The NVIDIA GeForce RTX 3060 does not answer any more: {why}."


def test_one_of_two_equal_cards_that_is_gone_is_missed() -> None:
    two = replace(BEFORE, gpus=(CARD, replace(CARD, pci_id="0000:02:00.0")))
    assert machine_changes(two, BEFORE) == ("NVIDIA GeForce RTX 3060 is gone.",)
    assert machine_changes(BEFORE, two) == ("New graphics: NVIDIA GeForce RTX 3060, with 12 GB of its own.",)


def test_an_exchanged_processor_is_news() -> None:
    assert changed(cpu=Cpu("AMD Ryzen 9 7950X 16-Core Processor", 16, 32)) == (
        "Another processor: AMD Ryzen 9 7950X (it was AMD Ryzen 7 7700).",
    )
    assert changed(cpu=Cpu("AMD Ryzen 7 7700", 6, 12)) == ("The processor has 6 cores now (it had 8).",)


def test_what_an_earlier_reading_did_not_know_is_no_news() -> None:
    assert machine_changes(Machine(), BEFORE) == ("New graphics: NVIDIA GeForce RTX 3060, with 12 GB of its own.",)
    assert machine_changes(replace(BEFORE, gpus=(replace(CARD, driver="", memory_total=0),)), BEFORE) == ()
