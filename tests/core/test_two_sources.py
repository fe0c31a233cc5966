"""Where the system and the engine disagree by more than a tenth, one is believed and the sentence says why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snug.core import two_sources
from snug.core.machine import EngineDevice, Gpu, Machine, Memory
from snug.core.machine_words import disagreement_words
from snug.core.two_sources import with_engine_devices

GIB = 2**30
CARD = Gpu("NVIDIA GeForce RTX 3060", "discrete", 12 * GIB, 11 * GIB, pci_id="0000:01:00.0")


def seen(total: float, free: float | None = None, name: str = "CUDA0", **more: str) -> EngineDevice:
    free = total if free is None else free
    return EngineDevice(
        name, more.get("description", CARD.name), more.get("kind", "gpu"), int(total * GIB), int(free * GIB),
        more.get("device_id", ""),
    )  # fmt: skip


def both(gpu: Gpu, *devices: EngineDevice) -> Machine:
    return with_engine_devices(Machine(memory=Memory(32 * GIB, 20 * GIB), gpus=(gpu,)), devices)


def test_two_sources_that_agree_say_nothing() -> None:
    machine = both(CARD, seen(11.6, 11))
    assert machine.disagreements == ()
    assert machine.gpus == (CARD,)


def test_memory_that_the_card_may_borrow_is_never_added_to_its_own() -> None:
    machine = both(CARD, seen(19.8, 18, name="Vulkan0"))
    assert machine.gpus[0].memory_total == 12 * GIB
    (said,) = machine.disagreements
    assert disagreement_words(said) == (
        "NVIDIA GeForce RTX 3060: the system says 12 GB, the engine 20 GB. Snug counts with 12 GB: "
        "the rest is main memory that the card may borrow."
    )


def test_the_engine_is_believed_where_it_finds_less_room() -> None:
    machine = both(CARD, seen(6, 5))
    assert (machine.gpus[0].memory_total, machine.gpus[0].memory_free) == (6 * GIB, 5 * GIB)
    assert machine.sources["gpus.0.memory_total"] == "llama.cpp (CUDA0)"
    assert machine.disagreements[0].is_engine_believed


def test_the_smaller_figure_of_what_is_free_is_believed() -> None:
    less = both(CARD, seen(12, 3))
    assert less.gpus[0].memory_free == 3 * GIB
    assert "3.2 GB" in disagreement_words(less.disagreements[0])
    more = both(Gpu("NVIDIA GeForce RTX 3060", "discrete", 12 * GIB, 2 * GIB), seen(12, 12))
    assert more.gpus[0].memory_free == 2 * GIB
    assert more.disagreements[0].why == two_sources.ALL_FREE


def test_what_is_free_is_the_engines_where_the_system_only_supposes_it() -> None:
    arc = Gpu("Intel Arc B580", "discrete", 12 * GIB, 12 * GIB)
    source = {"gpus.0.memory_free": "taken as all of it: its driver does not say what is in use"}
    device = seen(12, 7, name="Vulkan0", description="Intel(R) Arc(tm) B580 Graphics")
    machine = with_engine_devices(Machine(gpus=(arc,), sources=source), (device,))
    assert machine.gpus[0].memory_free == 7 * GIB
    assert machine.disagreements == ()
    assert machine.sources["gpus.0.memory_free"] == "llama.cpp (Vulkan0)"


def test_what_only_the_engine_knows_is_taken_from_it() -> None:
    arc = Gpu("Intel Arc A770", "discrete", vendor="intel", pci_id="0000:03:00.0")
    machine = with_engine_devices(
        Machine(gpus=(arc,), unread={"gpus.0.memory_total": "its kernel driver (i915) does not say"}),
        (seen(16, 15, name="Vulkan0", description="Intel(R) Arc(tm) A770 Graphics (DG2)", device_id="0000:03:00.0"),),
    )
    assert machine.gpus[0].memory_total == 16 * GIB
    assert "gpus.0.memory_total" not in machine.unread
    assert machine.sources["gpus.0.memory_free"] == "llama.cpp (Vulkan0)"


def test_a_containers_limit_is_believed_against_the_engines_view_of_the_whole_computer() -> None:
    processor = seen(64, name="CPU", kind="cpu", description="AMD EPYC")
    machine = with_engine_devices(Machine(memory=Memory(4 * GIB, 3 * GIB, limit=4 * GIB)), (processor,))
    assert machine.memory.total == 4 * GIB
    assert disagreement_words(machine.disagreements[0]).startswith("Memory: the system says 4 GB, the engine 64 GB.")
    assert "container" in machine.disagreements[0].why


def test_metals_own_limit_is_believed_for_shared_memory() -> None:
    m3 = Gpu("Apple M3", "unified", 16 * GIB, 10 * GIB)
    machine = both(m3, seen(20, 19, name="MTL0", description="Apple M3"))
    assert (machine.gpus[0].memory_total, machine.gpus[0].memory_free) == (20 * GIB, 10 * GIB)
    assert "MTL0" in machine.sources["gpus.0.memory_total"]
    assert machine.disagreements[0].why == two_sources.METAL
    assert both(m3, seen(16.5, 16, name="MTL0", description="Apple M3")).disagreements == ()


def test_what_an_integrated_device_borrows_is_compared_with_what_it_may_borrow() -> None:
    strix = Gpu("AMD Radeon 8060S", "integrated", 512 * 2**20, 400 * 2**20, memory_shared=96 * GIB)
    vulkan = {"name": "Vulkan0", "kind": "igpu", "description": "AMD Radeon 8060S (RADV GFX1151)"}
    agreed = both(strix, seen(96.5, 90, **vulkan))
    assert agreed.disagreements == ()
    other = both(strix, seen(60, 60, **vulkan))
    assert other.gpus == (strix,)
    assert other.disagreements[0].why == two_sources.COUNTED_ONCE


def test_one_card_that_two_back_ends_list_stays_one() -> None:
    address = {"device_id": "0000:01:00.0"}
    machine = both(CARD, seen(11.9, 11, **address), seen(11.9, 11, name="Vulkan0", **address))
    assert len(machine.gpus) == 1


def test_two_cards_are_matched_by_their_addresses() -> None:
    twin = Gpu("NVIDIA GeForce RTX 3060", "discrete", 12 * GIB, 12 * GIB, pci_id="0000:02:00.0")
    machine = with_engine_devices(
        Machine(gpus=(CARD, twin)),
        (seen(12, 12, device_id="0000:02:00.0"), seen(12, 4, name="CUDA1", device_id="0000:01:00.0")),
    )
    assert [gpu.memory_free for gpu in machine.gpus] == [4 * GIB, 12 * GIB]


def test_a_name_that_is_part_of_another_is_not_taken_for_it() -> None:
    pair = (Gpu("NVIDIA GeForce RTX 3060", "discrete", 12 * GIB, 12 * GIB),
            Gpu("NVIDIA GeForce RTX 3060 Ti", "discrete", 8 * GIB, 8 * GIB))  # fmt: skip
    listed = (seen(8, 8, description="NVIDIA GeForce RTX 3060 Ti"), seen(12, 12, name="CUDA1"))
    machine = with_engine_devices(Machine(gpus=pair), listed)
    assert machine.gpus == pair
    assert machine.disagreements == ()


def test_a_device_that_only_the_engine_sees_is_added() -> None:
    machine = with_engine_devices(Machine(), (seen(8, 7, name="SYCL0", description="Intel(R) Arc(TM) B580"),))
    assert (machine.gpus[0].kind, machine.gpus[0].memory_total) == ("discrete", 8 * GIB)
    assert machine.sources["gpus.0.memory_total"] == "llama.cpp (SYCL0)"


def test_an_integrated_device_that_only_the_engine_sees_gets_no_memory_of_its_own() -> None:
    machine = with_engine_devices(Machine(), (seen(8, 7, name="Vulkan0", kind="igpu", description="Adreno X1-85"),))
    assert (machine.gpus[0].kind, machine.gpus[0].memory_total) == ("integrated", 0)


@pytest.mark.parametrize("name", ["llvmpipe (LLVM 15.0.6, 256 bits)", "SwiftShader Device (Subzero)"])
def test_a_device_that_the_processor_only_pretends_to_be_is_no_graphics_card(name: str) -> None:
    assert with_engine_devices(Machine(), (seen(2, 2, name="Vulkan0", description=name),)).gpus == ()


sizes = st.integers(0, 2**50)
devices = st.builds(
    EngineDevice, st.sampled_from(("CPU", "CUDA0", "Vulkan0", "MTL0")), st.sampled_from(("", "RTX 3060", "Apple M3")),
    st.sampled_from(("cpu", "gpu", "igpu", "accel", "?")), sizes, sizes, st.sampled_from(("", "0000:01:00.0")),
)  # fmt: skip
cards = st.builds(
    lambda name, kind, total, share, address: Gpu(name, kind, total, int(total * share), pci_id=address),
    st.sampled_from(("", "RTX 3060", "Apple M3")), st.sampled_from(("discrete", "integrated", "unified")), sizes,
    st.floats(0, 1), st.sampled_from(("", "0000:01:00.0")),
)  # fmt: skip


@given(st.lists(cards, max_size=3), st.lists(devices, max_size=4), sizes)
def test_no_two_lists_make_more_memory_than_the_larger_says(
    gpus: list[Gpu], listed: list[EngineDevice], total: int
) -> None:
    machine = with_engine_devices(Machine(memory=Memory(total, total), gpus=tuple(gpus)), tuple(listed))
    assert machine.memory.total == total
    for index, gpu in enumerate(machine.gpus):
        assert gpu.memory_total >= 0
        if index < len(gpus) and gpus[index].kind == "discrete" and gpus[index].memory_total:
            assert gpu.memory_total <= gpus[index].memory_total
            assert gpu.memory_free <= gpus[index].memory_free
    for disagreement in machine.disagreements:
        assert disagreement_words(disagreement).endswith(".")
